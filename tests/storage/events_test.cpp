#include "storage/events.h"

#include <doctest/doctest.h>

#include "calendar/zone.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::kNow;
using test::must;
using namespace std::chrono_literals;

namespace {

calendar::Event make_event(std::string id, Timestamp start, std::chrono::minutes length = 60min) {
    calendar::Event event;
    event.id = std::move(id);
    event.etag = "1";
    event.title = "Lesson";
    event.start = must(calendar::make_instant(start, "Europe/Berlin"));
    event.finish = must(calendar::make_instant(start + length, "Europe/Berlin"));
    return event;
}
calendar::Event make_series(std::string id, Timestamp start, std::string rrule) {
    auto event = make_event(std::move(id), start);
    event.recurrence = calendar::Recurrence{.rrule = std::move(rrule)};
    return event;
}
calendar::Event make_override(std::string id, std::string series, Timestamp original,
                              Timestamp start) {
    auto event = make_event(std::move(id), start);
    event.series_id = std::move(series);
    event.recurrence_id = must(calendar::make_instant(original, "Europe/Berlin"));
    return event;
}
calendar::Event make_day(std::string id, calendar::Date day) {
    calendar::Event event;
    event.id = std::move(id);
    event.start = calendar::make_date(day);
    event.finish = calendar::make_date(std::chrono::sys_days(day) + std::chrono::days{1});
    return event;
}

BatchCounts save(test::Scene& scene, const std::vector<calendar::Event>& events,
                 std::string_view run = "r1", std::string_view calendar_id = "primary") {
    return scene.write(
        [&](Sql& sql) { return save_events(sql, "c1", calendar_id, "ann", events, run); });
}
std::vector<std::string> ids_in(test::Scene& scene, Timestamp start, Timestamp finish) {
    std::vector<std::string> ids;
    for (const auto& event : must(find_events(scene.reader(), "c1", "primary", {start, finish})))
        ids.push_back(event.id);
    std::ranges::sort(ids);
    return ids;
}
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("events: one comes back as it was saved") {
    test::Scene scene;
    const auto event = make_event("e1", kNow);
    save(scene, {event});
    const auto found = must(find_events(scene.reader(), "c1", "primary", {kNow, kNow + 1h}));
    REQUIRE(found.size() == 1);
    CHECK(found[0] == event);
}

TEST_CASE("events: only a change of content counts, a new etag alone is kept quietly") {
    test::Scene scene;
    auto a = make_event("a", kNow), b = make_event("b", kNow);
    auto counts = save(scene, {a, b});
    CHECK(counts.created == 2);
    CHECK(counts.updated == 0);
    a.title = "Other lesson";
    b.etag = "2";
    counts = save(scene, {a, b, make_event("c", kNow)});
    CHECK(counts.created == 1);
    CHECK(counts.updated == 1);
    const auto found = must(find_events(scene.reader(), "c1", "primary", {kNow, kNow + 1h}));
    REQUIRE(found.size() == 3);
    for (const auto& event : found) {
        if (event.id == "a") CHECK(event.title == "Other lesson");
        if (event.id == "b") CHECK(event.etag == "2");
    }
    counts = save(scene, {a, b});
    CHECK(counts.created + counts.updated + counts.deleted == 0);
}

TEST_CASE("events: after a full pull what the run did not see is gone, in this calendar only") {
    test::Scene scene;
    const auto kept = make_event("kept", kNow);
    save(scene, {kept, make_event("gone", kNow)}, "r1");
    save(scene, {make_event("elsewhere", kNow)}, "r1", "other");
    save(scene, {kept}, "r2");
    CHECK(scene.write([](Sql& sql) { return delete_unseen_events(sql, "c1", "primary", "r2"); }) ==
          1);
    CHECK(ids_in(scene, kNow, kNow + 1h) == Ids{"kept"});
    CHECK(must(count_events(scene.reader(), "c1")) == 2);
}

TEST_CASE("events: deleting a series takes its overrides along, unknown ids are no error") {
    test::Scene scene;
    save(scene, {make_series("s", kNow, "FREQ=WEEKLY;COUNT=4"),
                 make_override("s_1", "s", kNow + 168h, kNow + 169h), make_event("e", kNow)});
    const auto remove = [&](std::vector<std::string> ids) {
        return scene.write([&](Sql& sql) { return delete_events(sql, "c1", "primary", ids); });
    };
    CHECK(remove({"s", "unknown", ""}) == 2);
    CHECK(ids_in(scene, kNow, kNow + 1000h) == Ids{"e"});
    CHECK(remove({"s"}) == 0);
}

TEST_CASE("events: the window finds what may happen in it") {
    test::Scene scene;
    const auto week = 168h;
    save(scene, {make_event("before", kNow - 2h), make_event("across", kNow - 30min),
                 make_event("at_end", kNow + 24h), make_event("inside", kNow + 3h),
                 make_series("endless", kNow - 100 * week, "FREQ=WEEKLY"),
                 make_series("over", kNow - 10 * week, "FREQ=WEEKLY;COUNT=3"),
                 make_series("later", kNow + 2 * week, "FREQ=WEEKLY"),
                 make_override("endless_moved_out", "endless", kNow + 1h, kNow + 90h),
                 make_override("endless_moved_in", "endless", kNow + 5 * week, kNow + 2h),
                 make_override("over_moved_in", "over", kNow - 9 * week, kNow + 2h),
                 make_override("over_old", "over", kNow - 9 * week, kNow - 8 * week)});
    CHECK(ids_in(scene, kNow, kNow + 24h) == Ids{"across", "endless", "endless_moved_in",
                                                 "endless_moved_out", "inside", "over_moved_in"});
}

TEST_CASE("events: an all-day event is found wherever its reader lives") {
    test::Scene scene;
    using namespace std::chrono;
    save(scene, {make_day("day", year{2026} / 11 / 20)});
    const Timestamp midnight = sys_days{year{2026} / 11 / 20};
    CHECK(ids_in(scene, midnight - 14h, midnight - 13h) == Ids{"day"});  // Kiritimati
    CHECK(ids_in(scene, midnight + 35h, midnight + 36h) == Ids{"day"});  // Honolulu is behind
    CHECK(ids_in(scene, midnight + 38h, midnight + 39h).empty());
    CHECK(ids_in(scene, midnight - 15h, midnight - 14h).empty());
}

TEST_CASE("events: a series whose rule cannot be read is not lost") {
    test::Scene scene;
    save(scene, {make_series("odd", kNow - 1000h, "FREQ=SOMETIMES")});
    CHECK(ids_in(scene, kNow, kNow + 1h) == Ids{"odd"});
}

TEST_CASE("calendars: the list becomes exactly the new one, the primary first") {
    test::Scene scene;
    const auto replace = [&](const std::vector<CalendarRow>& rows) {
        scene.write([&](Sql& sql) { return replace_calendars(sql, "c1", "ann", rows); });
    };
    replace({{.id = "old"}});
    replace({{.id = "b", .name = "B", .is_read_only = true, .color = "#ff0000"},
             {.id = "a", .is_primary = true, .time_zone = "Europe/Berlin"},
             {.id = "b", .name = "twice"}});
    const auto rows = must(list_calendars(scene.reader(), "c1", "ann"));
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].id == "a");
    CHECK(rows[0].time_zone == "Europe/Berlin");
    CHECK(rows[1].name == "B");
    CHECK(rows[1].is_read_only);
    CHECK(rows[1].color == "#ff0000");
}

TEST_CASE("cursors: the newest is found, each calendar has its own") {
    test::Scene scene;
    CHECK_FALSE(must(find_cursor(scene.reader(), "c1", "a")));
    scene.write([](Sql& sql) -> Result<void> {
        must(save_cursor(sql, "c1", "a", "1", kNow));
        must(save_cursor(sql, "c1", "a", "2", kNow));
        return save_cursor(sql, "c1", "b", "3", kNow);
    });
    CHECK(must(find_cursor(scene.reader(), "c1", "a")) == "2");
    scene.write([](Sql& sql) { return delete_cursor(sql, "c1", "a"); });
    CHECK_FALSE(must(find_cursor(scene.reader(), "c1", "a")));
    CHECK(must(find_cursor(scene.reader(), "c1", "b")) == "3");
}

TEST_CASE("events: a series whose later occurrences were moved past its end is found with all") {
    test::Scene scene;
    auto change = make_override("change", "s", kNow + 24h, kNow + 24h * 40);
    change.is_this_and_future = true;
    save(scene, {make_series("s", kNow, "FREQ=DAILY;COUNT=3"), change,
                 make_override("o", "s", kNow, kNow + 1h), make_event("e", kNow)});
    CHECK(ids_in(scene, kNow + 24h * 41, kNow + 24h * 42) == Ids{"change", "o", "s"});
    CHECK(ids_in(scene, kNow, kNow + 24h) == Ids{"change", "e", "o", "s"});
}

TEST_CASE("events: of a series that was read whole only what was read stays") {
    test::Scene scene;
    const auto series = make_series("s", kNow, "FREQ=DAILY");
    const auto kept = make_override("s#1", "s", kNow, kNow + 1h);
    save(scene, {series, kept, make_override("s#2", "s", kNow + 24h, kNow),
                 make_override("t#1", "t", kNow, kNow), make_event("e", kNow)});
    const auto keep_only = [&](const std::vector<calendar::Event>& events) {
        return scene.write([&](Sql& sql) {
            return delete_other_events(sql, "c1", "primary", {"s", "unknown"}, events);
        });
    };
    CHECK(keep_only({series, kept}) == 1);
    CHECK(ids_in(scene, kNow - 24h, kNow + 48h) == Ids{"e", "s", "s#1", "t#1"});
    CHECK(keep_only({kept}) == 1);
    CHECK(keep_only({}) == 1);
    CHECK(ids_in(scene, kNow - 24h, kNow + 48h) == Ids{"e", "t#1"});
}
