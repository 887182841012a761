/// One authorised call of Graph: its options, its preferences, and the methods.
#pragma once

#include <boost/json/object.hpp>
#include <optional>

#include "sandbox/graph_answer.h"
#include "sandbox/graph_identity.h"

namespace calhost::sandbox::graph {

/// What `Prefer` asked.
struct Prefer {
    std::string zone = "UTC";  ///< the name as it was given
    bool is_zone_given = false;
    bool wants_text = false;
    bool wants_immutable_ids = false;
    int page_size = 0;  ///< 0: not given
};
/// *Errors*: 400, for a zone that is not supported.
Answer<Prefer> read_prefer(const net::Request& request);

/// *Ownership*: refers to what outlives the call.
struct Call {
    GraphWorld& world;
    Account& account;
    const Scopes& scopes;
    const net::Request& request;
    Prefer prefer;
    Calendar* calendar = nullptr;  ///< null: the whole mailbox (/me/events)
    std::string event_id = {};     ///< the store's own id; of methods below …/events/{id}
    std::string word = {};         ///< another id in the path: a calendar's, a subscription's

    [[nodiscard]] Calendar& home() const {
        return calendar != nullptr ? *calendar : *account.find_calendar("primary");
    }
    /// The body as an object. *Errors*: 400.
    [[nodiscard]] Answer<boost::json::object> body() const;
    /// startDateTime and endDateTime. *Errors*: 400.
    [[nodiscard]] Answer<calendar::Window> window() const;
    /// $top or $skip. *Errors*: 400.
    [[nodiscard]] Answer<int> number(std::string_view name, int otherwise, int most) const;
    /// The link that goes on with this request at `skip`.
    [[nodiscard]] std::string link_to(std::size_t skip) const;
    [[nodiscard]] std::string context(std::string_view of) const;
};

/// An event's id as a caller sees it, and back; with immutable ids another one. Both are taken.
std::string show_id(std::string_view own, bool is_immutable);
std::string read_id(std::string_view shown);

net::Response no_content();
net::Response ok(boost::json::object body, int status = 200);

using Method = Answer<net::Response> (*)(Call&);

// graph_events.cpp
Answer<net::Response> create_event(Call& call);
Answer<net::Response> get_event(Call& call);
Answer<net::Response> update_event(Call& call);
Answer<net::Response> delete_event(Call& call);
/// What the person or the organiser did to an event: `{event, isCancelled, response}`. False for
/// one that is not there.
bool stage_event(GraphWorld& world, Account& account, const boost::json::value& wanted);
// graph_list.cpp
Answer<net::Response> list_events(Call& call);
Answer<net::Response> list_view(Call& call);
Answer<net::Response> list_instances(Call& call);
// graph_delta.cpp
Answer<net::Response> list_delta(Call& call);
// graph_calendars.cpp
Answer<net::Response> get_me(Call& call);
Answer<net::Response> list_calendars(Call& call);
Answer<net::Response> get_calendar(Call& call);
Answer<net::Response> get_mailbox_settings(Call& call);
Answer<net::Response> list_zones(Call& call);
// graph_schedule.cpp
Answer<net::Response> get_schedule(Call& call);
// graph_subscriptions.cpp
Answer<net::Response> list_subscriptions(Call& call);
Answer<net::Response> get_subscription(Call& call);
Answer<net::Response> renew_subscription(Call& call);
Answer<net::Response> delete_subscription(Call& call);
/// Asks the receiver first, so it takes its time.
Task<Answer<net::Response>> create_subscription(Call& call);
/// Tells who subscribed that an event was created, updated or deleted.
void notify(GraphWorld& world, const Account& account, const std::string& event_id,
            std::string_view change);
/// Tells about a subscription itself. False when the account has none with a lifecycle address.
bool notify_lifecycle(GraphWorld& world, const Account& account, std::string_view what);

/// Finds the method of a request below /v1.0, checks scopes, runs it.
Task<Answer<net::Response>> serve_api(GraphWorld& world, Account& account, const Scopes& scopes,
                                      const net::Request& request);

/// Stores an event of the calendar room; false for one that Graph cannot hold.
bool store_neutral(GraphWorld& world, Account& account, Calendar& calendar,
                   const calendar::Event& event, std::string id, const std::string& series_id);

}  // namespace calhost::sandbox::graph
