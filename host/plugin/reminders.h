/// Reminders where a service can hold fewer of them than the event has.
#pragma once

#include <limits>
#include <set>

#include "calendar/event.h"

namespace calhost::plugin {

struct ReminderLimits {
    int most = std::numeric_limits<int>::max();
    int longest = std::numeric_limits<int>::max();  ///< minutes before the start
    std::set<std::string, std::less<>> methods{"popup", "email"};
};

struct FittedReminders {
    std::vector<calendar::Reminder> kept;  ///< in their order
    std::vector<std::string> lossy;        ///< a sentence for each that is left out
};

/// Leaves out what the limits refuse; of too many the nearest to the start stay.
FittedReminders fit_reminders(const std::vector<calendar::Reminder>& reminders,
                              const ReminderLimits& limits);

}  // namespace calhost::plugin
