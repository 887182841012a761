#include "sandbox/occurrences.h"

#include <algorithm>

#include "calendar/recurrence.h"
#include "calendar/recurrence_lines.h"
#include "calendar/zone.h"

namespace calhost::sandbox {
namespace {

/// The original start that the tail of an instance id names.
std::optional<calendar::EventTime> read_slot(std::string_view tail, const calendar::Event& series) {
    const auto text = [&](std::size_t at, std::size_t size) {
        return std::string(tail.substr(at, size));
    };
    if (series.start.is_date) {
        if (tail.size() != 8) return std::nullopt;
        const auto date = calendar::parse_date(text(0, 4) + "-" + text(4, 2) + "-" + text(6, 2));
        if (!date) return std::nullopt;
        return calendar::make_date(*date);
    }
    if (tail.size() != 16) return std::nullopt;
    const auto instant = parse_rfc3339(text(0, 4) + "-" + text(4, 2) + "-" + text(6, 5) + ":" +
                                       text(11, 2) + ":" + text(13, 3));
    if (!instant) return std::nullopt;
    const auto time = calendar::make_instant(*instant, series.start.zone);
    if (!time) return std::nullopt;
    return *time;
}

}  // namespace

Timestamp moment_of(const calendar::EventTime& time, std::string_view zone) {
    if (!time.is_date) return time.instant;
    const auto local = std::chrono::local_seconds(std::chrono::local_days(time.date));
    return calendar::to_instant(local, zone).value_or(time.instant);
}

bool overlaps(const calendar::Event& event, calendar::Window window, std::string_view zone) {
    const auto start = moment_of(event.start, zone);
    return start < window.finish && moment_of(event.finish, zone) > window.start;
}

std::string slot_name(const calendar::EventTime& original_start) {
    return calendar::format_basic_time(original_start);
}

std::vector<calendar::Event> expand_rows(const Calendar& calendar, const Row& series,
                                         calendar::Window window) {
    std::vector<calendar::Event> rows{series.event};
    for (const auto* row : calendar.events.overrides_of(series.event.id))
        rows.push_back(row->event);
    return calendar::expand(rows, window, calendar.zone).events;
}

bool has_slot(const Calendar& calendar, const Row& series,
              const calendar::EventTime& original_start) {
    calendar::Event master = series.event;
    master.status = "confirmed";
    const auto at = moment_of(original_start, calendar.zone);
    const milliseconds tick{1};
    const auto expansion = calendar::expand({master}, {at - tick, at + tick}, calendar.zone);
    return std::ranges::any_of(expansion.events, [&](const calendar::Event& event) {
        return slot_name(event.start) == slot_name(original_start);
    });
}

std::optional<Occurrence> find_occurrence(const Calendar& calendar, const std::string& id) {
    const auto bar = id.rfind('_');
    if (bar == std::string::npos) return std::nullopt;
    const auto* series = calendar.events.find(id.substr(0, bar));
    if (series == nullptr || series->is_cancelled() || !series->event.is_series())
        return std::nullopt;
    const auto slot = read_slot(std::string_view(id).substr(bar + 1), series->event);
    if (!slot || !has_slot(calendar, *series, *slot)) return std::nullopt;
    calendar::EventTime finish = series->event.finish;
    if (slot->is_date) {
        const auto days = std::chrono::sys_days(series->event.finish.date) -
                          std::chrono::sys_days(series->event.start.date);
        finish = calendar::make_date(std::chrono::sys_days(slot->date) + days);
    } else {
        // The length is by the wall clock, as for every occurrence.
        const auto local = slot->local + (finish.local - series->event.start.local);
        finish = calendar::make_local(local, finish.zone).value_or(finish);
    }
    return Occurrence{series, *slot, finish};
}

}  // namespace calhost::sandbox
