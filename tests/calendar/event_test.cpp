#include "calendar/event.h"
#include "calendar/event_record.h"

#include "samples.h"

using namespace calhost;
using namespace calhost::calendar;
using namespace calhost::calendar::test;

namespace {

Event meeting() { return event("m", timed("2026-11-20T09:00:00"), timed("2026-11-20T10:00:00")); }

/// An event with something in every member.
Event full() {
    auto row = meeting();
    row.etag = "\"7\"";
    row.uid = "m@example.com";
    row.title = "Größe \"x\" \\ \t\x01 \n end";
    row.description = "<p>hi</p>";
    row.description_format = "html";
    row.location = "Room 1; second, floor";
    row.url = "https://example.com/?a=1&b=2";
    row.busy = "oof";
    row.status = "tentative";
    row.visibility = "private";
    row.categories = {"a,b", "c"};
    row.color = "#a1b2c3";
    row.reminders = {{"popup", 10}, {"email", 1440}};
    row.recurrence = Recurrence{
        "FREQ=WEEKLY;COUNT=4",
        {timed("2026-11-21T09:00:00"), day("2026-11-22")},
        {timed("2026-11-27T09:00:00"), make_instant(utc("2026-10-25T01:30:00Z")).value()}};
    row.series_id = "x";
    row.recurrence_id = timed("2026-11-20T09:00:00", "America/New_York");
    row.attendees = {{"a@example.com", "A; \"B\"", "required", "accepted", true},
                     {"b@example.com", "", "optional", "needs_action", false}};
    row.organizer = "o@example.com";
    row.is_organizer = false;
    row.sequence = 3;
    row.created = utc("2026-01-01T00:00:00Z");
    row.updated = utc("2026-01-02T00:00:00.123Z");
    row.marks = {{"source_id", "abc"}, {"rev", ""}};
    row.extra = {{"deep", {{"list", {1, -2.5, true, nullptr, "x"}}}}};
    return row;
}

}  // namespace

TEST_CASE("event: a sound event passes, a timed one of no length too") {
    CHECK(check_event(meeting()).has_value());
    CHECK(check_event(event("d", day("2026-11-20"), day("2026-11-21"))).has_value());
    CHECK(check_event(event("z", timed("2026-11-20T09:00:00"), timed("2026-11-20T09:00:00")))
              .has_value());
    auto row = full();
    row.recurrence_id.reset();
    CHECK(check_event(row).has_value());
}

TEST_CASE("event: what no calendar can hold is refused, and the field is named") {
    const std::pair<std::string_view, void (*)(Event&)> rows[] = {
        {"finish", [](Event& e) { e.finish = timed("2026-11-20T08:59:59"); }},
        {"finish", [](Event& e) { e.finish = day("2026-11-21"); }},
        {"finish", [](Event& e) { e.start = e.finish = day("2026-11-21"); }},
        {"finish", [](Event& e) { e.finish.local += std::chrono::years(8000); }},
        {"start", [](Event& e) { e.start.zone = "Mars/Olympus"; }},
        {"start", [](Event& e) { e.start.zone.clear(); }},
        {"start", [](Event& e) { e.start = day("2026-11-20"), e.start.date = Date(); }},
        {"busy", [](Event& e) { e.busy = "maybe"; }},
        {"status", [](Event& e) { e.status = ""; }},
        {"visibility", [](Event& e) { e.visibility = "secret"; }},
        {"description_format", [](Event& e) { e.description_format = "rtf"; }},
        {"reminders.method", [](Event& e) { e.reminders = {{"sms", 5}}; }},
        {"reminders.minutes", [](Event& e) { e.reminders = {{"popup", -5}}; }},
        {"attendees.role", [](Event& e) { e.attendees = {{"a@b", "", "boss", "", false}}; }},
        {"attendees.response", [](Event& e) { e.attendees = {{"a@b", "", "", "yes", false}}; }},
        {"color", [](Event& e) { e.color = "red"; }},
        {"title", [](Event& e) { e.title = "\xff"; }},
        {"FREQ", [](Event& e) { e.recurrence = Recurrence{"FREQ=OFTEN", {}, {}}; }},
        {"exdate", [](Event& e) { e.recurrence = Recurrence{"FREQ=DAILY", {}, {EventTime{}}}; }},
        {"recurrence_id", [](Event& e) { e.recurrence_id = EventTime{}; }},
        {"recurrence",
         [](Event& e) {
             e.recurrence = Recurrence{"FREQ=DAILY", {}, {}};
             e.recurrence_id = e.start;
         }},
    };
    for (const auto& [field, spoil] : rows) {
        auto row = meeting();
        spoil(row);
        const auto checked = check_event(row);
        REQUIRE_MESSAGE(!checked.has_value(), field);
        CHECK(checked.error().code == ErrorCode::invalid);
        CHECK_MESSAGE(checked.error().message.contains(field), checked.error().message);
    }
}

TEST_CASE("event: the stored form gives back the same event") {
    for (const auto& row : {full(), meeting(), event("d", day("2026-11-20"), day("2026-11-21"))}) {
        const auto text = to_json_text(row);
        const auto back = from_json_text(text);
        REQUIRE_MESSAGE(back.has_value(), text);
        CHECK_MESSAGE(*back == row, text);
    }
    auto none = meeting();
    none.reminders.emplace();
    CHECK(from_json_text(to_json_text(none)).value() == none);
}

TEST_CASE("event: the stored form leaves the usual out and ignores what it does not know") {
    CHECK(to_json_text(meeting()) ==
          R"({"id":"m","title":"Talk","start":{"local":1795165200,"zone":"Europe/Berlin",)"
          R"("instant":1795161600000},"finish":{"local":1795168800,"zone":"Europe/Berlin",)"
          R"("instant":1795165200000}})");
    const auto read =
        from_json_text(R"({"id":"m","later":[1],"start":{"date":"2026-11-20","x":1}})");
    REQUIRE(read.has_value());
    CHECK(read->start == day("2026-11-20"));
}

TEST_CASE("event: a stored form that is none is refused") {
    for (const std::string_view text :
         {"", "[]", "{", R"({"id":1})", R"({"start":{"date":"soon"}})", R"({"sequence":"1"})",
          R"({"reminders":[{"minutes":99999999999}]})", R"({"marks":{"a":1}})", R"({"extra":1}x)"})
        CHECK_MESSAGE(!from_json_text(text).has_value(), text);
}

TEST_CASE("event record: gives back the same event, also what was stored as JSON") {
    auto rows = std::vector{full(), meeting(), event("d", day("2026-11-20"), day("2026-11-21"))};
    rows.push_back(meeting());
    rows.back().reminders.emplace();
    rows.back().title = std::string("5:a\0{}", 6);
    rows.back().created = utc("1969-12-31T23:59:59.999Z");
    for (const auto& row : rows)
        for (const auto& text : {to_record(row), to_json_text(row)}) {
            Event back;
            REQUIRE_MESSAGE(read_record(back, text).has_value(), text);
            CHECK_MESSAGE(back == row, text);
        }
}

TEST_CASE("event record: leaves the usual out and ignores what it does not know") {
    CHECK(to_record(meeting()) ==
          "i1:mt4:Talks38:1795165200 1795161600000 Europe/Berlin"
          "f38:1795168800 1795165200000 Europe/Berlin");
    Event read;
    REQUIRE(read_record(read,
                        "i1:mZ3:new\xc3"
                        "2:??s10:2026-11-20")
                .has_value());
    CHECK(read.start == day("2026-11-20"));
}

TEST_CASE("event record: one that is damaged is refused") {
    for (const std::string_view text :
         {"", "t1:x", "i", "i1", "i1:", "i2:m", "i:m", "i-1:m", "i99999999999999999999:m",
          "i1:ms4:soon", "i1:ms3:1 x", "i1:mn1:x", "i1:mn0:", "i1:mx2:[]", R"(i1:mx10:{"marks":7})",
          "{"}) {
        Event into;
        CHECK_MESSAGE(!read_record(into, text).has_value(), text);
    }
}

TEST_CASE("event: a cancelled all-day occurrence may name its slot and no length") {
    auto row = event("s_20261120", day("2026-11-20"), day("2026-11-20"));
    row.series_id = "s";
    row.recurrence_id = day("2026-11-20");
    CHECK_FALSE(check_event(row).has_value());
    row.status = "cancelled";
    CHECK(check_event(row).has_value());
    row.finish = day("2026-11-19");
    CHECK_FALSE(check_event(row).has_value());
}

TEST_CASE("event: the content hash is the same on every host and in every version") {
    CHECK(content_hash(Event{}) == "353c27a8a366dc2a162660c897318516");
    CHECK(content_hash(meeting()) == "d869d86ce55a650a7779e192852a8d74");
    CHECK(content_hash(full()) == "bb1ab0a0a4aadbfebd158385906c9dc8");
}

TEST_CASE("event: every part of the content changes the hash, bookkeeping does not") {
    const auto before = content_hash(full());
    const std::pair<std::string_view, void (*)(Event&)> content[] = {
        {"title", [](Event& e) { e.title += " "; }},
        {"description", [](Event& e) { e.description.clear(); }},
        {"description_format", [](Event& e) { e.description_format = "text"; }},
        {"moved text", [](Event& e) { e.title += e.location, e.location.clear(); }},
        {"location", [](Event& e) { e.location = "x"; }},
        {"url", [](Event& e) { e.url = "x"; }},
        {"start", [](Event& e) { e.start = timed("2026-11-20T09:00:01"); }},
        {"series' zone", [](Event& e) { e.start = timed("2026-11-20T09:00:00", "Europe/Paris"); }},
        {"finish", [](Event& e) { e.finish = timed("2026-11-20T11:00:00"); }},
        {"busy", [](Event& e) { e.busy = "free"; }},
        {"status", [](Event& e) { e.status = "cancelled"; }},
        {"visibility", [](Event& e) { e.visibility = "public"; }},
        {"categories", [](Event& e) { e.categories.pop_back(); }},
        {"color", [](Event& e) { e.color.clear(); }},
        {"reminders", [](Event& e) { e.reminders.reset(); }},
        {"no reminders", [](Event& e) { e.reminders->clear(); }},
        {"rrule", [](Event& e) { e.recurrence->rrule = "FREQ=DAILY"; }},
        {"exdate", [](Event& e) { e.recurrence->exdate.pop_back(); }},
        {"date into exdate",
         [](Event& e) {
             e.recurrence->exdate.push_back(e.recurrence->rdate.back());
             e.recurrence->rdate.pop_back();
         }},
        {"recurrence_id", [](Event& e) { e.recurrence_id.reset(); }},
        {"response", [](Event& e) { e.attendees[0].response = "declined"; }},
        {"organizer", [](Event& e) { e.organizer.clear(); }},
    };
    for (const auto& [name, change] : content) {
        auto row = full();
        change(row);
        CHECK_MESSAGE(content_hash(row) != before, name);
    }
    auto row = full();
    row.id = row.etag = row.uid = row.series_id = "other";
    row.sequence = 9;
    row.created = row.updated = std::nullopt;
    row.marks.clear();
    row.extra = nullptr;
    CHECK(content_hash(row) == before);
}

TEST_CASE("event: a single event told in another zone is the same content, a date never a time") {
    auto berlin = meeting(), london = meeting();
    london.start = timed("2026-11-20T08:00:00", "Europe/London");
    london.finish = timed("2026-11-20T09:00:00", "Europe/London");
    CHECK(content_hash(berlin) == content_hash(london));
    const auto whole = event("d", day("2026-11-20"), day("2026-11-21"));
    const auto midnight = event("d", timed("2026-11-20T00:00:00", "Etc/UTC"),
                                timed("2026-11-21T00:00:00", "Etc/UTC"));
    CHECK(content_hash(whole) != content_hash(midnight));
}
