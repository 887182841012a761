#include <algorithm>

#include "contract/steps.h"

namespace calhost::contract {
namespace {

using std::chrono::days;

/// Four Mondays at nine.
Event weekly(const Subject& s, std::string_view title) {
    auto event = hour(s, title, 0);
    event.recurrence = {.rrule = "FREQ=WEEKLY;COUNT=4"};
    return event;
}

Window month(const Subject& s) { return around(day(s, 0), day(s, 40)); }

std::string line(const EventTime& start, std::string_view title) {
    return fmt::format(
        "{} {}", start.is_date ? calendar::format_date(start.date) : format_rfc3339(start.instant),
        title);
}

/// Lines of the weeks that are named.
std::vector<std::string> weeks(const Subject& s, std::initializer_list<int> which,
                               std::string_view title) {
    std::vector<std::string> lines;
    for (const int week : which) lines.push_back(line(at(day(s, 7 * week), 9), title));
    return lines;
}

Event override_of(const Subject& s, const plugin::Written& series, int week,
                  std::string_view title) {
    auto event = hour(s, title, 7 * week);
    event.series_id = series.event.id;
    event.recurrence_id = at(day(s, 7 * week), 9);
    return event;
}

Task<Finding> whole_series(Subject& s) {
    const auto event = weekly(s, "series");
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event of a series", made.error());
    if (!made->event.is_series()) co_return wrong("the answer to the write is no series");
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    if (auto problem = co_await compare(s, month(s), weeks(s, {0, 1, 2, 3}, "series")))
        co_return *problem;
    const auto part =
        co_await list(s, s.provider, {at(day(s, 7), 0).instant, at(day(s, 14), 0).instant});
    if (!part) co_return trouble("list_events", part.error());
    if (part->lines != weeks(s, {1}, "series"))
        co_return wrong("a window of one week has {} occurrences", part->lines.size());
    if (part->events[0].is_series() || !part->events[0].recurrence_id)
        co_return wrong("an occurrence of the window does not say which one it is");
    co_return Finding{};
}

Task<Finding> ended_series(Subject& s) {
    auto event = weekly(s, "ended");
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event of a series", made.error());
    event.recurrence->rrule = "FREQ=WEEKLY;COUNT=2";
    const auto shorter = co_await change(s, made->event.id, event, made->event.etag);
    if (!shorter) co_return trouble("update_event of a series", shorter.error());
    if (auto problem = co_await compare(s, month(s), weeks(s, {0, 1}, "ended"))) co_return *problem;
    event.recurrence.reset();
    const auto single = co_await change(s, made->event.id, event, shorter->event.etag);
    if (!single) co_return trouble("update_event from a series to one event", single.error());
    if (auto problem = co_await compare(s, month(s), weeks(s, {0}, "ended"))) co_return *problem;
    co_return Finding{};
}

Task<Finding> exdate(Subject& s) {
    auto event = weekly(s, "except");
    event.recurrence->exdate = {at(day(s, 14), 9)};
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event of a series with an exception", made.error());
    if (auto problem = co_await compare(s, month(s), weeks(s, {0, 1, 3}, "except")))
        co_return *problem;
    co_return Finding{};
}

Task<Finding> changed_occurrence(Subject& s) {
    const auto made = co_await make(s, weekly(s, "plain"));
    if (!made) co_return trouble("create_event of a series", made.error());
    auto wanted = weeks(s, {0, 1, 3}, "plain");
    auto other = override_of(s, *made, 2, "other");
    other.start = at(day(s, 15), 16);
    other.finish = at(day(s, 15), 17);
    const auto written = co_await make(s, other);
    if (!written) co_return trouble("create_event of an override", written.error());
    if (const auto problem = difference(other, written->event))
        co_return wrong("the answer to the override: {}", *problem);
    if (written->event.series_id.empty() || !written->event.recurrence_id ||
        written->event.recurrence_id->instant != other.recurrence_id->instant)
        co_return wrong("the override does not say which occurrence it stands for");
    wanted.push_back(line(other.start, "other"));
    if (auto problem = co_await compare(s, month(s), wanted)) co_return *problem;

    other.title = fmt::format("{} again", tag(s));
    other.start = at(day(s, 14), 12);
    other.finish = at(day(s, 14), 13);
    wanted.back() = line(other.start, "again");
    const auto changed = co_await change(s, written->event.id, other, written->event.etag);
    if (!changed) co_return trouble("update_event of an override", changed.error());
    if (auto problem = co_await compare(s, month(s), wanted)) co_return *problem;
    co_return Finding{};
}

Task<Finding> cancelled_occurrence(Subject& s) {
    const auto made = co_await make(s, weekly(s, "rest"));
    if (!made) co_return trouble("create_event of a series", made.error());
    auto gone = override_of(s, *made, 1, "rest");
    gone.status = "cancelled";
    const auto written = co_await make(s, gone);
    if (!written) co_return trouble("create_event that takes a slot away", written.error());
    if (auto problem = co_await compare(s, month(s), weeks(s, {0, 2, 3}, "rest")))
        co_return *problem;
    // The other way: by the id that the occurrence has in the window.
    const auto listed = co_await list(s, s.provider, month(s));
    if (!listed) co_return trouble("list_events", listed.error());
    const auto slot = at(day(s, 14), 9).instant;
    const auto third = std::ranges::find_if(
        listed->events, [&](const Event& event) { return event.start.instant == slot; });
    if (third == listed->events.end()) co_return wrong("the window lost an occurrence");
    if (!s.provider.offers("list_events")) co_return Finding{};  // the id is the host's own
    if (auto deleted = co_await drop(s, third->id); !deleted)
        co_return trouble("delete_event of an occurrence", deleted.error());
    if (auto problem = co_await compare(s, month(s), weeks(s, {0, 3}, "rest"))) co_return *problem;
    co_return Finding{};
}

Task<Finding> feed_of_series(Subject& s) {
    if (!can(s, "incremental"))
        co_return lacking("The service has no change feed: can.incremental is not true.");
    const auto made = co_await make(s, weekly(s, "fed"));
    if (!made) co_return trouble("create_event of a series", made.error());
    const auto before = co_await pull(s, s.provider);
    if (!before) co_return trouble("list_changes", before.error());
    auto other = override_of(s, *made, 2, "fed other");
    other.start = at(day(s, 14), 18);
    other.finish = at(day(s, 14), 19);
    if (auto written = co_await make(s, other); !written)
        co_return trouble("create_event of an override", written.error());
    const auto after = co_await pull(s, s.provider, before->cursor);
    if (!after) co_return trouble("list_changes with a cursor", after.error());
    const bool is_told = std::ranges::any_of(
        after->events, [&](const Event& event) { return event.title == other.title; });
    if (!is_told) co_return wrong("the feed does not tell that an occurrence changed");
    if (auto gone = co_await drop(s, made->event.id); !gone)
        co_return trouble("delete_event of a series", gone.error());
    if (auto problem = co_await compare(s, month(s), {})) co_return *problem;
    co_return Finding{};
}

}  // namespace

std::vector<Check> series_checks() {
    return {{"a series is one event, and a window has its occurrences", whole_series},
            {"a series can be shortened, and become a single event", ended_series},
            {"an exception takes an occurrence away", exdate},
            {"an occurrence can change and move", changed_occurrence},
            {"an occurrence can be taken away", cancelled_occurrence},
            {"the feed tells of occurrences, and a series goes as a whole", feed_of_series}};
}

}  // namespace calhost::contract
