#include "sandbox/instances.h"

#include "base/json.h"
#include "sandbox/times.h"

namespace calhost::sandbox {

std::vector<Instance> expand_series(const Calendar& calendar, const Row& series,
                                    calendar::Window window, bool with_cancelled) {
    std::vector<Instance> instances;
    for (const auto& event : expand_rows(calendar, series, window)) {
        const auto* own = calendar.events.find(event.id);
        const auto start = moment_of(event.start, calendar.zone);
        // A plain occurrence starts where the rule says, so its start is its original start.
        instances.push_back({own != nullptr ? own->body
                                            : make_instance(series, event.start, event.start,
                                                            event.finish, calendar.zone),
                             start, false});
    }
    if (with_cancelled)
        for (const auto* row : calendar.events.overrides_of(series.event.id))
            if (row->is_cancelled() && overlaps(row->event, window, calendar.zone))
                instances.push_back({present_cancelled(row->body),
                                     moment_of(row->event.start, calendar.zone), true});
    return instances;
}

std::optional<json::object> find_body(const Calendar& calendar, const std::string& id) {
    if (const auto* row = calendar.events.find(id)) return row->body;
    const auto occurrence = find_occurrence(calendar, id);
    if (!occurrence) return std::nullopt;
    const auto& start = occurrence->start;
    return make_instance(*occurrence->series, start, start, occurrence->finish, calendar.zone);
}

}  // namespace calhost::sandbox
