// PATCH /api/calendar/connections/{id}, and what GET /api/providers says of fields.
#include "support/acme.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// Somebody with a connected account of three calendars: work, team, holidays (read-only).
struct Scene {
    explicit Scene(bool runs_jobs = false) : host(acme.options(runs_jobs)) {
        acme.serve(host);
        who = host.sign_up();
        REQUIRE(connect_acme(host, who).status == 201);
        id = std::string(json::text_of(connection_of(host, who), "id"));
    }
    net::Response choose(const json::value& choice, const net::Headers& caller) {
        return host.call("PATCH", "/api/calendar/connections/" + id, caller,
                         json::serialize(choice));
    }
    net::Response choose(const json::value& choice) { return choose(choice, who); }
    std::string problem(const json::value& choice) {
        const auto answer = choose(choice);
        const auto body = TestHost::body(answer);
        const auto* errors = json::find(body, "errors");
        if (errors == nullptr) return word_of(answer);
        return word_of(answer) + " " + std::string(json::text_of(errors->at(0), "field"));
    }
    std::int64_t count(const std::string& table) {
        return count_in_store(host, "SELECT count(*) FROM " + table);
    }
    Acme acme;
    TestHost host;
    net::Headers who;
    std::string id;
};

TEST_CASE("choice: what was not said stays as it is") {
    Scene scene;
    const auto before = connection_of(scene.host, scene.who);
    CHECK(before.at("busy_calendars") == json::value(json::array{"work"}));
    const auto answer = scene.choose(json::object{});
    REQUIRE(answer.status == 200);
    auto after = TestHost::body(answer);
    CHECK(after == connection_of(scene.host, scene.who));
    after.as_object()["updated_at"] = before.at("updated_at");
    CHECK(after == before);
}

TEST_CASE("choice: the calendar for bookings is checked against the account's own") {
    Scene scene;
    CHECK(scene.problem({{"calendar_id", "nonsense"}}) == "422 invalid calendar_id");
    CHECK(scene.problem({{"calendar_id", "holidays"}}) == "422 invalid calendar_id");
    CHECK(scene.problem({{"calendar_id", "primary"}}) == "422 invalid calendar_id");
    CHECK(scene.problem({{"calendar_id", 7}}) == "422 invalid calendar_id");
    CHECK(scene.problem({{"busy_calendars", {"work", "nonsense"}}}) ==
          "422 invalid busy_calendars");
    CHECK(scene.problem({{"busy_calendars", {"team", "work", "team"}}}) ==
          "422 invalid busy_calendars");
    CHECK(scene.problem({{"busy_calendars", "work"}}) == "422 invalid busy_calendars");
    CHECK(scene.problem({{"sync_enabled", "yes"}}) == "422 invalid sync_enabled");
    CHECK(connection_of(scene.host, scene.who).at("calendar_id") == "work");
    const auto answer =
        scene.choose({{"calendar_id", "team"}, {"busy_calendars", {"team", "holidays"}}});
    REQUIRE(answer.status == 200);
    CHECK(TestHost::body(answer).at("calendar_id") == "team");
    CHECK(TestHost::body(answer).at("busy_calendars") ==
          json::value(json::array{"team", "holidays"}));
}

TEST_CASE("choice: a calendar that is new there is found by asking again") {
    Scene scene;
    scene.acme.calendars.push_back({{"id", "new"}, {"name", "New"}});
    const auto before = scene.acme.requests.size();
    CHECK(scene.choose({{"calendar_id", "team"}}).status == 200);
    CHECK(scene.acme.requests.size() == before);
    CHECK(scene.choose({{"calendar_id", "new"}}).status == 200);
    CHECK(scene.acme.requests.size() == before + 1);
    scene.acme.instead = net::ClientResponse{500, {}, ""};
    CHECK(scene.problem({{"calendar_id", "newer"}}) == "502 unavailable");
}

TEST_CASE("choice: another calendar is synced at once, and the old one's events are gone") {
    Scene scene(true);
    scene.acme.events["work"] = {
        {{"id", "w"}, {"start", "2026-11-21T10:00:00Z"}, {"finish", "2026-11-21T11:00:00Z"}}};
    scene.acme.events["team"] = {
        {{"id", "t1"}, {"start", "2026-11-22T10:00:00Z"}, {"finish", "2026-11-22T11:00:00Z"}},
        {{"id", "t2"}, {"start", "2026-11-23T10:00:00Z"}, {"finish", "2026-11-23T11:00:00Z"}}};
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    REQUIRE(scene.count("events") == 1);
    const auto answer = scene.choose({{"calendar_id", "team"}});
    REQUIRE(answer.status == 200);
    CHECK(TestHost::body(answer).at("last_synced_at").is_null());
    scene.host.time.advance(10s);
    CHECK(scene.count("events") == 2);
    CHECK(connection_of(scene.host, scene.who).at("last_synced_at").is_string());
}

TEST_CASE("choice: a sync of the old calendar that is on its way does not come through") {
    Scene scene(true);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    scene.acme.events["work"] = {
        {{"id", "late"}, {"start", "2026-11-21T10:00:00Z"}, {"finish", "2026-11-21T11:00:00Z"}}};
    auto slow = scene.host.transport.before;
    scene.host.transport.before =
        [&scene,
         slow](net::ClientRequest& request) -> Task<std::optional<SandboxTransport::Answer>> {
        auto answer = co_await slow(request);
        if (request.url.ends_with("work")) co_await scene.host.time.sleep(5s);
        co_return answer;
    };
    std::vector<Task<net::Response>> calls;
    calls.push_back(scene.host.handle("POST", "/api/calendar/sync", scene.who, ""));
    calls.push_back(scene.host.handle("PATCH", "/api/calendar/connections/" + scene.id, scene.who,
                                      R"({"calendar_id":"team"})"));
    const auto answers = at_once(scene.host, std::move(calls));
    CHECK(word_of(answers[0]) == "409 conflict");
    CHECK(answers[1].status == 200);
    scene.host.time.advance(1min);
    CHECK(scene.count("events") == 0);
    const auto row = connection_of(scene.host, scene.who);
    CHECK(row.at("last_synced_at").is_string());
    CHECK(row.at("last_error").is_null());
}

TEST_CASE("choice: a paused connection is not synced until it is turned on again") {
    Scene scene(true);
    scene.host.time.advance(10s);
    const auto paused = TestHost::body(scene.choose({{"sync_enabled", false}}));
    CHECK(paused.at("state") == "paused");
    CHECK(paused.at("status") == "disabled");
    CHECK(paused.at("sync_enabled") == false);
    const auto before = scene.acme.requests.size();
    CHECK(problem_of(sync_now(scene.host, scene.who)) ==
          "409 conflict: Syncing is paused for this calendar. Turn it on to sync.");
    scene.host.time.advance(24h);
    scene.who = scene.host.sign_in();
    CHECK(scene.acme.requests.size() == before);
    CHECK(TestHost::body(scene.choose({{"sync_enabled", true}})).at("state") == "active");
    scene.host.time.advance(10s);
    CHECK(scene.acme.requests.size() > before);
}

TEST_CASE("choice: a new sign-in to the same account keeps what was chosen") {
    Scene scene;
    scene.choose({{"calendar_id", "team"}, {"busy_calendars", json::array{}}});
    REQUIRE(connect_acme(scene.host, scene.who).status == 200);
    const auto row = connection_of(scene.host, scene.who);
    CHECK(row.at("calendar_id") == "team");
    CHECK(row.at("busy_calendars") == json::value(json::array{}));
}

TEST_CASE("choice: only one's own connection") {
    Scene scene;
    const auto eve = scene.host.sign_up("eve@example.org");
    CHECK(word_of(scene.choose({{"calendar_id", "team"}}, eve)) == "404 not_found");
    CHECK(word_of(scene.choose({{"sync_enabled", false}}, eve)) == "404 not_found");
    CHECK(word_of(scene.choose({{"calendar_id", "team"}}, {})) == "401 unauthorized");
    CHECK(connection_of(scene.host, scene.who).at("calendar_id") == "work");
    CHECK(state_of(scene.host, scene.who) == "active");
}

TEST_CASE("choice: where the provider knows what primary means, it may be chosen") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    REQUIRE(host.connect(who).status == 302);
    const std::string id(json::text_of(connection_of(host, who), "id"));
    const auto choose = [&](const std::string& calendar) {
        return host.call("PATCH", "/api/calendar/connections/" + id, who,
                         json::serialize(json::object{{"calendar_id", calendar}}));
    };
    CHECK(choose("primary").status == 200);
    CHECK(choose(kAda).status == 200);
    CHECK(word_of(choose("nobody@gmail.example")) == "422 invalid");
}

TEST_CASE("providers: what people enter is named, and which services fill it in") {
    Acme acme;
    TestHost host(acme.options());
    std::map<std::string, json::value> shapes;
    const auto body = TestHost::body(host.call("GET", "/api/providers"));
    for (const auto& provider : body.at("providers").as_array())
        shapes[std::string(json::text_of(provider, "id"))] = provider;
    CHECK(shapes["google"].at("fields").as_array().empty());
    CHECK(shapes["acme"].at("configured") == true);
    CHECK(shapes["acme"].at("sign_in") == "basic");
    const auto& fields = shapes["acme"].at("fields").as_array();
    REQUIRE(fields.size() == 3);
    CHECK(fields[2].at("name") == "password");
    CHECK(fields[2].at("kind") == "password");
    CHECK(fields[2].at("required") == true);
    const auto& presets = shapes["caldav"].at("presets").as_array();
    CHECK(presets[0].at("title") == "iCloud");
    CHECK(presets[0].at("url") == "https://caldav.icloud.com/");
    CHECK(presets[0].at("origins") == json::value(json::array{"https://*.icloud.com"}));
    CHECK(presets.back().at("url").is_null());
    for (const auto& field : shapes["caldav"].at("fields").as_array())
        CHECK(field.at("title").is_string());
}

}  // namespace
