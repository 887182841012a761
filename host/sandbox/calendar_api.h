/// Calendar v3: who asks for what, and the methods.
#pragma once

#include <boost/json/object.hpp>

#include "sandbox/event_body.h"
#include "sandbox/google_world.h"
#include "sandbox/scopes.h"

namespace calhost::sandbox {

/// One authorised call. *Ownership*: refers to what outlives the call.
struct Call {
    GoogleWorld& world;
    Account& account;
    const net::Request& request;
    Calendar* calendar = nullptr;  ///< of methods below /calendars/{id}
    std::string event_id;          ///< of methods below …/events/{id}

    /// The zone of the answer's times, and what of the attendees is shown. *Errors*: 400.
    [[nodiscard]] Answer<View> view() const;
    /// The body as an object; an empty one is {}. *Errors*: 400 `parseError`.
    [[nodiscard]] Answer<boost::json::object> body() const;
    /// A number in the query. *Errors*: 400.
    [[nodiscard]] Answer<int> number(std::string_view name, int otherwise, int least) const;
    /// A moment in the query. *Errors*: 400.
    [[nodiscard]] Answer<std::optional<Timestamp>> moment(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const {
        return request.query.get(name) == "true";
    }
};

using Method = Answer<net::Response> (*)(Call&);

/// Finds the method of a request below /calendar/v3, checks scopes, runs it, applies `fields` and
/// `prettyPrint`.
net::Response serve_calendar(GoogleWorld& world, Account& account, const Scopes& scopes,
                             const net::Request& request);

// event_list.cpp, event_read.cpp
Answer<net::Response> list_events(Call& call);
Answer<net::Response> get_event(Call& call);
Answer<net::Response> list_instances(Call& call);
// event_write.cpp
Answer<net::Response> insert_event(Call& call);
Answer<net::Response> import_event(Call& call);
Answer<net::Response> patch_event(Call& call);
Answer<net::Response> update_event(Call& call);
Answer<net::Response> delete_event(Call& call);
Answer<net::Response> move_event(Call& call);
Answer<net::Response> quick_add_event(Call& call);
// watching.cpp
Answer<net::Response> watch_events(Call& call);
Answer<net::Response> stop_channel(Call& call);
// calendars.cpp
Answer<net::Response> list_calendars(Call& call);
Answer<net::Response> get_calendar_entry(Call& call);
Answer<net::Response> get_calendar(Call& call);
Answer<net::Response> list_settings(Call& call);
Answer<net::Response> get_setting(Call& call);
Answer<net::Response> get_colors(Call& call);
// free_busy.cpp
Answer<net::Response> query_free_busy(Call& call);

/// Tells every watcher of the calendar that something changed.
void notify_watchers(GoogleWorld& world, const Account& account, const Calendar& calendar);
/// Sends one message: into the ledger, and to whoever delivers.
void send_notification(GoogleWorld& world, Channel& channel, std::string_view state);

/// Stores a body as the calendar's own event: id, etag and times of change are set here.
/// `effect` is the ledger's word. *Errors*: 400 for a body that does not hold.
Answer<const Row*> store_event(GoogleWorld& world, Account& account, Calendar& calendar,
                               boost::json::object body, std::string_view effect,
                               std::string_view detail = {});
/// Stores an event of the calendar room; false for one that is refused.
bool store_neutral(GoogleWorld& world, Account& account, Calendar& calendar,
                   const calendar::Event& event, std::string id, const std::string& series_id);
/// What every new event has before the caller's members come on top.
boost::json::object new_event_body(GoogleWorld& world, const Account& account,
                                   const Calendar& calendar, std::string id);
/// Deletes an event, a whole series or one occurrence. *Errors*: 404, 410.
Answer<> remove_event(GoogleWorld& world, Account& account, Calendar& calendar,
                      const std::string& id, std::string_view detail = {});

/// An event's answer, with its ETag in the header too.
net::Response event_response(const boost::json::object& body, const View& view);

}  // namespace calhost::sandbox
