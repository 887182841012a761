#include "calendar/rule_fields.h"

#include "samples.h"

using namespace calhost;
using namespace calhost::calendar;
using namespace calhost::calendar::test;

namespace {

std::string back(const std::string& rrule, const EventTime& start = timed("2026-11-27T12:00:00")) {
    const auto fields = parse_rule_fields(rrule, start);
    REQUIRE_MESSAGE(fields.has_value(), fields.error().message);
    return format_rule_fields(*fields).value();
}

bool has_start(const std::string& rrule, std::string_view start) {
    return parse_rule_fields(rrule, timed(start)).value().has_start;
}

}  // namespace

TEST_CASE("rule fields: a rule comes back in one form, with what it left to the start") {
    for (const auto& [rrule, text] : std::vector<std::pair<std::string, std::string>>{
             {"FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=3"},
             {"interval=2;freq=daily;byhour=9,17", "FREQ=DAILY;INTERVAL=2;BYHOUR=9,17"},
             {"FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=FR"},
             {"FREQ=WEEKLY;WKST=SU;BYDAY=SU,WE,MO", "FREQ=WEEKLY;BYDAY=MO,WE,SU;WKST=SU"},
             {"FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=27"},
             {"FREQ=MONTHLY;BYDAY=2TU,-1FR", "FREQ=MONTHLY;BYDAY=2TU,-1FR"},
             {"FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1"},
             {"FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=27"},
             {"FREQ=YEARLY;BYMONTH=2,3", "FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=27"},
             {"FREQ=YEARLY;BYMONTHDAY=15", "FREQ=YEARLY;BYMONTHDAY=15"},
             {"FREQ=YEARLY;BYWEEKNO=48", "FREQ=YEARLY;BYWEEKNO=48"},
             {"FREQ=YEARLY;BYYEARDAY=-1", "FREQ=YEARLY;BYYEARDAY=-1"},
             {"FREQ=YEARLY;BYDAY=4FR", "FREQ=YEARLY;BYDAY=4FR"},
             {"FREQ=HOURLY;BYMINUTE=0;BYSECOND=30", "FREQ=HOURLY;BYMINUTE=0;BYSECOND=30"}}) {
        CAPTURE(rrule);
        CHECK(back(rrule) == text);
        CHECK(back(text) == text);
    }
    CHECK(parse_rule_fields("FREQ=WEEKLY;BYDAY=XX", day("2026-11-27")).error().code ==
          ErrorCode::invalid);
    CHECK(format_rule_fields({.freq = "WEEKLY"}).error().code == ErrorCode::invalid);
}

TEST_CASE("rule fields: the end is the latest start that an occurrence may have") {
    const auto start = timed("2026-11-27T12:00:00");
    const auto last = [](const char* until, const EventTime& from) {
        return parse_rule_fields(std::string("FREQ=DAILY;UNTIL=") + until, from).value().last;
    };
    CHECK(last("20261211T110000Z", start) == timed("2026-12-11T12:00:00"));
    CHECK(last("20261211T105959Z", start) == timed("2026-12-10T12:00:00"));
    CHECK(last("20261211T130000", start) == timed("2026-12-11T12:00:00"));
    CHECK(last("20261211", start) == timed("2026-12-11T12:00:00"));
    CHECK(last("20261211", day("2026-11-27")) == day("2026-12-11"));
    CHECK(last("20261211T110000Z", day("2026-11-27")) == day("2026-12-11"));
    CHECK(back("FREQ=DAILY;UNTIL=20261211T130000Z", start) == "FREQ=DAILY;UNTIL=20261211T110000Z");
    CHECK(back("FREQ=DAILY;UNTIL=20261211T130000Z", day("2026-11-27")) ==
          "FREQ=DAILY;UNTIL=20261211");
}

TEST_CASE("rule fields: whether the rule gives its own start") {
    for (const auto& [rrule, start, is_given] :
         std::vector<std::tuple<std::string, std::string, bool>>{
             {"FREQ=DAILY;INTERVAL=3", "2026-11-27", true},
             {"FREQ=DAILY;BYDAY=MO,TU", "2026-11-27", false},
             {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU", "2026-11-27", true},
             {"FREQ=WEEKLY;BYDAY=MO", "2026-11-27", false},
             {"FREQ=MONTHLY;BYDAY=2TU", "2026-11-27", false},
             {"FREQ=MONTHLY;BYDAY=2TU", "2026-12-08", true},
             {"FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", true},
             {"FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2", "2026-12-08", true},
             {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30", true},
             {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-27", false},
             {"FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-11-30", true},
             {"FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-11-29", false},
             {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30", true},
             {"FREQ=MONTHLY;BYMONTHDAY=31", "2026-11-30", false},
             {"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26", true},
             {"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-19", false},
             {"FREQ=YEARLY;BYMONTH=12", "2026-11-27", false},
             {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-11-27", false},
             {"FREQ=DAILY;COUNT=1;BYHOUR=9", "2026-11-27", false},
             {"FREQ=DAILY;UNTIL=20200101", "2026-11-27", true}}) {
        CAPTURE(rrule);
        CAPTURE(start);
        CHECK(has_start(rrule, start + "T12:00:00") == is_given);
    }
}
