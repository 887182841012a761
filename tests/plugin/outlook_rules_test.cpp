// Recurrence and time zones between the host and Outlook.
#include "plugin/outlook_box.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("outlook: rules become patterns and come back") {
    struct Row {
        std::string rule, start, back;
    };
    for (const auto& row : std::vector<Row>{
             {"FREQ=DAILY;COUNT=3", "2026-11-27", ""},
             {"FREQ=DAILY;INTERVAL=2;UNTIL=20261210T110000Z", "2026-11-27", ""},
             {"FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-11-27", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
             {"FREQ=WEEKLY", "2026-11-27", "FREQ=WEEKLY;BYDAY=FR"},
             {"FREQ=WEEKLY;WKST=SU", "2026-11-27", "FREQ=WEEKLY;BYDAY=FR"},
             {"FREQ=DAILY;UNTIL=20261101T000000Z", "2026-11-27", "FREQ=DAILY;COUNT=1"},
             {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU", "2026-11-27", ""},
             {"FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SU;WKST=MO", "2026-11-27",
              "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SU"},
             {"FREQ=MONTHLY;BYMONTHDAY=15", "2026-12-15", ""},
             {"FREQ=MONTHLY", "2026-12-15", "FREQ=MONTHLY;BYMONTHDAY=15"},
             {"FREQ=MONTHLY;BYDAY=2TU", "2026-12-08", ""},
             {"FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2", "2026-12-08", "FREQ=MONTHLY;BYDAY=2TU"},
             {"FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ""},
             {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30", ""},
             {"FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-11-30", ""},
             {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30",
              "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"},
             {"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31", "2026-12-31", ""},
             {"FREQ=YEARLY", "2026-12-15", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=15"},
             {"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26", ""}}) {
        CAPTURE(row.rule);
        Mailbox box;
        auto event = lunch();
        event.start = at(row.start + "T12:00:00");
        event.finish = at(row.start + "T13:00:00");
        event.recurrence = calendar::Recurrence{.rrule = row.rule};
        const auto written = box.create(event);
        REQUIRE(written.event.recurrence.has_value());
        CHECK(written.event.recurrence->rrule == (row.back.empty() ? row.rule : row.back));
        CHECK(written.event.start == event.start);
    }
}

TEST_CASE("outlook: what has no pattern is refused with its reason, before anything is written") {
    struct Row {
        std::string rule, reason;
    };
    for (const auto& row : std::vector<Row>{
             {"FREQ=HOURLY", "it repeats hourly, and daily is the shortest"},
             {"FREQ=WEEKLY;BYDAY=MO", "it begins on a day that its own rule leaves out"},
             {"FREQ=MONTHLY;BYDAY=2TU", "it begins on a day that its own rule leaves out"},
             {"FREQ=MONTHLY;BYMONTHDAY=13,27", "it repeats on several days of a month"},
             {"FREQ=MONTHLY;BYMONTHDAY=-5", "a day that is counted from the end of the month"},
             {"FREQ=MONTHLY;BYMONTHDAY=28,31;BYSETPOS=-1", "it repeats on several days of a month"},
             {"FREQ=MONTHLY;BYMONTHDAY=31", "it leaves out months without a day 31"},
             {"FREQ=MONTHLY;BYDAY=5FR",
              "another weekday than the first to fourth or last of a month"},
             {"FREQ=MONTHLY;BYDAY=1MO,3FR", "several weekdays with places of their own"},
             {"FREQ=MONTHLY;BYDAY=FR", "another weekday than the first"},
             {"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=27", "a day of the week meets a day of the month"},
             {"FREQ=YEARLY;BYMONTH=6,11", "it repeats in several months of a year"},
             {"FREQ=YEARLY;BYMONTHDAY=27", "it repeats in several months of a year"},
             {"FREQ=YEARLY;BYMONTH=6", "it begins on a day that its own rule leaves out"},
             {"FREQ=YEARLY;BYDAY=4FR", "it counts weekdays through the whole year"},
             {"FREQ=YEARLY;BYWEEKNO=48", "it repeats yearly and picks its weeks of the year"},
             {"FREQ=DAILY;BYHOUR=9,17", "it repeats daily and picks its hours"},
             {"FREQ=DAILY;INTERVAL=2;BYDAY=FR", "it repeats daily and picks its days of the week"},
             {"FREQ=DAILY;COUNT=1000", "its count or interval is over 999"}}) {
        CAPTURE(row.rule);
        Mailbox box;
        auto event = lunch();
        event.recurrence = calendar::Recurrence{.rrule = row.rule};
        const auto said =
            box.refused(box.provider->create_event(box.access, "primary", event, "k"));
        CHECK(said.starts_with("unsupported: Outlook cannot repeat an event like this: "));
        CHECK_MESSAGE(said.find(row.reason) != std::string::npos, said);
        CHECK(box.requests.empty());
    }
    Mailbox box;
    auto dates = lunch();
    dates.recurrence = calendar::Recurrence{.rrule = "FREQ=DAILY", .rdate = {dates.start}};
    CHECK(box.refused(box.provider->create_event(box.access, "primary", dates, "k")) ==
          "unsupported: Outlook cannot repeat an event like this: it has dates outside of a rule.");
    auto south = lunch();
    south.start = at("2026-11-27T12:00:00", "Antarctica/Troll");
    south.finish = at("2026-11-27T13:00:00", "Antarctica/Troll");
    CHECK(box.create(south).event.start.instant == south.start.instant);
    south.recurrence = calendar::Recurrence{.rrule = "FREQ=DAILY"};
    CHECK(box.refused(box.provider->create_event(box.access, "primary", south, "k"))
              .find("Windows has no time zone like Antarctica/Troll") != std::string::npos);
}

TEST_CASE("outlook: an end in UTC is the day of the last occurrence") {
    for (const auto& [until, last] : {std::pair{"20261211T110000Z", "2026-12-11T12:00:00"},
                                      {"20261211T105959Z", "2026-12-04T12:00:00"},
                                      {"20261211", "2026-12-11T12:00:00"}}) {
        CAPTURE(until);
        Mailbox box;
        auto event = weekly();
        event.recurrence->rrule = std::string("FREQ=WEEKLY;BYDAY=FR;UNTIL=") + until;
        box.create(event);
        CHECK(calendar::format_local(box.list().back().start.local) == last);
    }
}

TEST_CASE("outlook: zones that Windows does not know by name, and doubled hours") {
    Mailbox box;
    auto event = lunch();
    event.start = at("2026-11-27T12:00:00", "Europe/Amsterdam");
    event.finish = at("2026-11-27T13:00:00", "Europe/Amsterdam");
    const auto berlin = box.create(event).event;
    CHECK(berlin.start.zone == "Europe/Berlin");
    CHECK(berlin.start.instant == event.start.instant);
    // The second 02:30 of the night on which the clock goes back.
    event.start = *calendar::make_instant(*parse_rfc3339("2026-10-25T01:30:00Z"), "Europe/Berlin");
    event.finish = *calendar::make_instant(*parse_rfc3339("2026-10-25T03:30:00Z"), "Europe/Berlin");
    CHECK(box.create(event, "k2").event.start.instant == event.start.instant);
}

}  // namespace
