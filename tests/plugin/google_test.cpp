// What providers/google asks for beyond the contract: every word of it that Google documents.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "calendar/zone.h"
#include "plugin/bench.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct Google {
    Google() {
        std::ostringstream text;
        text << std::ifstream(CALHOST_SOURCE_DIR "/providers/google/provider.lua").rdbuf();
        auto loaded =
            plugin::Provider::load({"google", "providers/google/provider.lua", text.str()},
                                   {transport, time, time, random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
    }
    void answers(std::initializer_list<net::ClientResponse> list) {
        transport.requests.clear();
        transport.answers.assign(list.begin(), list.end());
    }
    json::object sent(std::size_t index) {
        return json::parse(transport.requests.at(index).body)->as_object();
    }

    boost::asio::io_context context;
    VirtualTime time{context};
    SeededRandom random{3};
    ListTransport transport;
    FixedAccess access;
    std::unique_ptr<plugin::Provider> provider;
};

calendar::Event lesson() {
    calendar::Event event{.title = "Lesson"};
    const auto local = calendar::parse_local("2026-11-21T09:00:00").value();
    event.start = calendar::make_local(local, "Europe/Berlin").value();
    event.finish = calendar::make_local(local + std::chrono::hours{1}, "Europe/Berlin").value();
    return event;
}

net::ClientResponse answer(int status, std::string_view body) {
    return {status, {{"Content-Type", "application/json"}}, std::string(body)};
}

const auto kStored = answer(200, R"({"id":"e1","etag":"\"2\"","status":"confirmed","start":
    {"dateTime":"2026-11-21T09:00:00+01:00","timeZone":"Europe/Berlin"},"end":
    {"dateTime":"2026-11-21T10:00:00+01:00","timeZone":"Europe/Berlin"}})");
const auto kDeleted = answer(200, R"({"id":"e1","etag":"\"1\"","status":"cancelled"})");
const auto kTaken = answer(409, R"({"error":{"errors":[{"reason":"duplicate"}]}})");

TEST_CASE("google: every write is quiet, conditional where it can be, and names an id of its own") {
    Google google;
    auto& transport = google.transport;
    google.answers({kStored});
    auto event = lesson();
    event.attendees = {{.email = "guest@x.example"}};
    REQUIRE(google.time.wait(google.provider->create_event(google.access, "a@b", event, "key")));
    CHECK(transport.requests.at(0).url.ends_with("/calendars/a%40b/events?sendUpdates=none"));
    CHECK(json::text_of(google.sent(0), "id").size() == 52);
    CHECK_FALSE(google.sent(0).contains("attendees"));
    CHECK_FALSE(google.sent(0).contains("reminders"));

    google.answers({kStored});
    REQUIRE(google.time.wait(
        google.provider->update_event(google.access, "c", "e1", lesson(), "\"1\"")));
    CHECK(transport.requests.at(0).method == "PATCH");
    CHECK(transport.requests.at(0).url.ends_with("/events/e1?sendUpdates=none"));
    CHECK(transport.requests.at(0).headers.get("If-Match") == "\"1\"");
    CHECK(google.sent(0).at("recurrence").is_null());
    CHECK(google.sent(0).at("start").at("date").is_null());

    google.answers({answer(204, "")});
    REQUIRE(google.time.wait(google.provider->delete_event(google.access, "c", "e1", "\"2\"")));
    CHECK(transport.requests.at(0).url.ends_with("/events/e1?sendUpdates=none"));
    CHECK(transport.requests.at(0).headers.get("If-Match") == "\"2\"");
}

TEST_CASE("google: a deleted event that will not come back makes room for another id") {
    Google google;
    google.answers({kTaken, kDeleted, answer(400, "{}"), kStored});
    const auto made =
        google.time.wait(google.provider->create_event(google.access, "c", lesson(), "key"));
    REQUIRE_MESSAGE(made.has_value(), outcome_of(made));
    CHECK(google.transport.requests.at(2).method == "PUT");
    CHECK(google.transport.requests.at(2).headers.get("If-Match") == "\"1\"");
    CHECK(json::text_of(google.sent(0), "id") != json::text_of(google.sent(3), "id"));
    // A fault is no refusal: the event may have come back.
    google.answers({kTaken, kDeleted, answer(500, "{}")});
    const auto unknown =
        google.time.wait(google.provider->create_event(google.access, "c", lesson(), "key"));
    CHECK(outcome_of(unknown).starts_with("unavailable"));
}

TEST_CASE("google: what it cannot hold is left out and told") {
    Google google;
    google.answers({kStored});
    auto event = lesson();
    event.reminders.emplace();
    for (int i = 1; i <= 6; ++i) event.reminders->push_back({.method = "popup", .minutes = i});
    event.url = "mailto:x@y.example";
    event.categories = {"red"};
    event.color = "#ff0000";
    event.busy = "oof";
    const auto made =
        google.time.wait(google.provider->create_event(google.access, "c", event, "key"));
    REQUIRE_MESSAGE(made.has_value(), outcome_of(made));
    CHECK(made->lossy.size() == 5);
    CHECK(google.sent(0).at("reminders").at("overrides").as_array().size() == 5);
    CHECK(google.sent(0).at("reminders").at("useDefault") == false);
    CHECK_FALSE(google.sent(0).contains("source"));
}

TEST_CASE("google: busy asks for fifty calendars and sixty days at a time") {
    Google google;
    google.answers({answer(200, R"({"calendars":{"c1":{"busy":[{"start":"2026-11-21T09:00:00Z",
        "end":"2026-11-21T10:00:00Z"}]}}})")});
    std::vector<std::string> calendars;
    for (int i = 1; i <= 51; ++i) calendars.push_back(fmt::format("c{}", i));
    const auto now = google.time.now();
    const calendar::Window window{now, now + std::chrono::days{61}};
    const auto times = google.time.wait(google.provider->busy(google.access, calendars, window));
    REQUIRE_MESSAGE(times.has_value(), outcome_of(times));
    CHECK(times->size() == 1);
    REQUIRE(google.transport.requests.size() == 4);
    CHECK(google.sent(0).at("items").as_array().size() == 50);
    CHECK(json::text_of(google.sent(1), "timeMax") == format_rfc3339(window.finish));
    CHECK(google.sent(2).at("items").as_array().size() == 1);
    google.answers({answer(200, R"({"calendars":{"c1":{"errors":[{"reason":"notFound"}]}}})")});
    CHECK(outcome_of(google.time.wait(google.provider->busy(google.access, {"c1"}, window)))
              .starts_with("not_found"));
}

TEST_CASE("google: a channel lasts as long as Google says, and its news stand in headers") {
    Google google;
    google.answers({answer(200, R"({"resourceId":"r1","expiration":"1795773600000"})")});
    const auto channel = google.time.wait(google.provider->open_channel(
        google.access, "c", {"id1", Secret("s3cret"), "https://h.example/hook"}));
    REQUIRE_MESSAGE(channel.has_value(), outcome_of(channel));
    CHECK(channel->resource == "r1");
    CHECK(to_millis(channel->expires_at) == 1'795'773'600'000);
    CHECK(json::text_of(google.sent(0), "token") == "s3cret");
    google.answers({answer(404, "{}")});
    CHECK(google.time.wait(google.provider->close_channel(google.access, "c", *channel)));

    net::Request request{.method = "POST",
                         .headers = {{"X-Goog-Channel-ID", "id1"},
                                     {"X-Goog-Channel-Token", "s3cret"},
                                     {"X-Goog-Resource-State", "exists"}}};
    const auto told = google.provider->read_notification(request);
    REQUIRE_MESSAGE(told.has_value(), outcome_of(told));
    REQUIRE(told->notices.size() == 1);
    CHECK(told->notices[0].id == "id1");
    CHECK(told->notices[0].secret.expose() == "s3cret");
    CHECK(told->notices[0].what == plugin::News::changed);
    request.headers.set("X-Goog-Resource-State", "sync");
    CHECK(google.provider->read_notification(request)->notices[0].what == plugin::News::opened);
    request.headers.remove("X-Goog-Channel-ID");
    CHECK(outcome_of(google.provider->read_notification(request)).starts_with("invalid"));
}

}  // namespace
