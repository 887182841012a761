#include "calendar/barren.h"

#include <libical/ical.h>

#include "samples.h"

using namespace calhost;
using namespace calhost::calendar;
using namespace std::chrono;

namespace {

struct Row {
    std::string rrule;
    std::string start = "2026-01-05T09:00:00";  // a Monday
};

bool is_barren_from(const Row& row) {
    return is_barren(parse_rule(row.rrule).value(), parse_local(row.start).value());
}

bool has_times_in_libical(const Row& row) {
    auto when = row.start;
    std::erase_if(when, [](char c) { return c == '-' || c == ':'; });
    auto* iterator = icalrecur_iterator_new(icalrecurrencetype_from_string(row.rrule.c_str()),
                                            icaltime_from_string(when.c_str()));
    if (iterator == nullptr) return false;
    const bool has_one = icaltime_is_null_time(icalrecur_iterator_next(iterator)) == 0;
    icalrecur_iterator_free(iterator);
    return has_one;
}

}  // namespace

TEST_CASE("barren: rules that never give a day are found, without asking libical") {
    for (const auto& row :
         std::vector<Row>{{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"},
                          {"FREQ=YEARLY;BYMONTH=2,4,6;BYMONTHDAY=31,-31"},
                          {"FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"},
                          {"FREQ=MONTHLY;BYMONTH=2", "2026-01-30T09:00:00"},
                          {"FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "2026-02-05T09:00:00"},
                          {"FREQ=MONTHLY;INTERVAL=2;BYMONTH=2,4"},
                          {"FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"},
                          {"FREQ=YEARLY;INTERVAL=10000;BYMONTHDAY=30;BYMONTH=2"},
                          {"FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1,2,28"},
                          {"FREQ=MONTHLY;BYDAY=-1FR;BYMONTHDAY=21"},
                          {"FREQ=MONTHLY;BYDAY=6MO"},
                          {"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6"},
                          {"FREQ=MONTHLY;BYMONTHDAY=31;BYSETPOS=-2"},
                          {"FREQ=MONTHLY;BYHOUR=3,4;BYSETPOS=2"},
                          {"FREQ=YEARLY;BYMONTHDAY=31", "2026-04-05T09:00:00"},
                          {"FREQ=YEARLY;BYMONTH=12;BYDAY=53MO"},
                          {"FREQ=YEARLY;BYDAY=MO;BYSETPOS=60"},
                          {"FREQ=YEARLY;BYMONTH=3;BYDAY=53MO"},
                          {"FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=31;BYDAY=1MO"},
                          {"FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1"},
                          {"FREQ=YEARLY;BYYEARDAY=-1;BYMONTHDAY=30"},
                          {"FREQ=YEARLY;BYWEEKNO=20;BYMONTH=12"},
                          {"FREQ=YEARLY;BYWEEKNO=-53;BYMONTH=6"},
                          // Only the end of week 53 can be in January.
                          {"FREQ=YEARLY;BYWEEKNO=53;BYMONTH=1"},
                          {"FREQ=YEARLY;BYWEEKNO=53;BYMONTH=1;BYDAY=SU;WKST=SU"}}) {
        CAPTURE(row.rrule);
        CHECK(is_barren_from(row));
    }
}

TEST_CASE("barren: no rule that gives a time is called so") {
    for (const auto& row :
         std::vector<Row>{{"FREQ=YEARLY"},
                          {"FREQ=YEARLY", "2024-02-29T09:00:00"},
                          {"FREQ=MONTHLY", "2026-01-31T09:00:00"},
                          {"FREQ=MONTHLY;BYMONTH=2", "2026-01-29T09:00:00"},
                          {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO"},
                          {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "2077-01-05T09:00:00"},
                          {"FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=29", "2026-02-05T09:00:00"},
                          {"FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=-29;BYDAY=TU"},
                          {"FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=29"},
                          {"FREQ=MONTHLY;BYDAY=-1FR;BYMONTHDAY=22,13"},
                          {"FREQ=MONTHLY;BYDAY=-5SU"},
                          {"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-5"},
                          {"FREQ=MONTHLY;BYMONTHDAY=31,30;BYHOUR=3,4;BYSETPOS=2"},
                          {"FREQ=YEARLY;BYDAY=53MO"},
                          {"FREQ=YEARLY;BYDAY=-53FR"},
                          {"FREQ=YEARLY;BYMONTH=12;BYDAY=-1MO"},
                          {"FREQ=YEARLY;BYDAY=MO;BYSETPOS=53"},
                          {"FREQ=YEARLY;BYYEARDAY=366"},
                          {"FREQ=YEARLY;BYYEARDAY=-366"},
                          {"FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH"},
                          {"FREQ=YEARLY;BYWEEKNO=-53;BYDAY=TH"},
                          {"FREQ=YEARLY;BYWEEKNO=20", "2021-04-03T09:00:00"},
                          {"FREQ=YEARLY;BYDAY=5MO;BYMONTHDAY=31", "2026-01-28T09:00:00"},
                          {"FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;WKST=SU"},
                          {"FREQ=YEARLY;BYWEEKNO=-1;BYDAY=WE"},
                          {"FREQ=YEARLY;BYWEEKNO=53;BYMONTH=1;BYDAY=SU"},
                          {"FREQ=YEARLY;BYWEEKNO=20;BYDAY=SU,TU"}}) {
        CAPTURE(row.rrule);
        CHECK(has_times_in_libical(row));
        CHECK_FALSE(is_barren_from(row));
    }
    // Ends at the window's end by itself.
    CHECK_FALSE(is_barren_from({"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}));
}
