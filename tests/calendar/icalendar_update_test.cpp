// What stays and what changes when an event is put into the text in which it is stored.
#include <doctest/doctest.h>

#include <algorithm>

#include "calendar/icalendar.h"
#include "calendar/zone.h"

using namespace calhost;
using namespace calhost::calendar;

namespace {

/// What another program stored: a zone by its own name, alarms, and much that the model lacks.
const std::string kStored =
    "BEGIN:VCALENDAR\r\n"
    "VERSION:2.0\r\n"
    "PRODID:-//Other//App//EN\r\n"
    "X-OWN-CALENDAR:kept\r\n"
    "BEGIN:VTIMEZONE\r\n"
    "TZID:W. Europe Standard Time\r\n"
    "BEGIN:STANDARD\r\n"
    "DTSTART:19701025T030000\r\n"
    "TZOFFSETFROM:+0200\r\n"
    "TZOFFSETTO:+0100\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
    "END:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\n"
    "DTSTART:19700329T020000\r\n"
    "TZOFFSETFROM:+0100\r\n"
    "TZOFFSETTO:+0200\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
    "END:DAYLIGHT\r\n"
    "END:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\n"
    "UID:series@other\r\n"
    "DTSTAMP:20260101T000000Z\r\n"
    "DTSTART;TZID=W. Europe Standard Time:20261123T090000\r\n"
    "DURATION:PT1H\r\n"
    "RRULE:FREQ=DAILY;COUNT=5\r\n"
    "EXDATE;TZID=W. Europe Standard Time:20261125T090000\r\n"
    "SUMMARY;LANGUAGE=de:Besprechung\r\n"
    "LOCATION:Raum 1\r\n"
    "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR;X-P=\"a;b\":AUTOMATIC\r\n"
    "ORGANIZER;CN=Ann:mailto:ann@example.com\r\n"
    "ATTENDEE;CN=Bob;X-NUM-GUESTS=0;PARTSTAT=ACCEPTED:mailto:bob@example.com\r\n"
    "CLASS:PRIVATE\r\n"
    "BEGIN:VALARM\r\n"
    "ACTION:DISPLAY\r\n"
    "TRIGGER:-PT15M\r\n"
    "X-WR-ALARMUID:alarm-1\r\n"
    "END:VALARM\r\n"
    "BEGIN:VALARM\r\n"
    "ACTION:AUDIO\r\n"
    "TRIGGER;RELATED=END:PT5M\r\n"
    "END:VALARM\r\n"
    "END:VEVENT\r\n"
    "BEGIN:VEVENT\r\n"
    "UID:series@other\r\n"
    "RECURRENCE-ID;TZID=W. Europe Standard Time:20261124T090000\r\n"
    "DTSTART;TZID=W. Europe Standard Time:20261124T110000\r\n"
    "DTEND;TZID=W. Europe Standard Time:20261124T120000\r\n"
    "SUMMARY:moved\r\n"
    "X-OVERRIDE:kept\r\n"
    "END:VEVENT\r\n"
    "END:VCALENDAR\r\n";

std::vector<Event> events_of(std::string_view text) { return read_icalendar(text).value().events; }

/// The lines that only one of them has: "-gone|+new", sorted.
std::string difference(std::string_view before, std::string_view after) {
    const auto lines = [](std::string_view text) {
        std::vector<std::string> all;
        while (!text.empty()) {
            const auto end = text.find("\r\n");
            all.emplace_back(text.substr(0, end));
            text.remove_prefix(std::min(end == text.npos ? end : end + 2, text.size()));
        }
        return all;
    };
    auto gone = lines(before);
    std::vector<std::string> changes;
    for (const auto& line : lines(after))
        if (const auto same = std::ranges::find(gone, line); same != gone.end())
            gone.erase(same);
        else
            changes.push_back("+" + line);
    for (const auto& line : gone) changes.push_back("-" + line);
    std::ranges::sort(changes);
    std::string all;
    for (const auto& change : changes) all += (all.empty() ? "" : "|") + change;
    return all;
}

EventTime berlin(const char* local) {
    return make_local(parse_local(local).value(), "Europe/Berlin").value();
}

TEST_CASE("update: an event as it was read changes no line") {
    for (const auto& event : events_of(kStored))
        CHECK(difference(kStored, update_icalendar(kStored, event).value()) == "");
}

TEST_CASE("update: only the lines of what differs are replaced") {
    struct Case {
        const char* name;
        void (*change)(Event&);
        const char* lines;
    };
    const Case cases[] = {
        {"title", [](Event& e) { e.title = "Neu, später"; },
         "+SUMMARY:Neu\\, später|-SUMMARY;LANGUAGE=de:Besprechung"},
        {"no location", [](Event& e) { e.location.clear(); }, "-LOCATION:Raum 1"},
        {"free", [](Event& e) { e.busy = "free"; }, "+TRANSP:TRANSPARENT"},
        {"visibility", [](Event& e) { e.visibility = "public"; }, "+CLASS:PUBLIC|-CLASS:PRIVATE"},
        {"alarms", [](Event& e) { e.reminders = {{"popup", 30}}; },
         "+ACTION:DISPLAY|+BEGIN:VALARM|+DESCRIPTION:Besprechung|+END:VALARM|+TRIGGER:-PT30M|"
         "+X-CALHOST-ALARM:1"},
        {"alarms that are there", [](Event& e) { e.reminders = {{"popup", 15}}; }, ""},
        {"no alarms said", [](Event& e) { e.reminders.reset(); }, ""},
        {"people stay", [](Event& e) { e.attendees.clear(), e.organizer = "x@example.com"; }, ""},
        {"names stay", [](Event& e) { e.uid = "x", e.id = "/a.ics", e.etag = "\"1\""; }, ""},
        {"mark", [](Event& e) { e.marks["calhost"] = "7"; },
         "+X-CALHOST-EVENT:{\"marks\":{\"calhost\":\"7\"}}"},
        {"our mark", [](Event& e) { e.marks["calhost_source_id"] = "a,7"; },
         "+X-CALHOST-SOURCE-ID:a\\,7"},
        {"no categories said", [](Event& e) { e.categories.clear(), e.color.clear(); }, ""}};
    for (const auto& row : cases) {
        CAPTURE(row.name);
        auto event = events_of(kStored).at(0);
        row.change(event);
        const auto text = update_icalendar(kStored, event).value();
        CHECK(difference(kStored, text) == row.lines);
        CHECK(events_of(text).size() == 2);
        CHECK(events_of(text).at(0).marks == event.marks);
    }
}

TEST_CASE("update: another start brings the zone that it needs, beside the one that is there") {
    auto event = events_of(kStored).at(0);
    event.start = berlin("2026-11-23T10:00:00");
    event.finish = berlin("2026-11-23T10:30:00");
    const auto text = update_icalendar(kStored, event).value();
    CHECK(text.contains("DTSTART;TZID=Europe/Berlin:20261123T100000"));
    CHECK(text.contains("TZID:Europe/Berlin\r\n"));
    CHECK(text.contains("TZID:W. Europe Standard Time\r\n"));
    CHECK_FALSE(text.contains("DURATION:PT1H"));
    const auto again = events_of(text).at(0);
    CHECK(again.start == event.start);
    CHECK(again.finish == event.finish);
    CHECK(again.recurrence == event.recurrence);
    // Changed once more, it brings no second one.
    event.finish = berlin("2026-11-23T11:00:00");
    CHECK(difference(text, update_icalendar(text, event).value()).find("VTIMEZONE") ==
          std::string::npos);
}

TEST_CASE("update: an override is found by its slot, and its series stays") {
    auto moved = events_of(kStored).at(1);
    moved.title = "moved again";
    CHECK(difference(kStored, update_icalendar(kStored, moved).value()) ==
          "+SUMMARY:moved again|-SUMMARY:moved");
}

TEST_CASE("update: an override that is new joins its series under the series' UID") {
    auto event = events_of(kStored).at(1);
    event.recurrence_id = berlin("2026-11-26T09:00:00");
    event.uid = event.series_id = "/cal/series.ics";
    const auto events = events_of(update_icalendar(kStored, event).value());
    REQUIRE(events.size() == 3);
    const auto added = std::ranges::find(events, event.recurrence_id, &Event::recurrence_id);
    REQUIRE(added != events.end());
    CHECK(added->uid == "series@other");
    CHECK(added->start == event.start);
}

TEST_CASE("update: what is not stored there is not found") {
    auto lonely = events_of(kStored).at(1);
    const std::string zones_only = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n";
    CHECK(update_icalendar(zones_only, lonely).error().code == ErrorCode::not_found);
    CHECK(update_icalendar("<html>", lonely).error().code == ErrorCode::invalid);
}

TEST_CASE("exclude: the slot joins the exceptions, and its override goes") {
    const auto now = parse_rfc3339("2026-11-21T08:00:00Z").value();
    for (const auto& [slot, overrides] :
         {std::pair{"2026-11-24T09:00:00", 0}, {"2026-11-26T09:00:00", 1}}) {
        CAPTURE(slot);
        const auto text = exclude_occurrence(kStored, berlin(slot), now).value();
        const auto events = events_of(text);
        CHECK(std::ranges::count_if(events, &Event::is_override) == overrides);
        CHECK(events.at(0).recurrence->exdate.size() == 2);
        CHECK(std::ranges::count(events.at(0).recurrence->exdate, berlin(slot).instant,
                                 &EventTime::instant) == 1);
        CHECK(events.at(0).updated == now);
        CHECK(text.contains("X-APPLE-TRAVEL"));
        // Again: nothing more.
        CHECK(difference(text, exclude_occurrence(text, berlin(slot), now).value()) == "");
    }
}

TEST_CASE("update: our alarms follow the event, and marks of other names stay") {
    auto event = events_of(kStored).at(0);
    event.reminders = {{"popup", 15}, {"popup", 30}, {"email", 1440}};
    event.marks = {{"calhost_a", "1"}, {"calhost_b", "2"}};
    const auto text = update_icalendar(kStored, event, "ann@example.com").value();
    CHECK(text.contains("ATTENDEE:mailto:ann@example.com"));
    CHECK(events_of(text).at(0).reminders == event.reminders);
    event.reminders = {{"popup", 30}};
    event.marks = {{"calhost_b", "3"}};
    const auto again = events_of(update_icalendar(text, event).value()).at(0);
    CHECK(again.reminders == std::vector<Reminder>{{"popup", 15}, {"popup", 30}});
    CHECK(again.marks ==
          std::map<std::string, std::string>{{"calhost_a", "1"}, {"calhost_b", "3"}});
    // Also those that share one property.
    event.marks = {{"one", "1"}};
    const auto marked = update_icalendar(kStored, event).value();
    event.marks = {{"two", "2"}};
    CHECK(events_of(update_icalendar(marked, event).value()).at(0).marks ==
          std::map<std::string, std::string>{{"one", "1"}, {"two", "2"}});
}

TEST_CASE("update: a new time raises the sequence, other text does not") {
    auto event = events_of(kStored).at(0);
    event.title = "x";
    CHECK(events_of(update_icalendar(kStored, event).value()).at(0).sequence == 0);
    event.finish = berlin("2026-11-23T10:30:00");
    CHECK(events_of(update_icalendar(kStored, event).value()).at(0).sequence == 1);
}

TEST_CASE("update: an override that is new is made from its occurrence") {
    auto event = events_of(kStored).at(0);
    event.recurrence.reset();
    event.recurrence_id = make_instant(berlin("2026-11-26T09:00:00").instant).value();
    event.title = "once";
    event.start = berlin("2026-11-26T15:00:00"), event.finish = berlin("2026-11-26T16:00:00");
    const auto text = update_icalendar(kStored, event).value();
    const auto added = difference(kStored, text);
    for (const auto* line :
         {"+RECURRENCE-ID;TZID=Europe/Berlin:20261126T090000", "+SUMMARY:once",
          "+X-APPLE-TRAVEL-ADVISORY-BEHAVIOR;X-P=\"a;b\":AUTOMATIC",
          "+ATTENDEE;CN=Bob;X-NUM-GUESTS=0;PARTSTAT=ACCEPTED:mailto:bob@example.com",
          "+X-WR-ALARMUID:alarm-1", "+LOCATION:Raum 1", "+TZID:Europe/Berlin"})
        CHECK_MESSAGE(added.contains(line), line);
    CHECK_FALSE(added.contains("+RRULE"));
    CHECK_FALSE(added.contains("|-"));

    // It may stand for all later ones, too.
    event.is_this_and_future = true;
    CHECK(update_icalendar(kStored, event)
              .value()
              .contains("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261126T090000"));

    event.recurrence_id = berlin("2026-12-26T09:00:00");
    CHECK(update_icalendar(kStored, event).error().code == ErrorCode::not_found);
}

TEST_CASE("update: a series with other slots loses the overrides of those that are gone") {
    const auto count = [](void (*change)(Event&)) {
        auto event = events_of(kStored).at(0);
        change(event);
        return events_of(update_icalendar(kStored, event).value()).size();
    };
    CHECK(count([](Event& e) { e.recurrence->rrule = "FREQ=DAILY;COUNT=2"; }) == 2);
    CHECK(count([](Event& e) { e.recurrence->rrule = "FREQ=DAILY;COUNT=1"; }) == 1);
    CHECK(count([](Event& e) { e.recurrence.reset(); }) == 1);
    CHECK(count([](Event& e) { e.finish = berlin("2026-11-23T11:00:00"); }) == 2);
    CHECK(count([](Event& e) {
              e.start = berlin("2026-11-23T10:00:00");
              e.finish = berlin("2026-11-23T11:00:00");
          }) == 1);
}

TEST_CASE("update: an occurrence that was taken out comes back as an override") {
    auto event = events_of(kStored).at(1);
    event.recurrence_id = berlin("2026-11-25T09:00:00");
    const auto events = events_of(update_icalendar(kStored, event).value());
    CHECK(events.at(0).recurrence->exdate.empty());
    CHECK(std::ranges::count(events, event.recurrence_id, &Event::recurrence_id) == 1);
}

TEST_CASE("exclude: a change of all later occurrences goes on at the next one") {
    auto stored = kStored;
    stored.replace(stored.find("RECURRENCE-ID;"), 14, "RECURRENCE-ID;RANGE=THISANDFUTURE;");
    const auto now = parse_rfc3339("2026-11-21T08:00:00Z").value();
    const auto text = exclude_occurrence(stored, berlin("2026-11-24T09:00:00"), now).value();
    // The 25th is taken out as well.
    CHECK(text.contains("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261126T090000"));
    CHECK(text.contains("DTSTART;TZID=Europe/Berlin:20261126T110000"));
    CHECK(text.contains("X-OVERRIDE:kept"));
    auto last = text;
    for (const auto* slot : {"2026-11-26T09:00:00", "2026-11-27T09:00:00"})
        last = exclude_occurrence(last, berlin(slot), now).value();
    CHECK(events_of(last).size() == 1);
}

TEST_CASE("quiet: where the server would send mail it is told not to") {
    const auto quiet = [](std::string_view stored, std::string_view owner) {
        auto text = keep_quiet(stored, owner);
        for (auto at = text.find("\r\n "); at != text.npos; at = text.find("\r\n "))
            text.erase(at, 3);
        return text;
    };
    CHECK(difference(kStored, quiet(kStored, "ann@example.com")) ==
          "+ATTENDEE;CN=Bob;X-NUM-GUESTS=0;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=CLIENT"
          ":mailto:bob@example.com|"
          "-ATTENDEE;CN=Bob;X-NUM-GUESTS=0;PARTSTAT=ACCEPTED:mailto:bob@example.com");
    CHECK(difference(kStored, quiet(kStored, "BOB@example.com")) ==
          "+ORGANIZER;CN=Ann;SCHEDULE-AGENT=CLIENT:mailto:ann@example.com|"
          "-ORGANIZER;CN=Ann:mailto:ann@example.com");
    // Who is reminded is no guest.
    auto reminding = kStored;
    reminding.insert(reminding.find("TRIGGER:"), "ATTENDEE:mailto:ann@example.com\r\n");
    CHECK(quiet(reminding, "ann@example.com").contains("\r\nATTENDEE:mailto:ann@example.com\r\n"));
    const auto both = quiet(kStored, "");
    CHECK(both.contains("ORGANIZER;CN=Ann;SCHEDULE-AGENT=CLIENT:"));
    CHECK(both.contains(";SCHEDULE-AGENT=CLIENT:mailto:bob"));
    CHECK(keep_quiet(both, "") == both);
    auto server = kStored;
    server.replace(server.find("ORGANIZER;"), 10, "ORGANIZER;SCHEDULE-AGENT=SERVER;");
    CHECK(quiet(server, "bob@example.com").contains("ORGANIZER;CN=Ann;SCHEDULE-AGENT=CLIENT:"));
    auto nobodys = kStored;
    nobodys.erase(nobodys.find("ORGANIZER"), nobodys.find("ATTENDEE") - nobodys.find("ORGANIZER"));
    CHECK(keep_quiet(nobodys, "ann@example.com") == nobodys);
}

TEST_CASE("write: the server sends no mail for people that are written") {
    Event event;
    event.uid = event.id = "1";
    event.start = berlin("2026-11-26T09:00:00");
    event.finish = berlin("2026-11-26T10:00:00");
    event.organizer = "ann@example.com";
    event.attendees = {{.email = "bob@example.com"}};
    auto text = write_icalendar({.events = {event}});
    CHECK(text.contains("ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:bob@example.com"));
    CHECK(text.contains("ORGANIZER:mailto:ann@example.com"));
    event.is_organizer = false;
    text = write_icalendar({.events = {event}});
    CHECK(text.contains("ATTENDEE:mailto:bob@example.com"));
    CHECK(text.contains("ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:ann@example.com"));
}

}  // namespace
