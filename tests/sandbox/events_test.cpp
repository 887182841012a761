#include "sandbox/bed.h"

namespace calhost::sandbox {
namespace {

const std::string kEvents = "/calendar/v3/calendars/primary/events";
const std::string kWeekly = R"(,"recurrence":["RRULE:FREQ=WEEKLY;COUNT=4"])";

std::string at(std::string id) { return kEvents + "/" + std::move(id); }

TEST_CASE("events: an insert answers what was stored, in the calendar's zone") {
    auto bed = Bed::connected();
    const auto id = bed->add("Lunch", "2026-11-20T12:00:00Z");
    const auto event = body_of(bed->send("GET", at(id)));
    CHECK(text_of(event.at("start"), "dateTime") == "2026-11-20T13:00:00+01:00");
    CHECK(text_of(event.at("start"), "timeZone") == "Europe/Berlin");
    CHECK(text_of(event, "status") == "confirmed");
    CHECK(text_of(event, "iCalUID") == id + "@google.com");
    CHECK(text_of(body_of(bed->send("GET", at(id) + "?timeZone=America/New_York")).at("start"),
                  "dateTime") == "2026-11-20T07:00:00-05:00");
}

TEST_CASE("events: bad bodies are refused by name") {
    auto bed = Bed::connected();
    const std::string when =
        R"("start":{"dateTime":"2026-11-20T12:00:00Z"},"end":{"dateTime":"2026-11-20T13:00:00Z"})";
    const struct {
        std::string body, reason;
    } cases[] = {
        {"{", "400 parseError"},
        {"{}", "400 required"},
        {R"({"start":{"date":"2026-11-20"},"end":{"dateTime":"2026-11-20T13:00:00Z"}})",
         "400 invalid"},
        {R"({"start":{"date":"2026-11-20"},"end":{"date":"2026-11-20"}})", "400 timeRangeEmpty"},
        {R"({"start":{"dateTime":"2026-11-20T12:00:00"},"end":{"dateTime":"2026-11-20T13:00:00Z"}})",
         "400 required"},
        {R"({"start":{"date":"2026-11-20","dateTime":"2026-11-20T12:00:00Z"},"end":{"date":"2026-11-21"}})",
         "400 invalid"},
        {"{" + when + R"(,"recurrence":["RRULE:FREQ=DAILY"]})", "400 required"},
        {"{" + when + R"(,"summary":7})", "400 invalid"},
        {"{" + when + R"(,"colorId":"12"})", "400 invalid"},
        {"{" + when + R"(,"id":"WXYZ-"})", "400 invalid"},
        {"{" + when + R"(,"id":"abcde","iCalUID":"x@y"})", "400 invalid"},
        {"{" + when + R"(,"attendees":[{"displayName":"Bob"}]})", "400 invalid"},
        {"{" + when +
             R"(,"reminders":{"useDefault":true,"overrides":[{"method":"popup","minutes":5}]}})",
         "400 cannotUseDefaultRemindersAndSpecifyOverride"},
        {"{" + when +
             R"(,"reminders":{"useDefault":false,"overrides":[{"method":"popup","minutes":40321}]}})",
         "400 invalid"},
        {"{" + when + R"(,"extendedProperties":{"private":{"k":1}}})", "400 invalid"},
    };
    for (const auto& [body, reason] : cases) {
        CAPTURE(body);
        CHECK(reason_of(bed->send("POST", kEvents, body)) == reason);
    }
}

TEST_CASE("events: a chosen id is taken once, even after the event was deleted") {
    auto bed = Bed::connected();
    bed->add("A", "2026-11-20T12:00:00Z", R"(,"id":"0123456789abcdefv")");
    const std::string again =
        R"({"id":"0123456789abcdefv","start":{"date":"2026-11-20"},"end":{"date":"2026-11-21"}})";
    CHECK(reason_of(bed->send("POST", kEvents, again)) == "409 duplicate");
    CHECK(bed->send("DELETE", at("0123456789abcdefv")).status == 204);
    CHECK(reason_of(bed->send("POST", kEvents, again)) == "409 duplicate");
    CHECK(text_of(body_of(bed->send("GET", at("0123456789abcdefv"))), "status") == "cancelled");
    CHECK(reason_of(bed->send("DELETE", at("0123456789abcdefv"))) == "410 deleted");
    CHECK(bed->send("PATCH", at("0123456789abcdefv"), R"({"status":"confirmed"})").status == 200);
    CHECK(items_of(bed->send("GET", kEvents)) == "A");
}

TEST_CASE("events: patch merges, null deletes, arrays are replaced; update replaces all") {
    auto bed = Bed::connected();
    const auto id = bed->add(
        "A", "2026-11-20T12:00:00Z",
        R"(,"location":"Here","attendees":[{"email":"b@x.example"},{"email":"c@x.example"}],)"
        R"("extendedProperties":{"private":{"k":"v","l":"w"}})");
    auto event = body_of(bed->send(
        "PATCH", at(id),
        R"({"location":null,"attendees":[{"email":"d@x.example"}],"extendedProperties":{"private":{"k":null}}})"));
    CHECK(json::find(event, "location") == nullptr);
    CHECK(event.at("attendees").as_array().size() == 1);
    CHECK(event.at("extendedProperties").at("private") == json::object{{"l", "w"}});
    CHECK(text_of(event, "summary") == "A");
    event = body_of(
        bed->send("PUT", at(id), R"({"start":{"date":"2026-11-22"},"end":{"date":"2026-11-23"}})"));
    CHECK(json::find(event, "summary") == nullptr);
    CHECK(json::find(event, "attendees") == nullptr);
    CHECK(event.at("start") == json::object{{"date", "2026-11-22"}});
    CHECK(event.at("sequence").as_int64() == 1);
}

TEST_CASE("events: If-Match guards every change, If-None-Match saves a read") {
    auto bed = Bed::connected();
    const auto id = bed->add("A", "2026-11-20T12:00:00Z");
    const auto old = text_of(body_of(bed->send("GET", at(id))), "etag");
    CHECK(bed->send("GET", at(id), {}, {{"If-None-Match", old}}).status == 304);
    CHECK(bed->send("PATCH", at(id), R"({"summary":"B"})", {{"If-Match", old}}).status == 200);
    CHECK(bed->send("GET", at(id), {}, {{"If-None-Match", old}}).status == 200);
    const std::string body =
        R"({"summary":"C","start":{"date":"2026-11-22"},"end":{"date":"2026-11-23"}})";
    for (const std::string method : {"PATCH", "PUT", "DELETE"})
        CHECK(reason_of(bed->send(method, at(id), method == "DELETE" ? "" : body,
                                  {{"If-Match", old}})) == "412 conditionNotMet");
    CHECK(items_of(bed->send("GET", kEvents)) == "B");
}

TEST_CASE("events: changing reminders alone moves the ETag and not `updated`") {
    auto bed = Bed::connected();
    const auto id = bed->add("A", "2026-11-20T12:00:00Z");
    const auto before = body_of(bed->send("GET", at(id)));
    bed->time.advance(std::chrono::minutes{1});
    const auto after = body_of(bed->send(
        "PATCH", at(id),
        R"({"reminders":{"useDefault":false,"overrides":[{"method":"popup","minutes":5}]}})"));
    CHECK(text_of(after, "updated") == text_of(before, "updated"));
    CHECK(text_of(after, "etag") != text_of(before, "etag"));
    const auto renamed = body_of(bed->send("PATCH", at(id), R"({"summary":"B"})"));
    CHECK(text_of(renamed, "updated") != text_of(before, "updated"));
}

TEST_CASE("events: one occurrence is changed, moved and cancelled by its instance id") {
    auto bed = Bed::connected();
    const auto id = bed->add("S", "2026-11-20T09:00:00Z", kWeekly);
    const auto second = id + "_20261127T090000Z";
    const auto instances = [&](std::string more = {}) {
        return bed->send("GET", at(id) + "/instances" + std::move(more));
    };
    CHECK(items_of(instances()) == "S S S S");
    CHECK(text_of(body_of(bed->send("GET", at(second))), "recurringEventId") == id);
    CHECK(bed->send("GET", at(id + "_20261128T090000Z")).status == 404);

    const auto moved = body_of(bed->send(
        "PATCH", at(second),
        R"({"summary":"M","start":{"dateTime":"2026-11-28T09:00:00Z"},"end":{"dateTime":"2026-11-28T10:00:00Z"}})"));
    CHECK(text_of(moved.at("originalStartTime"), "dateTime") == "2026-11-27T10:00:00+01:00");
    CHECK(items_of(instances()) == "S M S S");
    CHECK(items_of(instances("?originalStart=2026-11-27T09:00:00Z")) == "M");

    CHECK(bed->send("DELETE", at(id + "_20261204T090000Z")).status == 204);
    CHECK(items_of(instances()) == "S M S");
    CHECK(items_of(instances("?showDeleted=true")) == "S M -" + id + "_20261204T090000Z S");
    // A full listing tells of the cancelled occurrence as long as the series lives.
    CHECK(items_of(bed->send("GET", kEvents)) == "S M -" + id + "_20261204T090000Z");
    CHECK(items_of(bed->send("GET", kEvents + "?singleEvents=true&orderBy=startTime")) == "S M S");
    CHECK(bed->send("DELETE", at(id)).status == 204);
    CHECK(items_of(bed->send("GET", kEvents)).empty());
}

TEST_CASE("events: occurrences keep their wall-clock time across daylight saving") {
    auto bed = Bed::connected();
    const auto id = bed->add("S", "2026-10-20T07:00:00Z", kWeekly);
    const auto items = body_of(bed->send("GET", at(id) + "/instances")).at("items").as_array();
    REQUIRE(items.size() == 4);
    CHECK(text_of(items[0].at("start"), "dateTime") == "2026-10-20T09:00:00+02:00");
    CHECK(text_of(items[1].at("start"), "dateTime") == "2026-10-27T09:00:00+01:00");
    CHECK(text_of(items[1], "id") == id + "_20261027T080000Z");
    CHECK(body_of(bed->send("GET", at(id + "_20261027T080000Z"))) == items[1]);
}

TEST_CASE("events: moving a series takes the overrides along whose slot is gone") {
    auto bed = Bed::connected();
    const auto id = bed->add("S", "2026-11-20T09:00:00Z", kWeekly);
    bed->send("PATCH", at(id + "_20261127T090000Z"), R"({"summary":"M"})");
    const auto changed = bed->send(
        "PATCH", at(id),
        R"({"start":{"dateTime":"2026-11-20T10:00:00Z"},"end":{"dateTime":"2026-11-20T11:00:00Z"}})");
    CHECK(changed.status == 200);
    CHECK(items_of(bed->send("GET", kEvents + "?singleEvents=true&orderBy=startTime")) ==
          "S S S S");
}

TEST_CASE("events: import adds a copy by UID once, move takes an event to another calendar") {
    auto bed = Bed::connected();
    const std::string body =
        R"({"iCalUID":"u@x.example","summary":"I","start":{"date":"2026-11-22"},"end":{"date":"2026-11-23"}})";
    const auto id = text_of(body_of(bed->send("POST", kEvents + "/import", body)), "id");
    CHECK(text_of(body_of(bed->send("POST", kEvents + "/import", body)), "id") == id);
    CHECK(items_of(bed->send("GET", kEvents + "?iCalUID=u@x.example")) == "I");
    bed->control("POST", "/accounts/ada@example.com/calendars", R"({"id":"team@group.example"})");
    CHECK(bed->send("POST", at(id) + "/move?destination=team@group.example").status == 200);
    CHECK(items_of(bed->send("GET", kEvents)).empty());
    CHECK(items_of(bed->send("GET", "/calendar/v3/calendars/team%40group.example/events")) == "I");
    CHECK(bed->send("GET", "/calendar/v3/calendars/bob%40example.com/events").status == 404);
}

TEST_CASE("events: `fields` selects, prettyPrint breaks lines, maxAttendees cuts") {
    auto bed = Bed::connected();
    const auto id =
        bed->add("A", "2026-11-20T12:00:00Z",
                 R"(,"attendees":[{"email":"b@x.example"},{"email":"ada@example.com"}])");
    CHECK(bed->send("GET", kEvents + "?fields=items(summary,start/timeZone)").body ==
          R"({"items":[{"summary":"A","start":{"timeZone":"Europe/Berlin"}}]})");
    CHECK(bed->send("GET", kEvents + "?fields=items(").status == 400);
    CHECK(bed->send("GET", at(id) + "?fields=summary&prettyPrint=true").body ==
          "{\n  \"summary\": \"A\"\n}\n");
    const auto cut = body_of(bed->send("GET", at(id) + "?maxAttendees=1"));
    CHECK(cut.at("attendeesOmitted").as_bool());
    CHECK(text_of(cut.at("attendees").as_array().at(0), "email") == kAda);
}

}  // namespace
}  // namespace calhost::sandbox
