#include "sandbox/instances.h"

#include <algorithm>

#include "base/json.h"
#include "calendar/recurrence.h"
#include "calendar/zone.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

bool overlaps(const Row& row, calendar::Window window, std::string_view zone) {
    const auto start = moment_of(row.event.start, zone);
    return start < window.finish && moment_of(row.event.finish, zone) > window.start;
}

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

std::vector<Instance> expand_series(const Calendar& calendar, const Row& series,
                                    calendar::Window window, bool with_cancelled) {
    std::vector<calendar::Event> rows{series.event};
    const auto overrides = calendar.events.overrides_of(series.event.id);
    for (const auto* row : overrides) rows.push_back(row->event);
    std::vector<Instance> instances;
    for (const auto& event : calendar::expand(rows, window, calendar.zone).events) {
        const auto* own = calendar.events.find(event.id);
        const auto start = moment_of(event.start, calendar.zone);
        // A plain occurrence starts where the rule says, so its start is its original start.
        instances.push_back({own != nullptr ? own->body
                                            : make_instance(series, event.start, event.start,
                                                            event.finish, calendar.zone),
                             start, false});
    }
    if (with_cancelled)
        for (const auto* row : overrides)
            if (row->is_cancelled() && overlaps(*row, window, calendar.zone))
                instances.push_back({present_cancelled(row->body),
                                     moment_of(row->event.start, calendar.zone), true});
    return instances;
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

std::optional<json::object> find_body(const Calendar& calendar, const std::string& id) {
    if (const auto* row = calendar.events.find(id)) return row->body;
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
    return make_instance(*series, *slot, *slot, finish, calendar.zone);
}

}  // namespace calhost::sandbox
