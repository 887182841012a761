// The shape of a sync's answer (http-api, section 4).
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// Connected to a calendar with these events; gives what a sync answers.
json::array events_after(TestHost& host, const std::vector<json::object>& events) {
    const auto who = host.sign_up();
    for (const auto& event : events) add_event(host, event);
    REQUIRE(host.connect(who).status == 302);
    const auto answer = sync_now(host, who);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return TestHost::body(answer).at("sync_result").at("events").as_array();
}

std::string starts_of(const json::array& events) {
    std::string text;
    for (const auto& event : events)
        text += (text.empty() ? "" : " ") + std::string(json::text_of(event, "start_time"));
    return text;
}

TEST_CASE("answer: every member is there, in the words of the contract") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const auto id = add_event(
        host,
        {{"summary", "Tea"},
         {"description", "with milk"},
         {"location", "Berlin"},
         {"start", {{"dateTime", "2026-11-21T10:00:00+01:00"}, {"timeZone", "Europe/Berlin"}}},
         {"end", {{"dateTime", "2026-11-21T11:00:00+01:00"}, {"timeZone", "Europe/Berlin"}}},
         {"attendees", {{{"email", "grace@example.org"}}, {{"email", "alan@example.org"}}}}});
    REQUIRE(host.connect(who).status == 302);
    const auto answer = sync_now(host, who);
    REQUIRE(answer.status == 200);
    const auto body = TestHost::body(answer);
    CHECK(body.at("success") == true);
    CHECK(body.at("message") == "Calendar synced successfully");
    const auto me = TestHost::text(host.call("GET", "/auth/me", who), "id");
    CHECK(body.at("user_id") == json::value(me));
    const auto& result = body.at("sync_result").as_object();
    CHECK(result.size() == 7);
    CHECK(result.at("success") == true);
    CHECK(result.at("events_synced") == 1);
    CHECK(result.at("last_sync") == "2026-11-20T09:00:00Z");
    const json::object expected{{"google_event_id", id},
                                {"external_event_id", id},
                                {"provider", "google"},
                                {"calendar_id", "primary"},
                                {"title", "Tea"},
                                {"description", "with milk"},
                                {"start_time", "2026-11-21T09:00:00Z"},
                                {"end_time", "2026-11-21T10:00:00Z"},
                                {"all_day", false},
                                {"time_zone", "Europe/Berlin"},
                                {"attendees", {"grace@example.org", "alan@example.org"}},
                                {"location", "Berlin"},
                                {"status", "confirmed"},
                                {"user_id", me}};
    CHECK(json::serialize(result.at("events").as_array().at(0)) == json::serialize(expected));
}

TEST_CASE("answer: an event without a title is called No Title") {
    TestHost host({.runs_jobs = false});
    const auto events = events_after(host, {{{"start", {{"dateTime", "2026-11-21T10:00:00Z"}}},
                                             {"end", {{"dateTime", "2026-11-21T11:00:00Z"}}}}});
    REQUIRE(events.size() == 1);
    CHECK(events[0].at("title") == "No Title");
    CHECK(events[0].at("description") == "");
    CHECK(events[0].at("attendees").as_array().empty());
}

TEST_CASE("answer: all-day events carry dates and no zone") {
    TestHost host({.runs_jobs = false});
    const auto events = events_after(host, {{{"summary", "Holiday"},
                                             {"start", {{"date", "2026-11-24"}}},
                                             {"end", {{"date", "2026-11-26"}}}}});
    REQUIRE(events.size() == 1);
    CHECK(events[0].at("all_day") == true);
    CHECK(events[0].at("start_time") == "2026-11-24");
    CHECK(events[0].at("end_time") == "2026-11-26");
    CHECK(events[0].at("time_zone").is_null());
}

TEST_CASE("answer: the next thirty days and nothing else, what runs now included") {
    TestHost host({.runs_jobs = false});  // it is 2026-11-20T09:00:00Z
    const auto events = events_after(
        host, {timed("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z", "just over"),
               timed("2026-11-20T08:30:00Z", "2026-11-20T09:00:01Z", "runs"),
               timed("2026-12-20T08:59:59Z", "2026-12-20T10:00:00Z", "begins at the end"),
               timed("2026-12-20T09:00:00Z", "2026-12-20T10:00:00Z", "too late"),
               timed("2026-11-01T08:00:00Z", "2026-12-31T09:00:00Z", "spans all")});
    std::set<std::string> titles;
    for (const auto& event : events) titles.emplace(json::text_of(event, "title"));
    CHECK(titles == std::set<std::string>{"runs", "begins at the end", "spans all"});
}

TEST_CASE("answer: a series is expanded, on the clock of its zone") {
    TestHost host({.runs_jobs = false});
    const auto events = events_after(
        host, {{{"summary", "Standup"},
                {"start", {{"dateTime", "2026-11-16T09:00:00"}, {"timeZone", "America/New_York"}}},
                {"end", {{"dateTime", "2026-11-16T09:15:00"}, {"timeZone", "America/New_York"}}},
                {"recurrence", {"RRULE:FREQ=WEEKLY;BYDAY=MO,WE"}}}});
    CHECK(starts_of(events) ==
          "2026-11-23T14:00:00Z 2026-11-25T14:00:00Z 2026-11-30T14:00:00Z 2026-12-02T14:00:00Z "
          "2026-12-07T14:00:00Z 2026-12-09T14:00:00Z 2026-12-14T14:00:00Z 2026-12-16T14:00:00Z");
}

TEST_CASE("answer: a moved occurrence stands where it is, a cancelled one nowhere") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const auto id =
        add_event(host, {{"summary", "Class"},
                         {"start", {{"dateTime", "2026-11-21T10:00:00Z"}, {"timeZone", "Etc/UTC"}}},
                         {"end", {{"dateTime", "2026-11-21T11:00:00Z"}, {"timeZone", "Etc/UTC"}}},
                         {"recurrence", {"RRULE:FREQ=DAILY;COUNT=5"}}});
    REQUIRE(host.connect(who).status == 302);
    const auto starts = [&] {
        const auto answer = sync_now(host, who);
        REQUIRE_MESSAGE(answer.status == 200, answer.body);
        return starts_of(TestHost::body(answer).at("sync_result").at("events").as_array());
    };
    CHECK(starts() ==
          "2026-11-21T10:00:00Z 2026-11-22T10:00:00Z 2026-11-23T10:00:00Z "
          "2026-11-24T10:00:00Z 2026-11-25T10:00:00Z");
    const auto of = [&](std::string_view day) {
        return fmt::format("/accounts/{}/events/{}_202611{}T100000Z", kAda, id, day);
    };
    control(host, "PATCH", of("22"),
            json::object{{"start", {{"dateTime", "2026-11-22T15:00:00Z"}}},
                         {"end", {{"dateTime", "2026-11-22T16:00:00Z"}}}});
    control(host, "DELETE", of("23"));
    CHECK(starts() ==
          "2026-11-21T10:00:00Z 2026-11-22T15:00:00Z 2026-11-24T10:00:00Z "
          "2026-11-25T10:00:00Z");
    control(host, "DELETE", fmt::format("/accounts/{}/events/{}", kAda, id));
    CHECK(starts().empty());
    CHECK(count_in_store(host, "SELECT count(*) FROM events") == 0);
}

TEST_CASE("answer: a shared event of a hundred people is one event") {
    TestHost host({.runs_jobs = false});
    json::array people;
    for (int i = 0; i < 100; ++i)
        people.push_back(json::object{{"email", fmt::format("p{}@example.org", i)}});
    auto event = timed("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z");
    event["attendees"] = people;
    const auto events = events_after(host, {event});
    REQUIRE(events.size() == 1);
    CHECK(events[0].at("attendees").as_array().size() == 100);
}

TEST_CASE("answer: syncing without a connection is 400 in the words of the contract") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const std::string words =
        "400 calendar_not_connected: Calendar not connected. Please "
        "authorize calendar access first.";
    CHECK(problem_of(sync_now(host, who)) == words);
    host.connect(who);
    CHECK(problem_of(host.call("POST", "/api/calendar/sync?account=other", who)) == words);
    CHECK(problem_of(host.call("POST", "/api/calendar/sync?provider=microsoft", who)) == words);
}

}  // namespace
