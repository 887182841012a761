/// The members of an event: which a caller may write, what they must look like, what is shown.
#pragma once

#include <boost/json/object.hpp>

#include "sandbox/answer.h"
#include "sandbox/store.h"

namespace calhost::sandbox {

/// The writable members of what a caller sent; the rest is left out, as Google does.
boost::json::object writable(const boost::json::object& sent);

/// PATCH: null deletes, objects merge, everything else is replaced whole.
void merge(boost::json::object& body, const boost::json::object& changes);

/// Checks a complete body, writes its times in the calendar's zone, and gives what expansion needs.
/// `body` has id, status and, for an instance, recurringEventId and originalStartTime.
Answer<calendar::Event> check_body(boost::json::object& body, const Calendar& calendar);

/// The id that a caller chose: 5 to 1024 of base32hex.
bool is_event_id(std::string_view id);

/// How one caller wants to see events.
struct View {
    std::string zone;       ///< of the times; empty: as stored
    int max_attendees = 0;  ///< 0: all
};
boost::json::object present(const boost::json::object& body, const View& view);
/// What Google guarantees of a deleted event or a cancelled instance, and nothing more.
boost::json::object present_cancelled(const boost::json::object& body);

/// The instance of `series` at `original_start` that nobody changed.
boost::json::object make_instance(const Row& series, const calendar::EventTime& original_start,
                                  const calendar::EventTime& start,
                                  const calendar::EventTime& finish, std::string_view zone);

/// The private extended properties as "name=value" lines, or the UID: what the ledger remembers.
std::string key_of(const boost::json::object& body);

}  // namespace calhost::sandbox
