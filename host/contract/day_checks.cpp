#include <algorithm>

#include "contract/steps.h"

namespace calhost::contract {
namespace {

using std::chrono::days;
using std::chrono::local_days;

/// The days of the next year on which the clocks change, as there are in `kZone`.
std::vector<local_days> clock_days(const Subject& s) {
    const auto now = s.clock.now();
    std::vector<local_days> found;
    for (const auto& change : calendar::transitions(kZone, now, now + days{340}))
        if (change.before != change.after) found.push_back(std::chrono::floor<days>(change.local));
    return found;
}

std::string date_line(local_days day, std::string_view title) {
    return fmt::format("{} {}", calendar::format_date(calendar::Date{day}), title);
}

Event whole_days(const Subject& s, std::string_view title, local_days first, int count) {
    auto event = hour(s, title, 0);
    event.start = whole(first);
    event.finish = whole(first + days{count});
    return event;
}

Task<Finding> all_day(Subject& s) {
    auto some = clock_days(s);
    some.push_back(day(s, 0));
    for (const auto first : some) {
        const auto event = whole_days(s, "day", first, 1);
        const auto made = co_await make(s, event);
        if (!made) co_return trouble("create_event of a whole day", made.error());
        if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
        const auto window = around(first, first);
        if (auto problem = co_await compare(s, window, {date_line(first, "day")}))
            co_return *problem;
        if (auto gone = co_await drop(s, made->event.id); !gone)
            co_return trouble("delete_event", gone.error());
    }
    const auto event = whole_days(s, "days", day(s, 0), 3);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event of three days", made.error());
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    co_return Finding{};
}

Task<Finding> kinds(Subject& s) {
    auto event = hour(s, "kinds", 0);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    const auto whole_day = whole_days(s, "kinds", day(s, 1), 1);
    const auto wide = co_await change(s, made->event.id, whole_day, made->event.etag);
    if (!wide) co_return trouble("update_event to a whole day", wide.error());
    if (auto problem = co_await read_back(s, whole_day, *wide)) co_return *problem;
    const auto narrow = co_await change(s, made->event.id, event, wide->event.etag);
    if (!narrow) co_return trouble("update_event from a whole day to a time", narrow.error());
    if (auto problem = co_await read_back(s, event, *narrow)) co_return *problem;
    co_return Finding{};
}

Task<Finding> day_series(Subject& s) {
    auto event = whole_days(s, "daily", day(s, 0), 1);
    event.recurrence = {.rrule = "FREQ=DAILY;COUNT=3"};
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event of a series of days", made.error());
    std::vector<std::string> wanted;
    for (int i = 0; i < 3; ++i) wanted.push_back(date_line(day(s, i), "daily"));
    if (auto problem = co_await compare(s, around(day(s, 0), day(s, 4)), wanted))
        co_return *problem;
    Event gone = whole_days(s, "daily", day(s, 1), 1);
    gone.series_id = made->event.id;
    gone.recurrence_id = gone.start;
    gone.status = "cancelled";
    if (auto written = co_await make(s, gone); !written)
        co_return trouble("create_event that takes a day away", written.error());
    wanted.erase(wanted.begin() + 1);
    if (auto problem = co_await compare(s, around(day(s, 0), day(s, 4)), wanted))
        co_return *problem;
    co_return Finding{};
}

Task<Finding> zones(Subject& s) {
    for (const std::string_view zone : {"Asia/Kolkata", "America/St_Johns", "Asia/Kathmandu",
                                        "Pacific/Auckland", "America/New_York", "Etc/UTC"}) {
        auto event = hour(s, "zone", 0);
        event.start = at(day(s, 0), 9, zone);
        event.finish = at(day(s, 0), 10, zone);
        const auto made = co_await make(s, event);
        if (!made) co_return trouble(fmt::format("create_event in {}", zone), made.error());
        if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    }
    co_return Finding{};
}

/// Nine o'clock stays nine o'clock when the clocks change.
Task<Finding> wall_clock(Subject& s) {
    for (const auto change : clock_days(s)) {
        const auto first = change - days{1};
        auto event = hour(s, "nine", 0);
        event.start = at(first, 9);
        event.finish = at(first, 10);
        event.recurrence = {.rrule = "FREQ=DAILY;COUNT=3"};
        const auto made = co_await make(s, event);
        if (!made) co_return trouble("create_event of a series", made.error());
        std::vector<std::string> wanted;
        for (int i = 0; i < 3; ++i)
            wanted.push_back(format_rfc3339(at(first + days{i}, 9).instant) + " nine");
        const auto window = around(first, first + days{3});
        if (auto problem = co_await compare(s, window, wanted)) co_return *problem;
        if (auto gone = co_await drop(s, made->event.id); !gone)
            co_return trouble("delete_event", gone.error());
    }
    co_return Finding{};
}

/// An hour that the clock shows twice, and one that it does not show.
Task<Finding> odd_hours(Subject& s) {
    for (const auto change : clock_days(s)) {
        auto event = hour(s, "odd", 0);
        event.start = at(change, 2, kZone, 30);
        event.finish = at(change, 4);
        const auto made = co_await make(s, event);
        if (!made) co_return trouble("create_event when the clocks change", made.error());
        if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    }
    co_return Finding{};
}

}  // namespace

std::vector<Check> day_checks() {
    return {{"whole days stay dates, also when the clocks change", all_day},
            {"a time becomes a whole day and a time again", kinds},
            {"a series of whole days loses one", day_series},
            {"times of many zones stay the same moments", zones},
            {"a series keeps its wall-clock time when the clocks change", wall_clock},
            {"times within the change of the clocks stay the same moments", odd_hours}};
}

}  // namespace calhost::contract
