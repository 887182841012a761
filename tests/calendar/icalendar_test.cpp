#include "calendar/icalendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "reference_files.h"
#include "samples.h"

using namespace calhost;
using namespace calhost::calendar;
using namespace calhost::calendar::test;

namespace {

std::string wrap(std::string_view body) {
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + std::string(body) + "END:VCALENDAR\r\n";
}

/// A calendar with one event made of these lines.
Calendar read_event(std::string_view lines, std::string_view before = "") {
    return read_icalendar(wrap(std::string(before) + "BEGIN:VEVENT\r\n" + std::string(lines) +
                               "\r\nEND:VEVENT\r\n"))
        .value();
}

Event only(const Calendar& calendar) {
    REQUIRE_MESSAGE(calendar.events.size() == 1,
                    (calendar.warnings.empty() ? "" : calendar.warnings[0]));
    return calendar.events[0];
}

constexpr std::string_view kOwnZone =
    "BEGIN:VTIMEZONE\r\nTZID:{}\r\n"
    "BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";

std::string own_zone(std::string_view tzid) {
    std::string text(kOwnZone);
    return text.replace(text.find("{}"), 2, tzid);
}

/// An event with everything that the model holds.
Event full() {
    auto row = event("other-id", timed("2026-11-20T09:00:00"), timed("2026-11-20T10:00:00"));
    row.uid = "m@example.com";
    row.etag = "\"7\"";
    row.title = "Größe; \"x\", \\ \x01 \n end " + std::string(80, 'x');
    row.description = "first\n\nthird " + std::string(100, '\xc3') + "";
    row.description = "first\n\nthird äöü 日本語日本語日本語日本語日本語日本語日本語日本語日本語";
    row.description_format = "html";
    row.location = "Room 1; second, floor";
    row.url = "https://example.com/?a=1&b=2;c,d";
    row.busy = "oof";
    row.status = "tentative";
    row.visibility = "private";
    row.categories = {"a,b", "c"};
    row.color = "#a1b2c3";
    row.reminders = {{"popup", 10}, {"email", 1440}};
    row.recurrence = Recurrence{"FREQ=WEEKLY;COUNT=4",
                                {timed("2026-11-21T09:00:00"), day("2026-11-22")},
                                {timed("2026-11-27T09:00:00", "America/New_York")}};
    row.attendees = {{"a@example.com", "A; B: \"C\"", "required", "accepted", true},
                     {"b@example.com", "", "resource", "needs_action", false}};
    row.organizer = "o@example.com";
    row.is_organizer = false;
    row.sequence = 3;
    row.created = utc("2026-01-01T00:00:00Z");
    row.updated = utc("2026-01-02T00:00:00.123Z");
    row.marks = {{"source_id", "abc"}};
    row.extra = {{"deep", {1, "x"}}};
    return row;
}

}  // namespace

TEST_CASE("icalendar: an event's properties become the model's") {
    const auto got = only(read_event(
        "UID:u1\r\nSUMMARY:Gr\xc3\xb6\r\n \xc3\x9f"
        "e\\, \\;\\nx\r\nDTSTART;TZID=Europe/Berlin:20261120T090000\r\n"
        "DTEND;TZID=Europe/Berlin:20261120T100000\r\nLOCATION:Room\r\nSTATUS:TENTATIVE\r\n"
        "CLASS:CONFIDENTIAL\r\nTRANSP:TRANSPARENT\r\nCATEGORIES:a,b\r\nSEQUENCE:4\r\n"
        "CREATED:20260101T000000Z\r\nLAST-MODIFIED:20260102T000000Z\r\n"
        "ORGANIZER;CN=O:MAILTO:o@example.com\r\n"
        "ATTENDEE;CN=\"A, B\";ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED:mailto:a@example.com\r\n"
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\n"
        "BEGIN:VALARM\r\nACTION:EMAIL\r\nTRIGGER;VALUE=DATE-TIME:20261119T080000Z\r\nEND:VALARM"));
    CHECK(got.id == "u1");
    CHECK(got.title == "Größe, ;\nx");
    CHECK(got.start == timed("2026-11-20T09:00:00"));
    CHECK(got.finish == timed("2026-11-20T10:00:00"));
    CHECK(got.status == "tentative");
    CHECK(got.visibility == "confidential");
    CHECK(got.busy == "free");
    CHECK(got.categories == Texts{"a", "b"});
    CHECK(got.sequence == 4);
    CHECK(got.created == utc("2026-01-01T00:00:00Z"));
    CHECK(got.updated == utc("2026-01-02T00:00:00Z"));
    CHECK(got.organizer == "o@example.com");
    REQUIRE(got.attendees.size() == 1);
    CHECK(got.attendees[0] == Attendee{"a@example.com", "A, B", "optional", "declined", false});
    CHECK(got.reminders == std::vector<Reminder>{{"popup", 60}, {"email", 1440}});
}

TEST_CASE("icalendar: zones are known by every name that programs give them") {
    for (const std::string tzid :
         {"Europe/Berlin", "/freeassociation.sourceforge.net/Europe/Berlin",
          "/mozilla.org/20050126_1/Europe/Berlin", "W. Europe Standard Time"}) {
        const auto got = only(read_event("UID:u\r\nDTSTART;TZID=" + tzid + ":20260701T090000"));
        CHECK_MESSAGE(got.start == timed("2026-07-01T09:00:00"), tzid);
    }
    const auto got =
        only(read_event("UID:u\r\nDTSTART;TZID=My Zone:20260701T090000", own_zone("My Zone")));
    CHECK(got.start == timed("2026-07-01T09:00:00"));
}

TEST_CASE("icalendar: a zone that only has rules gives moments, and a series is warned of") {
    auto zone = own_zone("Odd");
    for (const auto& [from, to] : {std::pair("+0100", "+0107"), std::pair("+0200", "+0207")})
        for (auto at = zone.find(from); at != std::string::npos; at = zone.find(from))
            zone.replace(at, 5, to);
    auto calendar = read_event("UID:u\r\nDTSTART;TZID=Odd:20260701T090000\r\nDURATION:PT30M", zone);
    auto got = only(calendar);
    CHECK(got.start == timed("2026-07-01T06:53:00", "Etc/UTC"));
    CHECK(got.finish == timed("2026-07-01T07:23:00", "Etc/UTC"));
    CHECK(calendar.warnings.empty());
    calendar = read_event("UID:u\r\nDTSTART;TZID=Odd:20260101T090000\r\nRRULE:FREQ=DAILY", zone);
    CHECK(only(calendar).start == timed("2026-01-01T07:53:00", "Etc/UTC"));
    CHECK(calendar.warnings.size() == 1);
}

TEST_CASE("icalendar: floating times are the calendar's, else UTC; an unknown zone is warned of") {
    CHECK(only(read_event("UID:u\r\nDTSTART:20260701T090000")).start ==
          timed("2026-07-01T09:00:00", "Etc/UTC"));
    CHECK(only(read_event("UID:u\r\nDTSTART:20260701T090000", "X-WR-TIMEZONE:Europe/Berlin\r\n"))
              .start == timed("2026-07-01T09:00:00"));
    const auto calendar = read_event("UID:u\r\nDTSTART;TZID=Nowhere:20260701T090000");
    CHECK(only(calendar).start == timed("2026-07-01T09:00:00", "Etc/UTC"));
    CHECK(calendar.warnings.size() == 1);
}

TEST_CASE("icalendar: an end is what is written, or what RFC 5545 says") {
    struct Row {
        std::string lines;
        EventTime finish;
    };
    const Row rows[] = {
        {"DTSTART;VALUE=DATE:20261120", day("2026-11-21")},
        {"DTSTART;VALUE=DATE:20261120\r\nDTEND;VALUE=DATE:20261120", day("2026-11-21")},
        {"DTSTART;VALUE=DATE:20261120\r\nDURATION:P2D", day("2026-11-22")},
        {"DTSTART;TZID=Europe/Berlin:20261120T090000", timed("2026-11-20T09:00:00")},
        {"DTSTART;TZID=Europe/Berlin:20261120T090000\r\nDURATION:PT1H30M",
         timed("2026-11-20T10:30:00")},
        {"DTSTART;TZID=Europe/Berlin:20260328T090000\r\nDURATION:P1D",
         timed("2026-03-29T09:00:00")},
        {"DTSTART;TZID=Europe/Berlin:20261120T090000\r\nDTEND:20261120T090000Z",
         timed("2026-11-20T09:00:00", "Etc/UTC")},
        {"DTSTART;TZID=Europe/Berlin:20261120T090000\r\nDTEND;TZID=Europe/Berlin:20261119T090000",
         timed("2026-11-20T09:00:00")},
    };
    for (const auto& row : rows)
        CHECK_MESSAGE(only(read_event("UID:u\r\n" + row.lines)).finish == row.finish, row.lines);
}

TEST_CASE("icalendar: series, their dates and overrides are read") {
    const auto calendar =
        read_icalendar(
            wrap("BEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=Europe/Berlin:20261120T090000\r\n"
                 "RRULE:FREQ=DAILY;COUNT=9\r\nEXDATE;TZID=Europe/"
                 "Berlin:20261121T090000,20261122T090000\r\n"
                 "RDATE;VALUE=PERIOD:20261201T080000Z/"
                 "PT1H\r\nRDATE;VALUE=DATE:20261202\r\nEND:VEVENT\r\n"
                 "BEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261123T080000Z\r\n"
                 "DTSTART;TZID=Europe/Berlin:20261123T110000\r\nEND:VEVENT\r\n"))
            .value();
    REQUIRE(calendar.events.size() == 2);
    const auto& recurrence = calendar.events[0].recurrence.value();
    CHECK(recurrence.rrule == "FREQ=DAILY;COUNT=9");
    CHECK(recurrence.exdate ==
          std::vector{timed("2026-11-21T09:00:00"), timed("2026-11-22T09:00:00")});
    CHECK(recurrence.rdate ==
          std::vector{timed("2026-12-01T08:00:00", "Etc/UTC"), day("2026-12-02")});
    CHECK(calendar.warnings ==
          std::vector<std::string>{"A date of '' has a length of its own, which was left out: it "
                                   "is as long as the series."});
    CHECK(calendar.events[1].series_id == "u");
    CHECK(calendar.events[1].id == "u_20261123T080000Z");
    CHECK(calendar.events[1].recurrence_id == timed("2026-11-23T08:00:00", "Etc/UTC"));
    CHECK(calendar.events[1].is_this_and_future);
}

TEST_CASE("icalendar: what is broken is left out with a warning, the rest stays") {
    const auto calendar =
        read_icalendar(wrap("BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:no start\r\nEND:VEVENT\r\n"
                            "BEGIN:VTODO\r\nUID:t\r\nDTSTART:20261120T090000Z\r\nEND:VTODO\r\n"
                            "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20261120T090000Z\r\nRRULE:FREQ="
                            "OFTEN\r\nEND:VEVENT\r\n"
                            "BEGIN:VEVENT\r\nSUMMARY:no "
                            "uid\r\nDTSTART:20261120T090000Z\r\nnonsense\r\nEND:VEVENT\r\n"
                            "BEGIN:VEVENT\r\nUID:b\r\nSEQUENCE:1\r\nSUMMARY:newer\r\nDTSTART:"
                            "20261120T090000Z\r\nEND:VEVENT\r\n"
                            "BEGIN:VEVENT\r\nUID:unclosed\r\nDTSTART:20261120T090000Z\r\n"))
            .value();
    REQUIRE(calendar.events.size() == 2);
    CHECK(calendar.events[0].title == "newer");
    CHECK(!calendar.events[0].is_series());
    CHECK(calendar.events[1].uid.size() == 32);
    CHECK(calendar.warnings.size() == 3);
}

TEST_CASE("icalendar: several calendars, old line ends, a mark in front and old character sets") {
    const std::string one =
        "BEGIN:VEVENT\rUID:a\rSUMMARY:caf\xe9 \x80\rDTSTART:20261120T090000Z\rEND:VEVENT\r";
    const auto calendar =
        read_icalendar(
            "\xef\xbb\xbf"
            "begin:vcalendar\r" +
            one +
            "END:VCALENDAR\n\nBEGIN:VCALENDAR\n"
            "METHOD:CANCEL\nBEGIN:VEVENT\nUID:b\nDTSTART:20261120T090000Z\nEND:VEVENT\n"
            "END:VCALENDAR")
            .value();
    REQUIRE(calendar.events.size() == 2);
    CHECK(calendar.events[0].title == "café €");
    CHECK(calendar.events[1].status == "cancelled");
    CHECK(calendar.warnings.size() == 1);
}

TEST_CASE("icalendar: what is no calendar, or too large, is refused") {
    CHECK(read_icalendar("").error().code == ErrorCode::invalid);
    CHECK(read_icalendar("<html>").error().code == ErrorCode::invalid);
    CHECK(read_icalendar(wrap(std::string(51 << 20, 'x'))).error().code == ErrorCode::invalid);
    std::string deep;
    for (int i = 0; i < 200'000; ++i) deep += "BEGIN:VALARM\n";
    CHECK(read_icalendar(wrap("BEGIN:VEVENT\nUID:a\n" + deep + "END:VEVENT\n"))
              .value()
              .events.empty());
}

TEST_CASE("icalendar: what is written is read back, everything the model holds") {
    Calendar calendar{"My, name", "Europe/Berlin", {full()}, {}};
    auto night = event("n", make_instant(utc("2026-10-25T01:30:00Z"), "Europe/Berlin").value(),
                       timed("2026-10-25T09:00:00", "America/New_York"));
    night.uid = "n";
    night.busy = "free";
    night.reminders.emplace();
    auto whole = event("d", day("2026-11-20"), day("2026-11-22"));
    whole.uid = "d";
    auto other = event("m@example.com_20261127T080000Z", timed("2026-11-27T11:00:00"),
                       timed("2026-11-27T12:00:00"));
    other.uid = other.series_id = "m@example.com";
    other.recurrence_id = timed("2026-11-27T09:00:00");
    calendar.events.insert(calendar.events.end(), {night, whole, other});
    const auto text = write_icalendar(calendar);
    const auto back = read_icalendar(text).value();
    CHECK(back.name == calendar.name);
    CHECK(back.zone == calendar.zone);
    CHECK(back.warnings.empty());
    REQUIRE(back.events.size() == calendar.events.size());
    for (std::size_t i = 0; i < back.events.size(); ++i)
        CHECK_MESSAGE(to_json_text(back.events[i]) == to_json_text(calendar.events[i]), text);
    CHECK(back.events == calendar.events);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 76);
    CHECK(text.contains("TZID:Europe/Berlin"));
    CHECK(text.contains("TZOFFSETTO:+0200"));
    CHECK(text.contains("RDATE:20401028T030000"));  // a series goes on
    CHECK(text.contains("LOCATION:Room 1\\; second\\, floor"));
}

TEST_CASE(
    "icalendar: of an event that stands there twice the later form counts, or the newer one") {
    const auto titled = [](const char* title, int sequence) {
        return fmt::format(
            "BEGIN:VEVENT\r\nUID:u\r\nDTSTART:20261120T080000Z\r\nSUMMARY:{}\r\nSEQUENCE:{}\r\n"
            "END:VEVENT\r\n",
            title, sequence);
    };
    const auto kept = [&](int first, int second) {
        return only(read_icalendar(wrap(titled("first", first) + titled("second", second))).value())
            .title;
    };
    CHECK(kept(1, 1) == "second");
    CHECK(kept(1, 2) == "second");
    CHECK(kept(2, 1) == "first");
}

TEST_CASE("icalendar: our own property counts unless its times contradict themselves") {
    for (const bool is_sound : {true, false}) {
        auto told = event("u", timed("2026-11-20T09:00:00"), timed("2026-11-20T10:00:00"));
        if (!is_sound) told.start.local -= std::chrono::hours(3);
        auto text = to_json_text(told);
        for (auto at = text.find(','); at != text.npos; at = text.find(',', at + 2))
            text.insert(at, "\\");
        const auto got = only(read_event(
            "UID:u\r\nDTSTART:20261121T080000Z\r\nDTEND:20261121T090000Z\r\nX-CALHOST-EVENT:" +
            text));
        CHECK(format_rfc3339(got.start.instant) ==
              (is_sound ? "2026-11-20T08:00:00Z" : "2026-11-21T08:00:00Z"));
    }
}

TEST_CASE("icalendar: calendars of other programs survive reading, writing and reading") {
    const auto folder = reference_folder();
    if (!folder) return;
    for (const auto& file : std::filesystem::directory_iterator(*folder)) {
        if (file.path().extension() != ".ics") continue;
        const auto name = file.path().filename().string();
        const auto first = read_icalendar(text_of(file.path()));
        REQUIRE_MESSAGE(first.has_value(), name);
        CHECK_MESSAGE(!first->events.empty(), name);
        const auto second = read_icalendar(write_icalendar(*first)).value();
        REQUIRE_MESSAGE(second.events.size() == first->events.size(), name);
        for (std::size_t i = 0; i < second.events.size(); ++i)
            CHECK_MESSAGE(to_json_text(second.events[i]) == to_json_text(first->events[i]), name);
    }
}

TEST_CASE("icalendar: no spoiled text breaks the reader") {
    const auto text = write_icalendar({"n", "Europe/Berlin", {full()}, {}}) +
                      wrap(own_zone("Odd") +
                           "BEGIN:VEVENT\r\nUID:x\r\nDTSTART;TZID=Odd:20261120T090000\r\n"
                           "DURATION:PT1H\r\nRRULE:FREQ=MONTHLY;BYDAY=-1FR\r\nEND:VEVENT\r\n");
    std::mt19937 random(7);
    const auto pick = [&](std::size_t bound) { return random() % bound; };
    std::size_t kept = 0;
    for (int round = 0; round < 2000; ++round) {
        auto spoiled = text;
        for (auto changes = 1 + pick(8); changes > 0; --changes) {
            const auto at = pick(spoiled.size());
            const auto length = std::min<std::size_t>(pick(40), spoiled.size() - at);
            if (pick(3) == 0)
                spoiled.erase(at, length);
            else if (pick(2) == 0)
                spoiled.insert(pick(spoiled.size()), spoiled.substr(at, length));
            else
                spoiled[at] = static_cast<char>(random());
        }
        if (const auto got = read_icalendar(spoiled)) {
            for (const auto& row : got->events) CHECK(check_event(row).has_value());
            kept += expand(got->events, {utc("2026-11-01T00:00:00Z"), utc("2026-12-01T00:00:00Z")})
                        .events.size();
        }
    }
    CHECK(kept > 2000);
}
