// Recurrence as property lines. The first byte chooses the series' start.
#include "calendar/recurrence.h"

#include <algorithm>
#include <ranges>

#include "calendar/recurrence_lines.h"
#include "fuzz/check.h"

using namespace calhost;
using namespace calhost::calendar;

namespace {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (const auto line : text | std::views::split('\n'))
        lines.emplace_back(line.begin(), line.end());
    return lines;
}

EventTime start_of(unsigned char choice) {
    constexpr std::array starts{"20260115T090000", "20240229", "20250330T023000",
                                "19700101T000000Z"};
    constexpr std::array zones{"Europe/Berlin", "America/St_Johns", "Etc/UTC", "Pacific/Apia"};
    return parse_basic_time(starts[choice % 4], zones[choice / 4 % 4]).value();
}

void check_expansion(const Event& series) {
    const Window window{parse_rfc3339("2026-01-01T00:00:00Z").value(),
                        parse_rfc3339("2027-01-01T00:00:00Z").value()};
    const auto found = expand({series}, window, "Europe/Berlin");
    fuzz::promise(found.events.size() <= kMaxOccurrences, "occurrences are limited");
    fuzz::promise(std::ranges::is_sorted(found.events, {},
                                         [](const Event& event) { return event.start.instant; }),
                  "occurrences stand in order");
    const auto end = series_end(series);
    if (!end || !*end) return;
    for (const auto& event : found.events)
        fuzz::promise(event.start.instant <= **end, "a series ends no earlier than its last one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    if (size == 0) return 0;
    Event series{.id = "s", .uid = "s", .title = "t", .start = start_of(bytes[0])};
    series.finish = series.start;
    const auto lines = lines_of(fuzz::to_text(bytes + 1, size - 1));
    const auto recurrence = parse_recurrence_lines(lines, series.start.zone);
    if (!recurrence) return 0;
    series.recurrence = *recurrence;
    check_expansion(series);
    const auto again = parse_recurrence_lines(format_recurrence_lines(*recurrence), "Etc/UTC");
    fuzz::promise(again && again->rrule == recurrence->rrule, "a written rule is the rule");
    return 0;
}
