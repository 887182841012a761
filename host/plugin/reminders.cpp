#include "plugin/reminders.h"

#include <fmt/format.h>

#include <algorithm>

namespace calhost::plugin {
namespace {

using calendar::Reminder;

std::string left_out(const Reminder& reminder, std::string_view why) {
    return fmt::format("The {} reminder {} minutes before the start is left out: {}.",
                       reminder.method == "email" ? "e-mail" : reminder.method, reminder.minutes,
                       why);
}

/// The `most` nearest to the start.
std::vector<Reminder> nearest(std::vector<Reminder> reminders, int most) {
    // Of two at the same time people see the popup sooner.
    std::ranges::sort(reminders, {}, [](const Reminder& reminder) {
        return std::pair(reminder.minutes, reminder.method != "popup");
    });
    if (reminders.size() > static_cast<std::size_t>(most))
        reminders.resize(static_cast<std::size_t>(most));
    return reminders;
}

}  // namespace

FittedReminders fit_reminders(const std::vector<Reminder>& reminders,
                              const ReminderLimits& limits) {
    std::vector<Reminder> possible;
    FittedReminders fitted;
    for (const auto& reminder : reminders) {
        if (!limits.methods.contains(reminder.method))
            fitted.lossy.push_back(left_out(reminder, "the calendar has none of this kind"));
        else if (reminder.minutes > limits.longest)
            fitted.lossy.push_back(left_out(
                reminder, fmt::format("the calendar has none over {} minutes", limits.longest)));
        else
            possible.push_back(reminder);
    }
    auto room = nearest(possible, limits.most);
    for (const auto& reminder : possible) {
        if (const auto place = std::ranges::find(room, reminder); place != room.end()) {
            room.erase(place);
            fitted.kept.push_back(reminder);
        } else {
            fitted.lossy.push_back(
                left_out(reminder, fmt::format("the calendar holds no more than {}", limits.most)));
        }
    }
    return fitted;
}

}  // namespace calhost::plugin
