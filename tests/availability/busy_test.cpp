// GET /api/calendar/freebusy: over all connections, told by providers or read from the store.
#include "support/acme.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

const std::string kPath =
    "/api/calendar/freebusy?from=2026-11-21T00:00:00Z&to=2026-11-23T00:00:00Z";

json::object block(std::string_view start, std::string_view finish) {
    return {{"start_time", start}, {"end_time", finish}};
}

struct Scene {
    Scene() : host(acme.options()) {
        acme.serve(host);
        who = host.sign_up();
    }
    void add_acme(std::string_view calendar, json::object event) {
        event["id"] = "e" + std::to_string(acme.events[std::string(calendar)].size());
        acme.events[std::string(calendar)].push_back(std::move(event));
    }
    json::value ask(const std::string& path = kPath) {
        const auto answer = host.call("GET", path, who);
        REQUIRE_MESSAGE(answer.status == 200, answer.body);
        return TestHost::body(answer);
    }
    json::value source(std::string_view provider) {
        const auto body = ask();
        for (const auto& one : body.at("connections").as_array())
            if (json::text_of(one, "provider") == provider) return one;
        return nullptr;
    }
    void choose(const json::value& choice) {
        const std::string id(json::text_of(connection_of(host, who), "id"));
        REQUIRE(host.call("PATCH", "/api/calendar/connections/" + id, who, json::serialize(choice))
                    .status == 200);
    }
    Acme acme;
    TestHost host;
    net::Headers who;
};

TEST_CASE("busy: nobody connected is never busy") {
    Scene scene;
    const auto body = scene.ask();
    CHECK(body.at("busy").as_array().empty());
    CHECK(body.at("complete") == true);
}

TEST_CASE("busy: all connections count, and what touches is one block") {
    Scene scene;
    add_event(scene.host, timed("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"));
    scene.add_acme("work", {{"start", "2026-11-21T11:00:00Z"}, {"finish", "2026-11-21T12:00:00Z"}});
    scene.add_acme("work", {{"start", "2026-11-22T23:00:00Z"}, {"finish", "2026-11-23T09:00:00Z"}});
    REQUIRE(scene.host.connect(scene.who).status == 302);
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    const auto body = scene.ask();
    CHECK(body.at("busy") ==
          json::value(json::array{block("2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z"),
                                  block("2026-11-22T23:00:00Z", "2026-11-23T00:00:00Z")}));
    CHECK(body.at("complete") == true);
    CHECK(scene.source("google").at("source") == "provider");
    CHECK(scene.source("acme").at("source") == "stored");
}

TEST_CASE("busy: what is free or cancelled does not count, what is tentative does") {
    Scene scene;
    const auto at = [](int hour) { return fmt::format("2026-11-21T{:02}:00:00Z", hour); };
    scene.add_acme("work", {{"start", at(8)}, {"finish", at(9)}, {"busy", "free"}});
    scene.add_acme("work", {{"start", at(10)}, {"finish", at(11)}, {"status", "cancelled"}});
    scene.add_acme("work", {{"start", at(12)}, {"finish", at(13)}, {"status", "tentative"}});
    scene.add_acme("work", {{"start", at(14)}, {"finish", at(15)}, {"busy", "oof"}});
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    CHECK(scene.ask().at("busy") ==
          json::value(json::array{block(at(12), at(13)), block(at(14), at(15))}));
}

TEST_CASE("busy: the calendars that a person chose count, read now where they are not synced") {
    Scene scene;
    scene.add_acme("work", {{"start", "2026-11-21T08:00:00Z"}, {"finish", "2026-11-21T09:00:00Z"}});
    scene.add_acme("team", {{"start", "2026-11-21T10:00:00Z"}, {"finish", "2026-11-21T11:00:00Z"}});
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    const auto work = block("2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z");
    const auto team = block("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z");
    CHECK(scene.ask().at("busy") == json::value(json::array{work}));
    scene.choose({{"busy_calendars", {"work", "team"}}});
    CHECK(scene.ask().at("busy") == json::value(json::array{work, team}));
    scene.choose({{"busy_calendars", {"team"}}});
    CHECK(scene.ask().at("busy") == json::value(json::array{team}));
    scene.choose({{"busy_calendars", json::array{}}});
    CHECK(scene.ask().at("busy").as_array().empty());
    CHECK(scene.ask().at("complete") == true);
}

TEST_CASE("busy: a provider that fails counts as the last sync saw it, and that is said") {
    Scene scene;
    add_event(scene.host, timed("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"));
    REQUIRE(scene.host.connect(scene.who).status == 302);
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    add_event(scene.host, timed("2026-11-21T15:00:00Z", "2026-11-21T16:00:00Z"));
    break_next(scene.host,
               {{"kind", "status"}, {"status", 500}, {"path", "/calendar/*"}, {"count", -1}});
    const auto body = scene.ask();
    CHECK(body.at("busy") ==
          json::value(json::array{block("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z")}));
    CHECK(body.at("complete") == false);
    const auto google = scene.source("google");
    CHECK(google.at("source") == "stored");
    CHECK(google.at("error").is_string());
    CHECK(google.at("as_of").is_string());
    CHECK(scene.source("acme").at("error").is_null());
}

TEST_CASE("busy: a provider that hangs is waited for ten seconds, the others are not late") {
    Scene scene;
    REQUIRE(scene.host.connect(scene.who).status == 302);
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(connect_acme(scene.host, scene.who, {{"account", "b"}, {"url", "https://b.example/"}})
                .status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    change_store(scene.host,
                 "UPDATE connections SET busy_calendars = '[\"team\"]' WHERE provider = 'acme'");
    scene.acme.hanging = {"dav.example", "b.example"};
    const auto start = scene.host.time.now();
    const auto answer = scene.host.call("GET", kPath, scene.who);
    REQUIRE(answer.status == 200);
    CHECK(scene.host.time.now() - start <= 11s);
    CHECK(TestHost::body(answer).at("complete") == false);
    for (const auto& one : TestHost::body(answer).at("connections").as_array())
        CHECK(one.at("error").is_null() == (json::text_of(one, "provider") == "google"));
}

TEST_CASE("busy: when nothing is known of any connection, that is no empty calendar") {
    Scene scene;
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    CHECK(problem_of(scene.host.call("GET", kPath, scene.who)) ==
          "502 unavailable: This calendar was not synced yet.");
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    CHECK(scene.ask().at("complete") == true);
}

TEST_CASE("busy: a connection that waits for the person is not asked, its events count") {
    Scene scene;
    scene.add_acme("work", {{"start", "2026-11-21T08:00:00Z"}, {"finish", "2026-11-21T09:00:00Z"}});
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    scene.acme.password = "another";
    CHECK(sync_now(scene.host, scene.who).status == 409);
    const auto before = scene.acme.requests.size();
    CHECK(scene.ask().at("busy").as_array().size() == 1);
    CHECK(json::text_of(scene.source("acme"), "error").starts_with("The server refuses"));
    CHECK(scene.acme.requests.size() == before);
}

TEST_CASE("busy: a paused connection is left out") {
    Scene scene;
    scene.add_acme("work", {{"start", "2026-11-21T08:00:00Z"}, {"finish", "2026-11-21T09:00:00Z"}});
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    scene.choose({{"sync_enabled", false}});
    CHECK(scene.ask().at("busy").as_array().empty());
}

TEST_CASE("busy: times with an offset or with a zone, at most 366 days, and only one's own") {
    Scene scene;
    scene.add_acme("work", {{"start", "2026-11-21T08:00:00Z"}, {"finish", "2026-11-21T09:00:00Z"}});
    REQUIRE(connect_acme(scene.host, scene.who).status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    const std::string path = "/api/calendar/freebusy";
    for (const std::string query :
         {"?from=2026-11-21T09%3A30%3A00%2B01%3A00&to=2026-11-21T10%3A00%3A00%2B01%3A00",
          "?from=2026-11-21T09:30:00&to=2026-11-21T10:00:00&time_zone=Europe/Berlin"})
        CHECK(scene.ask(path + query).at("busy") ==
              json::value(json::array{block("2026-11-21T08:30:00Z", "2026-11-21T09:00:00Z")}));
    for (const std::string query :
         {"", "?from=2026-11-21T00:00:00Z", "?from=x&to=y", "?from=2026-11-21&to=2026-11-22",
          "?from=2026-11-21T00:00:00&to=2026-11-22T00:00:00",
          "?from=2026-11-21T00:00:00&to=2026-11-22T00:00:00&time_zone=Mars/Base",
          "?from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z",
          "?from=2026-11-21T00:00:00Z&to=2026-11-21T00:00:00Z",
          "?from=2026-11-21T00:00:00Z&to=2027-11-23T00:00:00Z"}) {
        CAPTURE(query);
        CHECK(word_of(scene.host.call("GET", path + query, scene.who)) == "422 invalid");
    }
    const auto eve = scene.host.sign_up("eve@example.org");
    CHECK(TestHost::body(scene.host.call("GET", kPath, eve)).at("busy").as_array().empty());
    CHECK(word_of(scene.host.call("GET", kPath)) == "401 unauthorized");
}

}  // namespace
