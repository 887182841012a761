// A person's bookings as an iCalendar file.
#include "booking/office.h"
#include "calendar/icalendar.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// Makes the person's feed and gives its path on the host.
std::string make_feed(Office& office, const net::Headers& who) {
    const auto made = office.host.call("POST", "/api/calendar/feed", who);
    REQUIRE(made.status == 201);
    return TestHost::text(made, "url").substr(kHostUrl.size());
}

}  // namespace

TEST_CASE("feed: valid iCalendar with stable UIDs, and 304 until something changes") {
    Office office;
    office.put(office.lesson());
    office.put(office.lesson({{"status", "cancelled"}}), "gone");
    office.put(office.lesson({{"status", "pending"}}), "maybe");
    const auto path = make_feed(office, office.ada);
    const auto first = office.host.call("GET", path);
    CHECK(first.status == 200);
    CHECK(first.headers.get("Content-Type") == "text/calendar; charset=utf-8");
    const auto read = must(calendar::read_icalendar(first.body));
    REQUIRE(read.events.size() == 1);
    CHECK(read.warnings.empty());
    CHECK(read.events[0].title == "Algebra with Bob");
    CHECK(read.events[0].uid == "booking-1@host.test");

    office.host.time.advance(std::chrono::hours{1});
    const std::string tag(first.headers.get("ETag"));
    const auto unchanged = office.host.call("GET", path, {{"If-None-Match", tag}});
    CHECK(unchanged.status == 304);
    CHECK(unchanged.body.empty());
    office.put(office.lesson({{"title", "Geometry"}}));
    const auto changed = office.host.call("GET", path, {{"If-None-Match", tag}});
    CHECK(changed.status == 200);
    CHECK(must(calendar::read_icalendar(changed.body)).events.at(0).uid == read.events[0].uid);
}

TEST_CASE("feed: each person has his own, a new address ends the old one, and no other opens it") {
    Office office;
    office.put(office.lesson());
    const auto old = make_feed(office, office.ada);
    const auto path = make_feed(office, office.ada);
    CHECK(old != path);
    CHECK(office.host.call("GET", old).status == 404);
    CHECK(office.host.call("GET", path).status == 200);
    CHECK(office.host.call("GET", "/api/calendar/feed/x.ics").status == 404);
    CHECK(office.host.call("POST", "/api/calendar/feed").status == 401);
    const auto bobs = office.host.call("GET", make_feed(office, office.bob));
    CHECK(bobs.body.contains("Algebra with Ada"));
    CHECK(count_in_store(office.host, "SELECT count(*) FROM booking_feeds WHERE hash = '" +
                                          path.substr(path.rfind('/') + 1) + "'") == 0);
}
