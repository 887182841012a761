/// What a booking looks like in a person's calendar: built-in text, then templates, then rules.
#pragma once

#include "calendar/event.h"
#include "plugin/plugins.h"
#include "plugin/rules.h"
#include "storage/bookings.h"
#include "storage/connections.h"
#include "storage/users.h"

namespace calhost::booking {

/// Names the host's events among a person's own, beside the provider's own mark of the intent.
inline constexpr std::string_view kMark = "calhost_booking";

/// One booking as one of its people is about to see it.
struct View {
    storage::Booking booking;
    storage::BookingPerson person;
    storage::BookingPerson other;
    storage::User user;  ///< who the person is
};

/// The operator's word; either may be null.
struct Scripts {
    plugin::Rules* rules;
    const plugin::Plugins* plugins;
};

struct Composed {
    calendar::Event event;
    std::vector<std::string> failures;  ///< of scripts, for operators; the event is whole anyway
};

/// *Errors*: invalid, for a time that no calendar can hold.
Result<Composed> compose(Scripts scripts, const View& view);

/// Whether the booking goes to that calendar: the filter rule's word, else the calendar that the
/// person chose for bookings.
plugin::Ruled<bool> goes_to(Scripts scripts, const View& view,
                            const storage::Connection& connection);

/// What becomes of an event that the person deleted: the rule's word, else it is respected.
plugin::Ruled<plugin::WhenDeleted> when_deleted(Scripts scripts, const View& view);

/// The event to write over `theirs`, the one that is there now: what the host changed since it
/// wrote `base`, and always the time; everything else stays as the person made it.
calendar::Event merge(const calendar::Event& base, const calendar::Event& ours,
                      calendar::Event theirs);

}  // namespace calhost::booking
