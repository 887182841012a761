// When a calendar is busy, from its occurrences.
#include <doctest/doctest.h>

#include "calendar/busy.h"
#include "calendar/zone.h"

using namespace calhost;
using namespace calhost::calendar;

namespace {

Timestamp moment(std::string_view text) { return parse_rfc3339(text).value(); }

Event timed(std::string_view start, std::string_view finish) {
    Event event{.id = "e"};
    event.start = make_instant(moment(start)).value();
    event.finish = make_instant(moment(finish)).value();
    return event;
}

std::string told(const std::vector<Window>& times) {
    std::string text;
    for (const auto& time : times)
        text += format_rfc3339(time.start) + "/" + format_rfc3339(time.finish) + " ";
    return text;
}

TEST_CASE("busy: free, cancelled and declined events leave their time, tentative ones take it") {
    const auto base = timed("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z");
    CHECK(blocks_time(base));
    auto event = base;
    event.busy = "free";
    CHECK_FALSE(blocks_time(event));
    event.busy = "tentative";
    CHECK(blocks_time(event));
    event.status = "cancelled";
    CHECK_FALSE(blocks_time(event));
    event = base;
    event.attendees = {{.email = "x@y.example", .response = "declined"}};
    CHECK(blocks_time(event));
    event.attendees[0].is_self = true;
    CHECK_FALSE(blocks_time(event));
}

TEST_CASE("busy: times are cut to the window, sorted, and joined where they touch") {
    const std::vector<Event> events{timed("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"),
                                    timed("2026-11-20T08:00:00Z", "2026-11-20T10:00:00Z"),
                                    timed("2026-11-20T10:00:00Z", "2026-11-20T10:30:00Z"),
                                    timed("2026-11-20T09:30:00Z", "2026-11-20T09:45:00Z"),
                                    timed("2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z")};
    CHECK(told(busy_windows(events,
                            {moment("2026-11-20T09:00:00Z"), moment("2026-11-20T12:30:00Z")})) ==
          "2026-11-20T09:00:00Z/2026-11-20T10:30:00Z 2026-11-20T12:00:00Z/2026-11-20T12:30:00Z ");
}

TEST_CASE("busy: a whole day goes from midnight to midnight in the calendar's zone") {
    Event event{.id = "e"};
    event.start = make_date(parse_date("2026-03-29").value());
    event.finish = make_date(parse_date("2026-03-30").value());
    const Window window{moment("2026-03-01T00:00:00Z"), moment("2026-04-30T00:00:00Z")};
    CHECK(told(busy_windows({event}, window, "Europe/Berlin")) ==
          "2026-03-28T23:00:00Z/2026-03-29T22:00:00Z ");
    CHECK(told(busy_windows({event}, window, "No/Where")) ==
          "2026-03-29T00:00:00Z/2026-03-30T00:00:00Z ");
}

}  // namespace
