// providers/caldav writes to the real Radicale and Xandikos.
#include <fmt/format.h>

#include "calendar/zone.h"
#include "plugin/caldav_world.h"

using namespace calhost;
using namespace calhost::test;

namespace {

using Kind = CaldavServer::Kind;

calendar::EventTime berlin(const char* local) {
    return calendar::make_local(calendar::parse_local(local).value(), "Europe/Berlin").value();
}
calendar::EventTime day(const char* date) {
    return calendar::make_date(calendar::parse_date(date).value());
}
Timestamp utc(const char* text) { return parse_rfc3339(text).value(); }

calendar::Event lesson(const char* start = "2026-11-23T09:00:00",
                       const char* finish = "2026-11-23T10:00:00") {
    calendar::Event event;
    event.title = "Lesson";
    event.start = berlin(start);
    event.finish = berlin(finish);
    return event;
}

/// The provider's calls, each a success unless the test asks for the outcome.
struct World : CaldavWorld {
    explicit World(Kind kind) : CaldavWorld(kind) { discover(); }

    Result<plugin::Written> try_create(calendar::Event event, const std::string& key) {
        return wait(provider->create_event(access, calendar, std::move(event), key));
    }
    plugin::Written create(calendar::Event event, const std::string& key) {
        auto written = try_create(std::move(event), key);
        REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
        return std::move(*written);
    }
    Result<plugin::Written> try_update(const std::string& id, calendar::Event event,
                                       const std::string& etag = "") {
        return wait(provider->update_event(access, calendar, id, std::move(event), etag));
    }
    plugin::Written update(const std::string& id, calendar::Event event,
                           const std::string& etag = "") {
        auto written = try_update(id, std::move(event), etag);
        REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
        return std::move(*written);
    }
    std::string remove(const std::string& id, const std::string& etag = "") {
        return outcome_of(wait(provider->delete_event(access, calendar, id, etag)));
    }
    Result<calendar::Event> get(const std::string& id) {
        return wait(provider->get_event(access, calendar, id));
    }
    std::vector<calendar::Event> list(const char* from, const char* to) {
        auto found =
            wait(provider->list_events(access, calendar, {utc(from), utc(to)}, std::nullopt));
        REQUIRE_MESSAGE(found.has_value(), outcome_of(found));
        CHECK_FALSE(found->page.has_value());
        return std::move(found->events);
    }
    std::string starts(const char* from, const char* to) {
        std::string all;
        for (const auto& event : list(from, to))
            all += (event.is_all_day() ? calendar::format_date(event.start.date)
                                       : format_rfc3339(event.start.instant)) +
                   " ";
        return all;
    }
};

std::string code_of(const auto& result) { return std::string(to_string(result.error().code)); }

TEST_CASE("caldav: what is created is read back as it was written") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        auto wanted = lesson();
        wanted.title = "Größe; \"x\", \\ 日本語";
        wanted.description = std::string(8192, 'x') + "\nsecond\n\nlast ü";
        wanted.location = "Raum 1, hinten";
        wanted.url = "https://example.com/?a=1&b=2";
        wanted.busy = "tentative";
        wanted.status = "tentative";
        wanted.visibility = "private";
        wanted.categories = {"a b", "c"};
        wanted.color = "#a1b2c3";
        wanted.reminders = {{"email", 1440}, {"popup", 60}, {"popup", 15}, {"popup", 0}};
        wanted.marks = {{"calhost_key", "b-1"}, {"calhost_source_id", "Ä;,"}, {"other", "x"}};
        wanted.recurrence = calendar::Recurrence{"FREQ=WEEKLY;COUNT=4",
                                                 {berlin("2026-11-24T09:00:00")},
                                                 {berlin("2026-11-30T09:00:00")}};
        const auto written = world.create(wanted, "booking 1");
        CHECK(written.lossy.empty());
        CHECK_FALSE(written.event.etag.empty());
        CHECK(calendar::content_hash(written.event) == calendar::content_hash(wanted));
        CHECK(written.event.marks == wanted.marks);
        const auto read = world.get(written.event.id);
        REQUIRE_MESSAGE(read.has_value(), outcome_of(read));
        CHECK_MESSAGE(*read == written.event, "an 8 KB event differs");
        const auto text = world.stored(written.event.id);
        CHECK(text.contains("X-CALHOST-KEY:b-1\r\n"));
        CHECK(text.contains("TZID:Europe/Berlin"));
        CHECK(text.contains("TRIGGER:-P1D"));
        // The pull sees the same.
        const auto all = world.changes();
        REQUIRE(all->events.size() == 1);
        CHECK_MESSAGE(all->events.at(written.event.id) == written.event, "the pulled one differs");
    }
}

TEST_CASE("caldav: whole days and moments in UTC are created as such") {
    World world(Kind::radicale);
    auto whole = lesson();
    whole.start = day("2026-11-23"), whole.finish = day("2026-11-25");
    CHECK(world.create(whole, "1").event.start == whole.start);
    auto moment = lesson();
    moment.start = calendar::make_instant(utc("2026-11-23T08:00:00Z")).value();
    moment.finish = calendar::make_instant(utc("2026-11-23T08:30:00Z")).value();
    const auto event = world.create(moment, "2").event;
    CHECK(event.finish == moment.finish);
    CHECK_FALSE(world.stored(event.id).contains("VTIMEZONE"));
}

TEST_CASE("caldav: the same key again gives the same event, changed or moved to another name") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        const auto first = world.create(lesson(), "booking 1").event;
        auto changed = lesson();
        changed.title = "Changed";
        world.update(first.id, changed);
        CHECK(world.create(lesson(), "booking 1").event.id == first.id);
        CHECK(world.create(lesson(), "booking 1").event.title == "Changed");
        CHECK(world.create(lesson(), "booking 2").event.id != first.id);

        const auto text = world.stored(first.id);
        CHECK(world.remove(first.id) == "ok");
        CHECK(world.other("PUT", world.calendar + "elsewhere.ics", text) < 300);
        CHECK(world.create(lesson(), "booking 1").event.id == world.calendar + "elsewhere.ics");
        CHECK(world.changes()->events.size() == 2);

        CHECK(world.remove(world.calendar + "elsewhere.ics") == "ok");
        CHECK(world.create(lesson(), "booking 1").event.id == first.id);
    }
}

TEST_CASE("caldav: another program's event under the name that a key gives is not taken over") {
    World world(Kind::radicale);
    const auto first = world.create(lesson(), "booking 1").event;
    CHECK(world.remove(first.id) == "ok");
    world.put(first.id.substr(world.calendar.size()), single("foreign", "Theirs"));
    CHECK(code_of(world.try_create(lesson(), "booking 1")) == "already_exists");
    CHECK(world.get(first.id)->title == "Theirs");
}

TEST_CASE("caldav: a change keeps what the host does not know") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.put("a.ics",
                  "BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Old\r\n"
                  "DTSTART:20261123T080000Z\r\nDTEND:20261123T090000Z\r\nX-OWN:kept\r\n"
                  "GEO:1.5;2.5\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\n"
                  "TRIGGER:-PT5M\r\nUID:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\n");
        const auto id = world.calendar + "a.ics";
        const auto before = world.get(id).value();
        auto wanted = before;
        wanted.title = "New";
        wanted.reminders = {{"popup", 30}};
        const auto written = world.update(id, wanted, before.etag);
        CHECK(written.event.title == "New");
        CHECK(written.event.etag != before.etag);
        CHECK(written.lossy == std::vector<std::string>{"Reminders that other programs set stay."});
        const auto text = world.stored(id);
        for (const auto* line : {"X-OWN:kept", "GEO:1.5", "TRIGGER:-PT5M", "TRIGGER:-PT30M",
                                 "UID:alarm", "SUMMARY:New"})
            CHECK_MESSAGE(text.contains(line), line);

        // Ours goes, theirs stays.
        wanted.reminders.emplace();
        world.update(id, wanted);
        CHECK_FALSE(world.stored(id).contains("-PT30M"));
        CHECK(world.stored(id).contains("-PT5M"));
    }
}

TEST_CASE("caldav: a change of what changed meanwhile is a conflict, and nothing is overwritten") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.put("a.ics", single("a", "First"));
        const auto id = world.calendar + "a.ics";
        const auto before = world.get(id).value();
        world.put("a.ics", single("a", "Theirs"));
        auto wanted = before;
        wanted.title = "Ours";
        CHECK(code_of(world.try_update(id, wanted, before.etag)) == "conflict");
        CHECK(world.remove(id, before.etag).starts_with("conflict"));
        CHECK(world.get(id)->title == "Theirs");
        CHECK(world.update(id, wanted).event.title == "Ours");
        CHECK(world.remove(id, world.get(id)->etag) == "ok");
        CHECK(world.remove(id, before.etag) == "ok");
        CHECK(code_of(world.get(id)) == "not_found");
        CHECK(code_of(world.try_update(id, wanted)) == "not_found");
    }
}

TEST_CASE("caldav: one occurrence is changed, changed again, taken out and put back") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        auto series = lesson();
        series.recurrence = calendar::Recurrence{.rrule = "FREQ=DAILY;COUNT=4"};
        const auto id = world.create(series, "series").event.id;
        const auto days = [&] {
            return world.starts("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        };
        CHECK(days() ==
              "2026-11-23T08:00:00Z 2026-11-24T08:00:00Z 2026-11-25T08:00:00Z "
              "2026-11-26T08:00:00Z ");

        const auto slot = id + "_20261124T080000Z";
        CHECK(world.get(slot)->start == berlin("2026-11-24T09:00:00"));
        auto moved = lesson("2026-11-24T11:00:00", "2026-11-24T12:00:00");
        const auto override = world.update(slot, moved).event;
        CHECK(override.id == slot);
        CHECK(override.series_id == id);
        CHECK(override.recurrence_id == berlin("2026-11-24T09:00:00"));
        CHECK(days() ==
              "2026-11-23T08:00:00Z 2026-11-24T10:00:00Z 2026-11-25T08:00:00Z "
              "2026-11-26T08:00:00Z ");
        moved.title = "Again";
        CHECK(world.update(slot, moved, override.etag).event.title == "Again");
        CHECK(world.changes()->events.size() == 2);

        CHECK(world.remove(slot) == "ok");
        CHECK(world.remove(slot) == "ok");
        CHECK(code_of(world.get(slot)) == "not_found");
        CHECK(days() == "2026-11-23T08:00:00Z 2026-11-25T08:00:00Z 2026-11-26T08:00:00Z ");
        CHECK(world.changes()->events.size() == 1);

        // An override that the host itself creates, by series and slot.
        moved.series_id = id;
        moved.recurrence_id = berlin("2026-11-24T09:00:00");
        CHECK(world.create(moved, "override").event.id == slot);
        CHECK(world.create(moved, "override").event.id == slot);
        CHECK(days() ==
              "2026-11-23T08:00:00Z 2026-11-24T10:00:00Z 2026-11-25T08:00:00Z "
              "2026-11-26T08:00:00Z ");
        moved.status = "cancelled";
        CHECK(world.create(moved, "override").event.id == slot);
        CHECK(days() == "2026-11-23T08:00:00Z 2026-11-25T08:00:00Z 2026-11-26T08:00:00Z ");
        CHECK(code_of(world.try_update(id + "_20261201T080000Z", moved)) == "not_found");
        CHECK(world.remove(id + "_20261201T080000Z") == "ok");
    }
}

TEST_CASE("caldav: a resource with one override and no series goes with it") {
    World world(Kind::xandikos);
    world.put("o.ics",
              "BEGIN:VEVENT\r\nUID:o\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Invited once\r\n"
              "RECURRENCE-ID:20261124T080000Z\r\nDTSTART:20261124T090000Z\r\n"
              "DTEND:20261124T100000Z\r\nEND:VEVENT\r\n");
    const auto id = world.calendar + "o.ics_20261124T080000Z";
    CHECK(world.changes()->events.contains(id));
    CHECK(world.starts("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z") == "2026-11-24T09:00:00Z ");
    CHECK(world.remove(id) == "ok");
    CHECK(world.other("GET", world.calendar + "o.ics") == 404);
    CHECK(world.remove(id) == "ok");
}

TEST_CASE("caldav: a resource that is named like an occurrence is one all the same") {
    World world(Kind::radicale);
    world.put("note_20261124", single("n", "Note"));
    const auto id = world.calendar + "note_20261124";
    CHECK(world.get(id)->title == "Note");
    auto wanted = world.get(id).value();
    wanted.title = "Other";
    CHECK(world.update(id, wanted).event.id == id);
    CHECK(world.remove(id) == "ok");
    CHECK(world.other("GET", id) == 404);
}

TEST_CASE("caldav: a window holds the occurrences inside it and nothing else") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        auto series = lesson();
        series.recurrence = calendar::Recurrence{.rrule = "FREQ=WEEKLY"};
        const auto id = world.create(series, "s").event.id;
        world.create(lesson("2027-02-02T09:00:00", "2027-02-02T10:00:00"), "inside");
        world.create(lesson("2027-03-02T09:00:00", "2027-03-02T10:00:00"), "later");
        world.update(id + "_20270208T080000Z",
                     lesson("2027-02-09T09:00:00", "2027-02-09T10:00:00"));
        const auto found = world.list("2027-02-01T00:00:00Z", "2027-02-16T00:00:00Z");
        REQUIRE(found.size() == 4);
        CHECK(found[0].id == id + "_20270201T080000Z");
        CHECK(found[0].series_id == id);
        CHECK(found[1].title == "Lesson");
        CHECK(found[2].id == id + "_20270208T080000Z");
        CHECK(format_rfc3339(found[2].start.instant) == "2027-02-09T08:00:00Z");
        CHECK(found[3].id == id + "_20270215T080000Z");
        const auto busy = world.wait(
            world.provider->busy(world.access, {world.calendar},
                                 {utc("2027-02-01T00:00:00Z"), utc("2027-02-03T00:00:00Z")}));
        REQUIRE_MESSAGE(busy.has_value(), outcome_of(busy));
        CHECK(busy->size() == 2);
    }
}

TEST_CASE("caldav: guests of an event that the host changes get no mail") {
    World world(Kind::radicale);
    world.put("m.ics",
              "BEGIN:VEVENT\r\nUID:m\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Meeting\r\n"
              "DTSTART:20261123T080000Z\r\nDTEND:20261123T090000Z\r\n"
              "ORGANIZER:mailto:ann@example.com\r\nATTENDEE;CN=Bob:mailto:bob@example.com\r\n"
              "END:VEVENT\r\n");
    world.access.home.data["email"] = "ann@example.com";
    auto wanted = world.get(world.calendar + "m.ics").value();
    wanted.title = "Moved";
    CHECK(world.update(wanted.id, wanted).event.attendees.size() == 1);
    const auto text = world.stored(wanted.id);
    CHECK(text.contains("SCHEDULE-AGENT=CLIENT:mailto:bob@example.com"));
    CHECK(text.contains("ORGANIZER:mailto:ann@example.com"));
}

TEST_CASE("caldav: guests are written as the account's own, and get no mail") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        World world(kind);
        world.access.home.data["email"] = "ann@example.com";
        auto wanted = lesson();
        wanted.sets_attendees = true;
        wanted.attendees = {{.email = "bob@example.com", .name = "Bob", .role = "optional"}};
        const auto made = world.create(wanted, "guests");
        CHECK(made.lossy.empty());
        const auto text = world.stored(made.event.id);
        CHECK(text.contains("ORGANIZER:mailto:ann@example.com"));
        CHECK(text.contains("SCHEDULE-AGENT=CLIENT"));
        wanted.sets_attendees = false;
        wanted.title = "Moved";
        CHECK(world.update(made.event.id, wanted).event.attendees.size() == 1);
        wanted.sets_attendees = true;
        wanted.attendees[0].email = "carol@example.com";
        CHECK(world.update(made.event.id, wanted).event.attendees.at(0).email ==
              "carol@example.com");
        wanted.attendees.clear();
        CHECK(world.update(made.event.id, wanted).event.attendees.empty());
        CHECK_FALSE(world.stored(made.event.id).contains("ORGANIZER"));
    }
}

TEST_CASE("caldav: without an address of the account there is nobody who could invite") {
    World world(Kind::radicale);
    world.access.home.data.erase("email");
    auto wanted = lesson();
    wanted.sets_attendees = true;
    wanted.attendees = {{.email = "bob@example.com"}};
    const auto made = world.create(wanted, "guests");
    CHECK(made.event.attendees.empty());
    CHECK(made.lossy == std::vector<std::string>{"The guests are left out: the account has no "
                                                 "e-mail address that could invite them."});
}

TEST_CASE("caldav: a change of all later occurrences stays one when its series is changed") {
    World world(Kind::radicale);
    world.put("r.ics",
              "BEGIN:VEVENT\r\nUID:r\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Series\r\n"
              "DTSTART:20261123T080000Z\r\nDTEND:20261123T090000Z\r\nRRULE:FREQ=DAILY;COUNT=4\r\n"
              "END:VEVENT\r\n"
              "BEGIN:VEVENT\r\nUID:r\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Later\r\n"
              "RECURRENCE-ID;RANGE=THISANDFUTURE:20261124T080000Z\r\n"
              "DTSTART:20261124T100000Z\r\nDTEND:20261124T103000Z\r\nEND:VEVENT\r\n");
    const auto id = world.calendar + "r.ics";
    const auto days = [&] { return world.starts("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"); };
    CHECK(days() ==
          "2026-11-23T08:00:00Z 2026-11-24T10:00:00Z 2026-11-25T10:00:00Z "
          "2026-11-26T10:00:00Z ");
    auto wanted = world.get(id).value();
    wanted.title = "Renamed";
    world.update(id, wanted);
    CHECK(world.stored(id).contains("RECURRENCE-ID;RANGE=THISANDFUTURE:20261124T080000Z"));
    // Taken out where the change begins, it goes on from the next occurrence.
    CHECK(world.remove(id + "_20261124T080000Z") == "ok");
    CHECK(days() == "2026-11-23T08:00:00Z 2026-11-25T10:00:00Z 2026-11-26T10:00:00Z ");
    CHECK(world.get(id + "_20261126T080000Z")->title == "Later");
}

}  // namespace
