// providers/caldav reads what the real Radicale and Xandikos hold.
#include "plugin/caldav_world.h"

using namespace calhost;
using namespace calhost::test;

namespace {

using World = CaldavWorld;
using Kind = CaldavServer::Kind;

const std::string kSeries =
    "BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Series\r\n"
    "DTSTART;VALUE=DATE:20261123\r\nDTEND;VALUE=DATE:20261124\r\nRRULE:FREQ=DAILY;COUNT=4\r\n"
    "END:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Moved\r\n"
    "RECURRENCE-ID;VALUE=DATE:20261124\r\nDTSTART;VALUE=DATE:20261130\r\n"
    "DTEND;VALUE=DATE:20261201\r\nEND:VEVENT\r\n";

TEST_CASE("caldav: an address leads to the account and to the calendars that hold events") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        const auto identity = world.wait(world.provider->identity(world.access));
        REQUIRE_MESSAGE(identity.has_value(), outcome_of(identity));
        CHECK_FALSE(identity->id.empty());
        const auto calendars = world.wait(world.provider->list_calendars(world.access));
        REQUIRE_MESSAGE(calendars.has_value(), outcome_of(calendars));
        REQUIRE(calendars->size() == 1);
        const auto& found = calendars->front();
        CHECK(found.id == world.calendar);
        CHECK(found.is_primary);
        CHECK_FALSE(found.is_read_only);
        if (kind == Kind::radicale) {
            CHECK(found.name == "Wörk");
            CHECK(found.color == "#FF8800");
        }
    }
}

TEST_CASE(
    "caldav: a user name that is an address is the account's address where no other is known") {
    for (const std::string name : {"ann@example.com", "ann"}) {
        CaldavWorld world(Kind::radicale);
        world.access.home.data["username"] = name;
        world.discover();
        CHECK(world.access.home.data.contains("email") == (name != "ann"));
    }
}

TEST_CASE("caldav: changes come once, deletions too, series with their overrides") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        world.put("a.ics", single("a", "First"));
        world.put("s.ics", kSeries);
        auto all = world.changes();
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        const auto at = [&](const std::string& name) {
            return all->events.at(world.calendar + name);
        };
        REQUIRE(all->events.size() == 3);
        CHECK(at("a.ics").title == "First");
        CHECK_FALSE(at("a.ics").etag.empty());
        CHECK(at("s.ics").recurrence->rrule == "FREQ=DAILY;COUNT=4");
        CHECK(all->whole.contains(world.calendar + "s.ics"));
        const auto moved = at("s.ics_20261124");
        CHECK(moved.series_id == world.calendar + "s.ics");
        CHECK(moved.title == "Moved");

        all = world.changes(all->cursor);
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.empty());
        CHECK(all->deleted.empty());

        world.put("a.ics", single("a", "Second"));
        world.put("%C3%BC%20b.ics", single("b", "Näu"));
        CHECK(world.other("DELETE", world.calendar + "s.ics") < 300);
        all = world.changes(all->cursor);
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.size() == 2);
        CHECK(at("a.ics").title == "Second");
        CHECK(at("%C3%BC%20b.ics").title == "Näu");
        CHECK(all->deleted == std::set<std::string>{world.calendar + "s.ics"});
    }
}

TEST_CASE("caldav: a token that the server does not know means a full pull") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        for (const std::string cursor : {"sync:http://radicale.org/ns/sync/0000", "sync:bogus"})
            CHECK(to_string(world.changes(cursor).error().code) == "cursor_expired");
    }
}

TEST_CASE("caldav: without sync-collection the etags tell what changed") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        world.put("a.ics", single("a", "First"));
        world.put("b.ics", single("b", "Stays"));
        auto all = world.changes(R"(etags:{"etags":{}})");
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.size() == 2);
        CHECK(all->cursor.starts_with("etags:"));
        world.put("a.ics", single("a", "Second"));
        world.put("c.ics", single("c", "New"));
        CHECK(world.other("DELETE", world.calendar + "b.ics") < 300);
        all = world.changes(all->cursor);
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.size() == 2);
        CHECK(all->events.at(world.calendar + "a.ics").title == "Second");
        CHECK(all->deleted == std::set<std::string>{world.calendar + "b.ics"});
        CHECK(world.changes(all->cursor)->events.empty());
    }
}

TEST_CASE("caldav: a wrong password is no lost account and no address that is forbidden") {
    World world(Kind::radicale);
    world.access.password = "ann:wrong";
    CHECK(to_string(world.wait(world.provider->discover(world.access)).error().code) ==
          "needs_reauth");
}

}  // namespace
