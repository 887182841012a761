#include "calendar/recurrence.h"

#include <algorithm>

#include "samples.h"

using namespace calhost;
using namespace calhost::calendar;
using namespace calhost::calendar::test;

namespace {

Event daily(std::string_view start, std::string rrule = "FREQ=DAILY") {
    const auto begin = timed(start);
    auto finish = begin;
    finish.local += std::chrono::hours(1);
    return series(begin, make_local(finish.local, begin.zone).value(), std::move(rrule));
}

Event replaces(std::string_view slot, std::string_view start) {
    auto row = daily(start);
    row.recurrence.reset();
    row.id = "o";
    row.series_id = "s";
    row.recurrence_id = timed(slot);
    return row;
}

}  // namespace

TEST_CASE("recurrence: occurrences keep the wall clock when clocks change") {
    const auto row = daily("2026-03-27T02:30:00");
    CHECK(starts({row}, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z") ==
          Texts{"2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"});
    const auto autumn = daily("2026-10-23T02:30:00");
    CHECK(starts({autumn}, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z") ==
          Texts{"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"});
}

TEST_CASE("recurrence: an occurrence has its slot, its series and an end by wall clock") {
    auto row = series(timed("2026-03-20T22:00:00"), timed("2026-03-21T06:00:00"), "FREQ=DAILY");
    const auto got = expand({row}, {utc("2026-03-28T20:00:00Z"), utc("2026-03-29T00:00:00Z")});
    REQUIRE(got.events.size() == 1);
    const auto& night = got.events[0];
    CHECK(night.id == "s_20260328T210000Z");
    CHECK(night.series_id == "s");
    CHECK(night.recurrence_id == timed("2026-03-28T22:00:00"));
    CHECK(!night.recurrence);
    CHECK(night.title == "Talk");
    CHECK(night.finish == timed("2026-03-29T06:00:00"));
    CHECK(night.finish.instant - night.start.instant == std::chrono::hours(7));
}

TEST_CASE("recurrence: an end that falls before the gap's start keeps the length") {
    auto row = series(timed("2026-03-20T02:30:00"), timed("2026-03-20T03:15:00"), "FREQ=DAILY");
    const auto got = expand({row}, {utc("2026-03-29T00:00:00Z"), utc("2026-03-29T12:00:00Z")});
    REQUIRE(got.events.size() == 1);
    CHECK(format_rfc3339(got.events[0].start.instant) == "2026-03-29T01:30:00Z");
    CHECK(format_rfc3339(got.events[0].finish.instant) == "2026-03-29T02:15:00Z");
}

TEST_CASE("recurrence: an all-day series stays on its days, windows begin at local midnight") {
    const auto row = series(day("2026-03-27"), day("2026-03-28"), "FREQ=DAILY");
    CHECK(starts({row}, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z") ==
          Texts{"2026-03-28", "2026-03-29", "2026-03-30"});
    const auto got =
        expand({row}, {utc("2026-03-28T23:00:00Z"), utc("2026-03-29T22:00:00Z")}, "Europe/Berlin");
    CHECK(starts(got) == Texts{"2026-03-29"});
    CHECK(got.events[0].id == "s_20260329");
    CHECK(got.events[0].finish == day("2026-03-30"));
    const auto single = event("d", day("2026-11-20"), day("2026-11-21"));
    const auto at = [&](std::string_view from, std::string_view to, std::string_view zone) {
        return expand({single}, {utc(from), utc(to)}, zone).events.size();
    };
    CHECK(at("2026-11-20T23:00:00Z", "2026-11-21T12:00:00Z", "Etc/UTC") == 1);
    CHECK(at("2026-11-20T23:00:00Z", "2026-11-21T12:00:00Z", "Europe/Berlin") == 0);
    CHECK(at("2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", "America/New_York") == 1);
}

TEST_CASE("recurrence: rules give the starts that RFC 5545 says") {
    struct Row {
        std::string_view start;
        std::string rrule;
        Texts expected;  // local dates of the first ones
    };
    const Row rows[] = {
        {"2026-01-01T09:00:00", "FREQ=DAILY;COUNT=3", {"2026-01-01", "2026-01-02", "2026-01-03"}},
        {"2026-01-01T09:00:00",
         "FREQ=DAILY;UNTIL=20260103T080000Z",
         {"2026-01-01", "2026-01-02", "2026-01-03"}},
        {"2026-01-01T09:00:00", "FREQ=DAILY;UNTIL=20260103T075959Z", {"2026-01-01", "2026-01-02"}},
        {"2026-01-01T09:00:00", "FREQ=DAILY;UNTIL=20260103T085959", {"2026-01-01", "2026-01-02"}},
        {"2026-01-01T09:00:00",
         "FREQ=DAILY;UNTIL=20260103T090000",
         {"2026-01-01", "2026-01-02", "2026-01-03"}},
        {"2026-01-01T09:00:00", "FREQ=DAILY;UNTIL=20260102", {"2026-01-01", "2026-01-02"}},
        {"2026-01-30T09:00:00",
         "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
         {"2026-01-30", "2026-02-27", "2026-03-31"}},
        {"2024-02-29T09:00:00", "FREQ=YEARLY;COUNT=2", {"2024-02-29", "2028-02-29"}},
        {"2026-01-31T09:00:00", "FREQ=MONTHLY;COUNT=3", {"2026-01-31", "2026-03-31", "2026-05-31"}},
        {"2026-01-02T09:00:00",
         "FREQ=MONTHLY;BYDAY=1FR,-1FR;COUNT=4",
         {"2026-01-02", "2026-01-30", "2026-02-06", "2026-02-27"}},
        {"2026-01-05T09:00:00",
         "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,SU;COUNT=4",
         {"2026-01-05", "2026-01-18", "2026-01-19", "2026-02-01"}},
        {"2026-01-05T09:00:00",
         "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;COUNT=4",
         {"2026-01-05", "2026-01-11", "2026-01-19", "2026-01-25"}},
        {"2026-01-05T09:00:00", "freq=weekly;count=2;", {"2026-01-05", "2026-01-12"}},
        // The start counts even where the pattern leaves it out.
        {"2026-01-01T09:00:00",
         "FREQ=WEEKLY;BYDAY=MO;COUNT=3",
         {"2026-01-01", "2026-01-05", "2026-01-12"}},
    };
    for (const auto& row : rows) {
        const auto got = expand({daily(row.start, row.rrule)},
                                {utc("2020-01-01T00:00:00Z"), utc("2030-01-01T00:00:00Z")});
        Texts dates;
        for (const auto& one : got.events)
            dates.push_back(format_local(one.start.local).substr(0, 10));
        CHECK_MESSAGE(dates == row.expected, row.rrule);
    }
}

TEST_CASE("recurrence: UNTIL of an all-day series is a date, however it is written") {
    for (const auto* until : {"20260103", "20260103T000000Z", "20260103T235959Z"}) {
        const auto row =
            series(day("2026-01-01"), day("2026-01-02"), std::string("FREQ=DAILY;UNTIL=") + until);
        CHECK(starts({row}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") ==
              Texts{"2026-01-01", "2026-01-02", "2026-01-03"});
    }
}

TEST_CASE("recurrence: COUNT counts the excluded ones too, extra dates come on top") {
    auto row = daily("2026-01-01T09:00:00", "FREQ=DAILY;COUNT=4");
    row.recurrence->exdate = {timed("2026-01-02T08:00:00", "Europe/London"), day("2026-01-03")};
    row.recurrence->rdate = {timed("2026-02-01T12:00:00"), day("2026-02-02"),
                             timed("2026-01-04T09:00:00")};
    CHECK(starts({row}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") ==
          Texts{"2026-01-01T08:00:00Z", "2026-01-04T08:00:00Z", "2026-02-01T11:00:00Z",
                "2026-02-02T08:00:00Z"});
    auto days = series(day("2026-01-01"), day("2026-01-02"), "FREQ=DAILY;COUNT=3");
    days.recurrence->exdate = {timed("2026-01-02T00:00:00")};
    days.recurrence->rdate = {day("2026-03-01")};
    CHECK(starts({days}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") ==
          Texts{"2026-01-01", "2026-01-03", "2026-03-01"});
}

TEST_CASE("recurrence: dates alone make a series") {
    auto row = daily("2026-01-01T09:00:00", "");
    row.recurrence->rdate = {timed("2026-01-05T09:00:00")};
    CHECK(starts({row}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") ==
          Texts{"2026-01-01T08:00:00Z", "2026-01-05T08:00:00Z"});
}

TEST_CASE("recurrence: an override takes its slot's place, wherever it goes") {
    const auto row = daily("2026-01-01T09:00:00", "FREQ=DAILY;COUNT=5");
    const auto all = [&](const Event& other) {
        return starts({other, row}, "2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z");
    };
    CHECK(all(replaces("2026-01-03T09:00:00", "2026-01-03T15:00:00")) ==
          Texts{"2026-01-02T08:00:00Z", "2026-01-03T14:00:00Z", "2026-01-04T08:00:00Z"});
    CHECK(all(replaces("2026-01-03T09:00:00", "2026-02-03T15:00:00")) ==
          Texts{"2026-01-02T08:00:00Z", "2026-01-04T08:00:00Z"});
    CHECK(all(replaces("2026-01-05T09:00:00", "2026-01-02T15:00:00")) ==
          Texts{"2026-01-02T08:00:00Z", "2026-01-02T14:00:00Z", "2026-01-03T08:00:00Z",
                "2026-01-04T08:00:00Z"});
    auto cancelled = replaces("2026-01-03T09:00:00", "2026-01-03T09:00:00");
    cancelled.status = "cancelled";
    CHECK(all(cancelled) == Texts{"2026-01-02T08:00:00Z", "2026-01-04T08:00:00Z"});
    auto elsewhere = replaces("2026-01-03T09:00:00", "2026-01-03T15:00:00");
    elsewhere.recurrence_id = timed("2026-01-03T08:00:00", "Europe/London");
    CHECK(all(elsewhere).size() == 3);
}

TEST_CASE("recurrence: an all-day slot is found by its date, also when a program names a time") {
    const auto row = series(day("2026-01-01"), day("2026-01-02"), "FREQ=DAILY;COUNT=3");
    for (const auto& slot : {day("2026-01-02"), timed("2026-01-02T00:00:00")}) {
        auto other = replaces("2026-01-02T00:00:00", "2026-01-02T15:00:00");
        other.recurrence_id = slot;
        CHECK(starts({row, other}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") ==
              Texts{"2026-01-01", "2026-01-02T14:00:00Z", "2026-01-03"});
    }
}

TEST_CASE("recurrence: an override without its series stands for itself") {
    const auto orphan = replaces("2026-01-03T09:00:00", "2026-01-03T15:00:00");
    CHECK(starts({orphan}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") ==
          Texts{"2026-01-03T14:00:00Z"});
}

TEST_CASE("recurrence: a window is half open, an event of no length counts where it stands") {
    const auto at = [](std::string_view start, std::string_view finish) {
        const auto row = event("e", timed(start, "Etc/UTC"), timed(finish, "Etc/UTC"));
        return expand({row}, {utc("2026-01-01T10:00:00Z"), utc("2026-01-01T11:00:00Z")})
                   .events.size() == 1;
    };
    CHECK(at("2026-01-01T09:00:00", "2026-01-01T10:00:01"));
    CHECK(!at("2026-01-01T09:00:00", "2026-01-01T10:00:00"));
    CHECK(at("2026-01-01T10:59:59", "2026-01-01T12:00:00"));
    CHECK(!at("2026-01-01T11:00:00", "2026-01-01T12:00:00"));
    CHECK(at("2026-01-01T10:00:00", "2026-01-01T10:00:00"));
    CHECK(!at("2026-01-01T11:00:00", "2026-01-01T11:00:00"));
    CHECK(at("2026-01-01T08:00:00", "2026-01-01T12:00:00"));
}

TEST_CASE("recurrence: a long occurrence that began before the window is in it") {
    const auto row =
        series(timed("2026-01-01T09:00:00"), timed("2026-01-04T09:00:00"), "FREQ=WEEKLY");
    CHECK(starts({row}, "2026-01-17T00:00:00Z", "2026-01-17T01:00:00Z") ==
          Texts{"2026-01-15T08:00:00Z"});
}

TEST_CASE("recurrence: an unreadable rule leaves the first occurrence") {
    CHECK(starts({daily("2026-01-01T09:00:00", "FREQ=SOMETIMES")}, "2025-01-01T00:00:00Z",
                 "2027-01-01T00:00:00Z") == Texts{"2026-01-01T08:00:00Z"});
}

TEST_CASE("recurrence: a cancelled series does not happen") {
    auto row = daily("2026-01-01T09:00:00");
    row.status = "cancelled";
    CHECK(starts({row}, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z").empty());
}

TEST_CASE("recurrence: hostile rules are cut, and say so") {
    const Window window{utc("2026-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z")};
    for (const auto* rrule :
         {"FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=SECONDLY;BYMONTH=12", "FREQ=HOURLY",
          "FREQ=SECONDLY;COUNT=2000000000", "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6;BYMINUTE=1,2,3,4"}) {
        const auto got = expand({daily("1990-01-01T09:00:00", rrule)}, window);
        CHECK_MESSAGE(got.is_cut, rrule);
        CHECK_MESSAGE(got.events.size() <= kMaxOccurrences, rrule);
    }
    for (const auto* rrule :
         {"FREQ=YEARLY;BYMONTHDAY=1;BYDAY=2MO", "FREQ=HOURLY;BYMONTHDAY=1;BYYEARDAY=2",
          "FREQ=SECONDLY;BYMONTHDAY=1;BYYEARDAY=2", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"})
        CHECK_MESSAGE(expand({daily("1990-01-01T09:00:00", rrule)}, window).events.empty(), rrule);
    const auto old = expand({daily("1990-01-01T09:00:00")}, window);
    CHECK(old.events.size() == 365);
    CHECK(!old.is_cut);
}

TEST_CASE("recurrence: a series whose rule never gives a day is its first occurrence") {
    for (const auto* rrule :
         {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9"}) {
        const auto got = expand({daily("2026-01-05T09:00:00", rrule)},
                                {utc("2026-01-01T00:00:00Z"), utc("2030-01-01T00:00:00Z")});
        CHECK_MESSAGE(starts(got) == Texts{"2026-01-05T08:00:00Z"}, rrule);
        CHECK_MESSAGE(!got.is_cut, rrule);
    }
}

TEST_CASE("recurrence: rules outside RFC 5545 are refused with the part's name") {
    for (const auto* rrule :
         {"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU;WKST=SU", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
          "FREQ=MONTHLY;BYDAY=+1MO,-2TU", "FREQ=YEARLY;BYYEARDAY=-1,366", "FREQ=DAILY;BYSECOND=60"})
        CHECK_MESSAGE(check_rrule(rrule).has_value(), rrule);
    const std::pair<std::string, std::string_view> rows[] = {
        {"", "FREQ"},
        {"COUNT=3", "FREQ"},
        {"FREQ=OFTEN", "FREQ"},
        {"RRULE:FREQ=DAILY", "FREQ"},
        {"FREQ=DAILY;COUNT=0", "COUNT"},
        {"FREQ=DAILY;COUNT=-1", "COUNT"},
        {"FREQ=DAILY;COUNT=99999999999", "COUNT"},
        {"FREQ=DAILY;COUNT=2;UNTIL=20260101", "COUNT"},
        {"FREQ=DAILY;INTERVAL=0", "INTERVAL"},
        {"FREQ=DAILY;INTERVAL=40000", "INTERVAL"},
        {"FREQ=DAILY;UNTIL=soon", "UNTIL"},
        {"FREQ=DAILY;UNTIL=20260230", "UNTIL"},
        {"FREQ=DAILY;BYMONTH=13", "BYMONTH"},
        {"FREQ=DAILY;BYMONTH=-1", "BYMONTH"},
        {"FREQ=YEARLY;BYWEEKNO=-55", "BYWEEKNO"},
        {"FREQ=YEARLY;BYYEARDAY=0", "BYYEARDAY"},
        {"FREQ=YEARLY;BYYEARDAY=1,,2", "BYYEARDAY"},
        {"FREQ=WEEKLY;BYDAY=1MO", "BYDAY"},
        {"FREQ=MONTHLY;BYDAY=XX", "BYDAY"},
        {"FREQ=MONTHLY;BYDAY=60MO", "BYDAY"},
        {"FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"},
        {"FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY"},
        {"FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO"},
        {"FREQ=DAILY;FREQ=WEEKLY", "FREQ"},
        {"FREQ=DAILY;BYEASTER=0", "BYEASTER"},
        {"RSCALE=CHINESE;FREQ=YEARLY", "RSCALE"},
        {"FREQ=DAILY;BYHOUR", "BYHOUR"},
        {"FREQ=YEARLY;BYMONTHDAY=" + std::string(3000, '1'), "RRULE"},
    };
    for (const auto& [rrule, part] : rows) {
        const auto checked = check_rrule(rrule);
        REQUIRE_MESSAGE(!checked.has_value(), rrule);
        CHECK_MESSAGE(checked.error().message.contains(part), checked.error().message);
    }
}

TEST_CASE("recurrence: the end of a series is known when it has one, and never too early") {
    const auto end = [](const Event& row) { return series_end(row).value(); };
    CHECK(!end(daily("2026-01-01T09:00:00")));
    CHECK(!end(daily("2026-01-01T09:00:00", "FREQ=SECONDLY;COUNT=2000000000")));
    CHECK(series_end(daily("2026-01-01T09:00:00", "FREQ=X")).error().code == ErrorCode::invalid);
    auto with_dates = daily("2026-01-01T09:00:00", "FREQ=DAILY;COUNT=2");
    with_dates.recurrence->rdate = {timed("2026-01-05T09:00:00")};
    const std::pair<Event, std::string_view> rows[] = {
        {daily("2026-01-01T09:00:00", "FREQ=DAILY;COUNT=5"), "2026-01-05T09:00:00Z"},
        {daily("2026-01-01T09:00:00", "FREQ=DAILY;UNTIL=20260105T080000Z"), "2026-01-05T09:00:00Z"},
        {with_dates, "2026-01-05T09:00:00Z"},
    };
    for (const auto& [row, last] : rows) {
        const auto when = end(row);
        REQUIRE(when.has_value());
        CHECK(*when >= utc(last));
        CHECK(*when <= utc(last) + std::chrono::days(4));
    }
}

TEST_CASE("recurrence: a change of this and all later occurrences moves those as far as its own") {
    auto later = replaces("2026-11-12T09:00:00", "2026-11-12T11:00:00");
    later.is_this_and_future = true;
    later.title = "Later";
    auto once = replaces("2026-11-14T09:00:00", "2026-11-14T20:00:00");
    once.id = "once";
    auto again = replaces("2026-11-15T09:00:00", "2026-11-16T08:30:00");
    again.id = "again";
    again.is_this_and_future = true;
    again.finish = again.start;
    const auto rows =
        std::vector{daily("2026-11-10T09:00:00", "FREQ=DAILY;COUNT=8"), later, once, again};
    CHECK(starts(rows, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z") ==
          Texts{"2026-11-10T08:00:00Z", "2026-11-11T08:00:00Z", "2026-11-12T10:00:00Z",
                "2026-11-13T10:00:00Z", "2026-11-14T19:00:00Z", "2026-11-16T07:30:00Z",
                "2026-11-17T07:30:00Z", "2026-11-18T07:30:00Z"});
    const auto got = expand(rows, {utc("2026-11-13T00:00:00Z"), utc("2026-11-14T00:00:00Z")});
    REQUIRE(got.events.size() == 1);
    const auto& moved = got.events[0];
    CHECK(moved.title == "Later");
    CHECK(moved.id == "s_20261113T080000Z");
    CHECK(moved.series_id == "s");
    CHECK(moved.recurrence_id == timed("2026-11-13T09:00:00"));
    CHECK_FALSE(moved.is_this_and_future);
    CHECK(moved.finish == timed("2026-11-13T12:00:00"));
    auto reversed = rows;
    std::ranges::reverse(reversed);
    CHECK(starts(reversed, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z") ==
          starts(rows, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
    // The last occurrence is moved out of the days on which the series itself happens.
    CHECK(starts(rows, "2026-11-18T00:00:00Z", "2026-11-19T00:00:00Z") ==
          Texts{"2026-11-18T07:30:00Z"});
}

TEST_CASE("recurrence: a change from here on keeps its wall clock, whatever zones name it") {
    struct Row {
        EventTime slot;
        EventTime start;
        std::string before, after;  // clocks change in Berlin on 2026-03-29, in New York on 03-08
    };
    for (const auto& row :
         {Row{timed("2026-03-02T09:00:00"), timed("2026-03-02T10:00:00"), "2026-03-27T09:00:00Z",
              "2026-03-30T08:00:00Z"},
          Row{timed("2026-03-02T08:00:00", "Etc/UTC"), timed("2026-03-02T10:00:00"),
              "2026-03-27T09:00:00Z", "2026-03-30T08:00:00Z"},
          Row{timed("2026-03-02T09:00:00"), timed("2026-03-02T04:00:00", "America/New_York"),
              "2026-03-27T09:00:00Z", "2026-03-30T08:00:00Z"},
          Row{timed("2026-03-02T09:00:00"), day("2026-03-03"), "2026-03-28", "2026-03-31"}}) {
        auto change = replaces("2026-03-02T09:00:00", "2026-03-02T09:00:00");
        change.recurrence_id = row.slot;
        change.start = row.start;
        change.finish = row.start.is_date ? day("2026-03-04") : row.start;
        change.is_this_and_future = true;
        const auto got = starts({daily("2026-02-27T09:00:00"), change}, "2026-03-27T02:00:00Z",
                                "2026-03-31T02:00:00Z");
        CHECK(std::ranges::count(got, row.before) == 1);
        CHECK(std::ranges::count(got, row.after) == 1);
    }
}

TEST_CASE("recurrence: a change begins at its slot, whatever zone names that") {
    auto row = series(timed("2026-11-10T09:00:00", "America/New_York"),
                      timed("2026-11-10T09:10:00", "America/New_York"), "FREQ=HOURLY;COUNT=5");
    auto change = event("o", timed("2026-11-10T11:20:00", "America/New_York"),
                        timed("2026-11-10T11:30:00", "America/New_York"));
    change.series_id = "s";
    change.recurrence_id = timed("2026-11-10T16:00:00", "Etc/UTC");
    change.is_this_and_future = true;
    CHECK(starts({row, change}, "2026-11-10T00:00:00Z", "2026-11-11T00:00:00Z") ==
          Texts{"2026-11-10T14:00:00Z", "2026-11-10T15:00:00Z", "2026-11-10T16:20:00Z",
                "2026-11-10T17:20:00Z", "2026-11-10T18:20:00Z"});
}

TEST_CASE("recurrence: of changes from here on the first hundred count, each other one is one") {
    std::vector rows{daily("2026-01-01T09:00:00")};
    for (int i = 1; i <= 101; ++i) {
        const auto slot = std::chrono::local_days(std::chrono::year(2026) / 1 / 1) +
                          std::chrono::days(i) + std::chrono::hours(9);
        auto change =
            replaces(format_local(slot), format_local(slot + std::chrono::hours(i == 101 ? 5 : 1)));
        change.id = std::to_string(i);
        change.is_this_and_future = true;
        rows.push_back(std::move(change));
    }
    CHECK(starts(rows, "2026-04-11T12:00:00Z", "2026-04-13T12:00:00Z") ==
          Texts{"2026-04-12T12:00:00Z", "2026-04-13T08:00:00Z"});
}

TEST_CASE("recurrence: a cancelled change from here on ends the series") {
    auto end = replaces("2026-11-12T09:00:00", "2026-11-12T09:00:00");
    end.is_this_and_future = true;
    end.status = "cancelled";
    CHECK(starts({daily("2026-11-10T09:00:00"), end}, "2026-11-01T00:00:00Z",
                 "2026-12-01T00:00:00Z") == Texts{"2026-11-10T08:00:00Z", "2026-11-11T08:00:00Z"});
}
