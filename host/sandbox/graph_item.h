/// Events of the simulated Graph: what a body must look like, and how it is shown.
#pragma once

#include "sandbox/graph_call.h"
#include "sandbox/occurrences.h"

namespace calhost::sandbox::graph {

/// One thing that a caller may see: a single event, a series, an exception or an occurrence.
struct Item {
    std::string id;  ///< the store's own
    std::string_view type;
    std::string series_id;
    boost::json::object body;  ///< as it is stored; of an occurrence, the series'
    calendar::EventTime start;
    calendar::EventTime finish;
    std::optional<calendar::EventTime> slot;
    std::uint64_t version = 0;
    Timestamp updated;
    std::string zone;  ///< of the calendar: places all-day events
};

Item item_of(const Calendar& calendar, const Row& row);
/// By the store's own id. None for what is not there or was deleted.
std::optional<Item> find_item(const Calendar& calendar, const std::string& id);
/// The same in all calendars of the account; says in which. `only` narrows to one.
std::optional<Item> find_item(Account& account, Calendar* only, const std::string& id,
                              Calendar*& found);
/// What happens in the window: singles, exceptions, occurrences, by start.
std::vector<Item> items_in(const Calendar& calendar, calendar::Window window);
/// The occurrences of one series in the window.
std::vector<Item> instances_of(const Calendar& calendar, const Row& series,
                               calendar::Window window);

boost::json::object present(const Item& item, const Prefer& prefer);
std::string etag_of(const Item& item, bool is_immutable);

/// What every new event has before the caller's members come on top.
boost::json::object new_body(GraphWorld& world, const Account& account);
/// Puts what a caller sent over `body`. Null takes a member back to what a new event has.
/// *Errors*: 400, for a member that is unknown or of the wrong type.
Answer<> apply(boost::json::object& body, const boost::json::object& sent);
/// The members that expansion and search need. *Errors*: 400.
Answer<calendar::Event> check_body(const boost::json::object& body);

/// The member of a stored exception that names what it has of its own; nobody is shown it.
inline constexpr std::string_view kOwnMembers = "@own";

/// Stores a checked body, tells the ledger and who subscribed.
const Row& store(GraphWorld& world, Account& account, Calendar& calendar, boost::json::object body,
                 calendar::Event event, std::string_view change);

}  // namespace calhost::sandbox::graph
