// Occurrences against libical's own walk from the first one, with no shortcut: UTC has no gaps.
#include <fmt/format.h>
#include <libical/ical.h>

#include <algorithm>
#include <random>
#include <set>

#include "calendar/icalendar.h"
#include "libical_reference.h"
#include "reference_files.h"
#include "samples.h"

using namespace calhost;
using namespace calhost::calendar;
using namespace calhost::calendar::test;
using namespace std::chrono;

namespace {

/// Every start of the rule before `end`, as basic local text.
std::set<std::string> walk(const std::string& rrule, const std::string& start,
                           const std::string& end) {
    std::set<std::string> starts{start};
    auto* iterator = icalrecur_iterator_new(icalrecurrencetype_from_string(rrule.c_str()),
                                            icaltime_from_string(start.c_str()));
    while (iterator != nullptr) {
        const auto next = icalrecur_iterator_next(iterator);
        if (icaltime_is_null_time(next) != 0) break;
        std::string text = icaltime_as_ical_string(next);
        if (text >= end) break;
        starts.insert(std::move(text));
    }
    if (iterator != nullptr) icalrecur_iterator_free(iterator);
    return starts;
}

std::string basic(local_seconds local) {
    auto text = format_local(local);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

std::string random_rule(std::mt19937& random) {
    const auto pick = [&](std::initializer_list<const char*> words) {
        return std::string(*(words.begin() + random() % words.size()));
    };
    const auto freq = pick({"DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"});
    auto rule = "FREQ=" + freq;
    if (random() % 2 == 0) rule += ";INTERVAL=" + std::to_string(1 + random() % 5);
    if (random() % 6 == 0) rule += ";WKST=SU";
    const bool is_long = freq == "MONTHLY" || freq == "YEARLY";
    if (random() % 2 == 0)
        rule += ";BYDAY=" + (is_long ? pick({"MO", "1MO,-1FR", "TU,SU", "2WE"})
                                     : pick({"MO", "MO,WE,FR", "SA,SU", "TU"}));
    else if (is_long && random() % 2 == 0)
        rule += ";BYMONTHDAY=" + pick({"1", "31", "15,-1", "29", "5,6,7"});
    if (random() % 4 == 0) rule += ";BYMONTH=" + pick({"1", "2,3", "12", "6,7,8"});
    if (random() % 6 == 0 && freq != "HOURLY") rule += ";BYHOUR=" + pick({"9", "8,20"});
    if (is_long && rule.contains("BYDAY=TU") && random() % 2 == 0)
        rule += ";BYSETPOS=" + pick({"1", "-1", "2"});
    return rule;
}

}  // namespace

TEST_CASE("libical: windows far from the start hold what a walk from the start gives") {
    std::mt19937 random(11);
    std::size_t compared = 0;
    for (int round = 0; round < 400; ++round) {
        const auto rrule = random_rule(random);
        const auto start = local_days(2019y / 1 / 1) + days(random() % 1500) +
                           hours(random() % 24) + minutes(random() % 60);
        const auto from = start + days(random() % 2500), to = from + days(1 + random() % 40);
        const auto row = series(make_local(start, "Etc/UTC").value(),
                                make_local(start + minutes(1), "Etc/UTC").value(), rrule);
        const auto got =
            expand({row}, {Timestamp(from.time_since_epoch()), Timestamp(to.time_since_epoch())});
        std::set<std::string> ours, theirs;
        for (const auto& one : got.events) ours.insert(basic(one.start.local));
        for (const auto& text : walk(rrule, basic(start), basic(to)))
            if (text >= basic(from)) theirs.insert(text);
        if (got.is_cut) continue;
        compared += theirs.size();
        CHECK_MESSAGE(ours == theirs, fmt::format("{} from {} in {} to {}:\n{}\n{}", rrule,
                                                  basic(start), basic(from), basic(to),
                                                  fmt::join(ours, " "), fmt::join(theirs, " ")));
    }
    CHECK(compared > 1000);
}

TEST_CASE("libical: other programs' series have the starts that a plain walk gives") {
    const auto folder = reference_folder();
    if (!folder) return;
    std::size_t compared = 0;
    for (const auto& file : std::filesystem::directory_iterator(*folder)) {
        if (file.path().extension() != ".ics") continue;
        const auto text = text_of(file.path());
        for (auto row : read_icalendar(text).value().events) {
            if (!row.is_series() || row.recurrence->rrule.empty()) continue;
            // The rule alone, and without UNTIL, which libical reads in another zone.
            auto& rule = row.recurrence->rrule;
            if (const auto at = rule.find(";UNTIL="); at != std::string::npos)
                rule.erase(at, rule.find(';', at + 1) - at);
            row.recurrence->rdate.clear();
            row.recurrence->exdate.clear();
            const auto begin =
                row.is_all_day() ? local_seconds(local_days(row.start.date)) : row.start.local;
            const auto first = row.start.instant;
            std::set<std::string> ours;
            for (const auto& one : expand({row}, {first, first + days(366)}).events)
                ours.insert(basic(one.is_all_day() ? local_seconds(local_days(one.start.date))
                                                   : one.start.local));
            std::set<std::string> theirs;
            for (const auto& when : walk(rule, basic(begin), basic(begin + days(366) - hours(2))))
                theirs.insert(when);
            std::erase_if(ours, [&](const auto& when) {
                return when >= basic(begin + days(366) - hours(2));
            });
            CHECK_MESSAGE(ours == theirs, file.path().filename().string() << " " << rule);
            compared += theirs.size();
        }
    }
    CHECK(compared > 100);
}

TEST_CASE("libical: everything that happens in other programs' calendars is what libical says") {
    const auto folder = reference_folder();
    if (!folder) return;
    std::size_t compared = 0;
    for (const auto& file : std::filesystem::directory_iterator(*folder)) {
        const auto name = file.path().filename().string();
        // libical does not read changes of all later occurrences.
        if (file.path().extension() != ".ics" || name.contains("range_parameter")) continue;
        const auto text = text_of(file.path());
        const auto calendar = read_icalendar(text).value();
        for (int from = 1994; from < 2030; ++from) {
            const auto start = utc(std::to_string(from) + "-11-21T00:00:00Z");
            const Window window{start, start + days(366)};
            const Reference theirs(text, window);
            const auto ours = lines_of(expand(calendar.events, window).events);
            CHECK_MESSAGE(ours == theirs.occurrences(),
                          name << " from " << from << difference_of(ours, theirs.occurrences()));
            compared += ours.size();
        }
    }
    CHECK(compared > 5000);
}

TEST_CASE("libical: a real file whose changes move all later occurrences expands as it says") {
    const auto folder = reference_folder();
    if (!folder) return;
    const auto text = text_of(*folder / "issue_75_range_parameter.ics");
    const auto got = expand(read_icalendar(text).value().events,
                            {utc("2024-09-11T00:00:00Z"), utc("2024-09-27T00:00:00Z")});
    std::string all;
    for (const auto& one : got.events)
        all += fmt::format("{} {}m|", format_rfc3339(one.start.instant).substr(5, 11),
                           (one.finish.instant - one.start.instant) / minutes(1));
    CHECK(all ==
          "09-11T12:00 120m|09-13T09:00 420m|09-14T06:00 420m|09-15T17:00 120m|09-17T09:00 420m|"
          "09-19T09:00 420m|09-22T14:22 111m|09-24T14:22 111m|09-26T14:22 111m|");
}
