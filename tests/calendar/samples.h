/// Events and times that the tests of this room write in short.
#pragma once

#include <doctest/doctest.h>

#include "calendar/recurrence.h"
#include "calendar/zone.h"

namespace calhost::calendar::test {

inline EventTime timed(std::string_view local, std::string zone = "Europe/Berlin") {
    return make_local(parse_local(local).value(), std::move(zone)).value();
}
inline EventTime day(std::string_view date) { return make_date(parse_date(date).value()); }

inline Timestamp utc(std::string_view text) { return parse_rfc3339(text).value(); }

inline Event event(std::string id, EventTime start, EventTime finish) {
    Event event;
    event.id = std::move(id);
    event.title = "Talk";
    event.start = std::move(start);
    event.finish = std::move(finish);
    return event;
}

inline Event series(EventTime start, EventTime finish, std::string rrule) {
    auto row = event("s", std::move(start), std::move(finish));
    row.recurrence.emplace().rrule = std::move(rrule);
    return row;
}

/// The starts of what happens, as text: moments in UTC, or dates.
inline std::vector<std::string> starts(const Expansion& expansion) {
    std::vector<std::string> out;
    out.reserve(expansion.events.size());
    for (const auto& row : expansion.events)
        out.push_back(row.is_all_day() ? format_date(row.start.date)
                                       : format_rfc3339(row.start.instant));
    return out;
}

inline std::vector<std::string> starts(const std::vector<Event>& rows, std::string_view from,
                                       std::string_view to) {
    return starts(expand(rows, {utc(from), utc(to)}));
}

using Texts = std::vector<std::string>;

}  // namespace calhost::calendar::test
