#include "calendar/busy.h"

#include <algorithm>

#include "calendar/zone.h"

namespace calhost::calendar {

bool blocks_time(const Event& event) {
    const bool is_declined = std::ranges::any_of(event.attendees, [](const Attendee& attendee) {
        return attendee.is_self && attendee.response == "declined";
    });
    return event.busy != "free" && event.status != "cancelled" && !is_declined;
}

Timestamp moment_in(const EventTime& time, std::string_view zone) {
    if (!time.is_date) return time.instant;
    const auto midnight = to_instant(std::chrono::local_days(time.date), zone);
    return midnight ? *midnight : time.instant;
}

std::vector<Window> join_windows(std::vector<Window> times, Window window) {
    for (auto& time : times)
        time = {std::max(time.start, window.start), std::min(time.finish, window.finish)};
    std::erase_if(times, [](const Window& time) { return time.start >= time.finish; });
    std::ranges::sort(times, {}, &Window::start);
    std::vector<Window> joined;
    for (const auto& time : times) {
        if (!joined.empty() && time.start <= joined.back().finish)
            joined.back().finish = std::max(joined.back().finish, time.finish);
        else
            joined.push_back(time);
    }
    return joined;
}

std::vector<Window> busy_windows(const std::vector<Event>& occurrences, Window window,
                                 std::string_view zone) {
    std::vector<Window> times;
    for (const auto& event : occurrences)
        if (blocks_time(event))
            times.push_back({moment_in(event.start, zone), moment_in(event.finish, zone)});
    return join_windows(std::move(times), window);
}

}  // namespace calhost::calendar
