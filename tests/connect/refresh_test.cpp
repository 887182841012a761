// The token keeper, seen from outside: what people do, and what the provider saw of it.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// Somebody with a synced calendar. The host runs no jobs, so that nothing happens unasked.
struct Connected {
    explicit Connected(TestHostOptions options = {.runs_jobs = false}) : host(std::move(options)) {
        who = host.sign_up();
        REQUIRE(host.connect(who).status == 302);
        REQUIRE(test::sync_now(host, who).status == 200);
    }
    /// Later, with a fresh bearer token.
    void advance(milliseconds duration) {
        host.time.advance(duration);
        who = host.sign_in();
    }
    net::Response sync_now() { return test::sync_now(host, who); }
    int refreshes() { return effects_of(host, "token.refresh"); }
    TestHost host;
    net::Headers who;
};

TEST_CASE("refresh: five minutes before the end, not earlier") {
    Connected person;
    person.advance(54min);
    CHECK(person.sync_now().status == 200);
    CHECK(person.refreshes() == 0);
    person.advance(90s);
    CHECK(person.sync_now().status == 200);
    CHECK(person.refreshes() == 1);
    CHECK(person.sync_now().status == 200);
    CHECK(person.refreshes() == 1);
}

TEST_CASE("refresh: many calls at once make one") {
    Connected person;
    person.advance(2h);
    control(person.host, "POST", "/latency", json::object{{"milliseconds", 100}});
    std::vector<Task<net::Response>> calls;
    for (int i = 0; i < 5; ++i) {
        calls.push_back(person.host.handle("GET", "/api/calendar/calendars", person.who, ""));
        calls.push_back(person.host.handle("POST", "/api/calendar/sync", person.who, ""));
    }
    for (const auto& answer : at_once(person.host, std::move(calls))) CHECK(answer.status == 200);
    CHECK(person.refreshes() == 1);
    CHECK(requests_to(person.host, "/token") == 2);  // the exchange and the refresh
}

TEST_CASE("a wrong expiry refreshes by itself") {
    struct Case {
        const char* stored;
        bool is_token_over;
    };
    for (const auto& [stored, is_token_over] :
         {Case{"2020-01-01T00:00:00Z", false}, {"2099-01-01T00:00:00Z", true}}) {
        CAPTURE(stored);
        Connected person;
        change_store(person.host, fmt::format("UPDATE connections SET token_expires_at = {}",
                                              to_millis(*parse_rfc3339(stored))));
        if (is_token_over) control(person.host, "POST", "/expire-tokens");
        person.host.crash_and_restart();
        CHECK(person.sync_now().status == 200);
        CHECK(person.refreshes() == 1);
        CHECK(state_of(person.host, person.who) == "active");
    }
}

TEST_CASE("refresh: a 401 brings one refresh and one more try") {
    Connected person;
    control(person.host, "POST", "/expire-tokens");
    const auto before = requests_to(person.host, kEventsPath);
    CHECK(person.sync_now().status == 200);
    CHECK(person.refreshes() == 1);
    CHECK(requests_to(person.host, kEventsPath) == before + 2);
}

TEST_CASE("refresh: a second 401 is an answer, and the connection stays as it is") {
    Connected person;
    break_next(person.host,
               {{"kind", "status"}, {"status", 401}, {"path", "/calendar/*"}, {"count", -1}});
    const auto before = requests_to(person.host, kEventsPath);
    CHECK(word_of(person.sync_now()) == "409 unauthorized");
    CHECK(person.refreshes() == 1);
    CHECK(requests_to(person.host, kEventsPath) == before + 2);
    CHECK(state_of(person.host, person.who) == "active");
}

TEST_CASE("refresh: invalid_grant needs the person, and says so in the words of the contract") {
    Connected person;
    auto& host = person.host;
    control(host, "POST", "/accounts/" + kAda + "/revoke");
    CHECK(problem_of(person.sync_now()) ==
          "409 needs_reauth: Token expired. Please reconnect your calendar.");
    const auto row = connection_of(host, person.who);
    CHECK(row.at("state") == "needs_reauth");
    CHECK(row.at("status") == "error");
    CHECK(row.at("last_error") == "Token expired. Please reconnect your calendar.");
    const auto status = TestHost::body(host.call("GET", "/api/calendar/status", person.who));
    CHECK(status.at("message") == "Token expired. Please reconnect your calendar.");
    CHECK(status.at("connected") == true);

    const auto requests = host.transport.count;
    CHECK(word_of(person.sync_now()) == "409 needs_reauth");
    CHECK(host.transport.count == requests);  // the provider is left in peace

    const auto& id = row.at("id");
    CHECK(host.connect(person.who).status == 302);
    const auto healed = connection_of(host, person.who);
    CHECK(healed.at("state") == "active");
    CHECK(healed.at("last_error").is_null());
    CHECK(healed.at("id") == id);
    CHECK(person.sync_now().status == 200);
}

TEST_CASE("refresh: network errors and nonsense change no state") {
    struct Case {
        json::object fault;
        std::string answer;
    };
    const std::vector<Case> cases{
        {{{"kind", "reset"}}, "502 unavailable"},
        {{{"kind", "status"}, {"status", 500}}, "502 unavailable"},
        {{{"kind", "status"}, {"status", 503}}, "502 unavailable"},
        {{{"kind", "html"}}, "502 invalid_response"},
        {{{"kind", "truncate"}}, "502 invalid_response"},
        {{{"kind", "lost_reply"}}, "502 unavailable"},
        {{{"kind", "status"}, {"status", 400}, {"body", "{}"}}, "502 invalid_response"},
        {{{"kind", "status"}, {"status", 429}, {"retry_after", "60"}}, "503 rate_limited"},
    };
    for (const auto& row : cases) {
        CAPTURE(json::serialize(row.fault));
        Connected person;
        person.advance(2h);
        auto fault = row.fault;
        fault["path"] = "/token";
        fault["count"] = -1;
        break_next(person.host, fault);
        CHECK(word_of(person.sync_now()) == row.answer);
        CHECK(state_of(person.host, person.who) == "active");
        control(person.host, "DELETE", "/faults");
        person.advance(2min);
        CHECK(person.sync_now().status == 200);
        CHECK(connection_of(person.host, person.who).at("last_error").is_null());
    }
}

TEST_CASE("refresh: one that is told to wait holds back every call, though the old token lives") {
    for (const bool is_restarted : {false, true}) {
        CAPTURE(is_restarted);
        Connected person;
        person.advance(56min);
        break_next(
            person.host,
            {{"kind", "status"}, {"status", 429}, {"retry_after", "120"}, {"path", "/token"}});
        const auto asked = requests_to(person.host, "/token");
        const auto synced = requests_to(person.host, kEventsPath);
        CHECK(word_of(person.sync_now()) == "503 rate_limited");
        if (is_restarted) person.host.crash_and_restart();
        person.host.time.advance(119s);
        CHECK(word_of(person.sync_now()) == "503 rate_limited");
        CHECK(requests_to(person.host, "/token") == asked + 1);
        CHECK(requests_to(person.host, kEventsPath) == synced);
        person.host.time.advance(1s);
        CHECK(person.sync_now().status == 200);
        CHECK(person.refreshes() == 1);
    }
}

TEST_CASE("refresh: a failed early one uses the token that still lives") {
    Connected person;
    person.advance(57min);
    break_next(person.host, {{"kind", "reset"}, {"path", "/token"}});
    CHECK(person.sync_now().status == 200);
    CHECK(person.refreshes() == 0);
    CHECK(person.sync_now().status == 200);
    CHECK(person.refreshes() == 1);
}

TEST_CASE("refresh: a client that the provider refuses asks nobody to reconnect") {
    std::string secret = "sandbox-secret";
    Connected person({.adjust =
                          [&](config::Settings& settings) {
                              settings.providers["google"].values["client_secret"] = secret;
                          },
                      .runs_jobs = false});
    secret = "changed by mistake";
    person.host.crash_and_restart();
    person.advance(2h);
    CHECK(word_of(person.sync_now()) == "500 misconfigured");
    CHECK(state_of(person.host, person.who) == "active");
    CHECK(json::text_of(connection_of(person.host, person.who), "last_error") ==
          "Google Calendar refuses this host (invalid_client). The operator must check its client "
          "id and secret.");
    secret = "sandbox-secret";
    person.host.crash_and_restart();
    CHECK(person.sync_now().status == 200);
    CHECK(connection_of(person.host, person.who).at("last_error").is_null());
}

TEST_CASE("refresh: a provider that wants to see the person asks him to reconnect") {
    for (const std::string word : {"interaction_required", "consent_required", "invalid_grant"}) {
        CAPTURE(word);
        Connected person;
        person.advance(2h);
        break_next(person.host, {{"kind", "status"},
                                 {"status", 400},
                                 {"body", R"({"error":")" + word + R"("})"},
                                 {"path", "/token"}});
        CHECK(word_of(person.sync_now()) == "409 needs_reauth");
        const auto row = connection_of(person.host, person.who);
        CHECK(row.at("state") == "needs_reauth");
        CHECK(row.at("last_error") == "Token expired. Please reconnect your calendar.");
        const auto asked = requests_to(person.host, "/token");
        CHECK(word_of(person.sync_now()) == "409 needs_reauth");
        CHECK(requests_to(person.host, "/token") == asked);
    }
}

TEST_CASE("refresh: a rotated token is committed before it is used") {
    Connected person;
    auto& host = person.host;
    control(host, "POST", "/settings", json::object{{"rotate_refresh_tokens", true}});
    person.advance(2h);
    const auto events = requests_to(host, kEventsPath);
    begin_and_crash(host, host.handle("POST", "/api/calendar/sync", person.who, ""),
                    "refresh.committed");
    CHECK(requests_to(host, kEventsPath) == events);  // not used before it was safe
    CHECK(person.sync_now().status == 200);           // and it is not lost
    CHECK(person.refreshes() == 1);
    person.advance(2h);
    CHECK(person.sync_now().status == 200);
    CHECK(person.refreshes() == 2);
}

TEST_CASE("refresh: a token that died with the host before it was stored was never used") {
    Connected person;
    auto& host = person.host;
    person.advance(2h);
    const auto events = requests_to(host, kEventsPath);
    const auto sealed = text_in_store(host, "SELECT sealed_access_token FROM connections");
    begin_and_crash(host, host.handle("POST", "/api/calendar/sync", person.who, ""),
                    "refresh.answered");
    CHECK(requests_to(host, kEventsPath) == events);
    CHECK(text_in_store(host, "SELECT sealed_access_token FROM connections") == sealed);
    CHECK(person.sync_now().status == 200);
}

TEST_CASE("refresh: who disconnects meanwhile keeps no token") {
    Connected person;
    auto& host = person.host;
    person.advance(2h);
    control(host, "POST", "/latency", json::object{{"milliseconds", 500}});
    std::vector<Task<net::Response>> calls;
    calls.push_back(host.handle("POST", "/api/calendar/sync", person.who, ""));
    calls.push_back(host.handle("DELETE", "/api/calendar/disconnect", person.who, ""));
    const auto answers = at_once(host, std::move(calls));
    CHECK(word_of(answers[0]) == "404 not_found");
    CHECK(answers[1].status == 200);
    CHECK(count_in_store(host, "SELECT count(*) FROM connections") == 0);
    CHECK(count_in_store(host, "SELECT count(*) FROM events") == 0);
}

TEST_CASE("sealed: a corrupt value turns only its connection to error, and reconnecting heals") {
    for (const std::string column : {"sealed_access_token", "sealed_refresh_token"}) {
        for (const std::string damage :
             {"'v1:k1:00:00:00'", "'nonsense'", "'v1:k9:' || substr({}, 7)",
              "substr({}, 1, length({}) - 2) || 'zz'", "substr({}, 1, length({}) - 2) || '00'"}) {
            CAPTURE(column + " = " + damage);
            Connected person;
            auto& host = person.host;
            const auto bob = host.sign_up("bob@example.org");
            REQUIRE(host.connect(bob, kBob).status == 302);
            REQUIRE(host.connect(person.who, kBob, "?account=second").status == 302);
            std::string value = damage;
            for (auto at = value.find("{}"); at != std::string::npos; at = value.find("{}"))
                value.replace(at, 2, column);
            change_store(host, fmt::format("UPDATE connections SET {} = {} WHERE account = "
                                           "'primary' AND email = '{}'",
                                           column, value, kAda));
            host.crash_and_restart();  // nothing of it is in memory
            if (column == "sealed_refresh_token") person.advance(2h);
            const auto bob_now = host.sign_in("bob@example.org");
            const auto answer = host.call("POST", "/api/calendar/sync?account=primary", person.who);
            CHECK((answer.status == 409 || answer.status == 500));
            CHECK(state_of(host, person.who, 0) == "error");
            CHECK(state_of(host, person.who, 1) == "active");
            CHECK(state_of(host, bob_now) == "active");
            CHECK(sync_now(host, bob_now).status == 200);
            CHECK(host.call("POST", "/api/calendar/sync?account=second", person.who).status == 200);
            REQUIRE(host.connect(person.who).status == 302);
            CHECK(host.call("POST", "/api/calendar/sync?account=primary", person.who).status ==
                  200);
            CHECK(state_of(host, person.who) == "active");
        }
    }
}

TEST_CASE("token: what was begun for an account never gets the token of its successor") {
    Connected person;
    auto& host = person.host;
    const auto access = [&] {
        const std::string id(json::text_of(connection_of(host, person.who), "id"));
        const auto row = must(storage::find_connection_for_job(host.sql(), id));
        return connect::ConnectionAccess(host.worker().keeper(), *row);
    };
    auto before = access();
    CHECK(host.time.wait(before.token(false)));
    REQUIRE(host.connect(person.who, kBob).status == 302);
    auto after = access();
    for (const bool was_refused : {false, true}) {
        CAPTURE(was_refused);
        CHECK(host.time.wait(after.token(was_refused)));
        const auto refused = host.time.wait(before.token(was_refused));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == ErrorCode::conflict);
    }
}

TEST_CASE("sealed: a value moved from another row does not open") {
    Connected person;
    auto& host = person.host;
    const auto bob = host.sign_up("bob@example.org");
    REQUIRE(host.connect(bob, kBob).status == 302);
    const auto copy = [&](const std::string& column) {
        change_store(host, fmt::format("UPDATE connections SET {0} = (SELECT {0} FROM connections "
                                       "WHERE email = '{1}') WHERE email = '{2}'",
                                       column, kAda, kBob));
    };
    copy("sealed_access_token");
    copy("sealed_refresh_token");
    host.crash_and_restart();
    CHECK(word_of(sync_now(host, bob)) == "409 needs_reauth");
    CHECK(state_of(host, bob) == "error");
    CHECK(state_of(host, person.who) == "active");
}

TEST_CASE("sealed: a value moved to the other column does not open") {
    Connected person;
    change_store(person.host, "UPDATE connections SET sealed_access_token = sealed_refresh_token");
    person.host.crash_and_restart();
    CHECK(word_of(person.sync_now()) == "409 needs_reauth");
    CHECK(state_of(person.host, person.who) == "error");
}

}  // namespace
