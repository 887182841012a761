// What the provider does wrong, and how long the host waits for it.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

struct Connected {
    explicit Connected(std::uint64_t seed = 1) : host({.seed = seed, .runs_jobs = false}) {
        who = host.sign_up();
        add_event(host, timed("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"));
        REQUIRE(host.connect(who).status == 302);
        requests_before = requests();
    }
    void break_calendar(json::object fault) {
        fault["path"] = "/calendar/*";
        break_next(host, fault);
    }
    /// The answer, after how long, and after how many requests.
    struct Outcome {
        net::Response response;
        milliseconds waited{};
        int requests = 0;
    };
    Outcome sync() {
        const auto start = host.time.now();
        const auto first = requests();
        auto response = sync_now(host, who);
        return {std::move(response), host.time.now() - start, requests() - first};
    }
    int requests() { return requests_to(host, kEventsPath); }
    TestHost host;
    net::Headers who;
    int requests_before = 0;
};

TEST_CASE("faults: 429 waits as long as Retry-After says, then goes on") {
    for (const std::string retry_after : {"5", "date:5", "30"}) {
        CAPTURE(retry_after);
        Connected person;
        person.break_calendar({{"kind", "status"}, {"status", 429}, {"retry_after", retry_after}});
        const auto outcome = person.sync();
        CHECK(outcome.response.status == 200);
        CHECK(outcome.requests == 2);
        CHECK(outcome.waited >= (retry_after == "30" ? 30s : 5s));
        CHECK(outcome.waited < (retry_after == "30" ? 31s : 6s));
    }
}

TEST_CASE("faults: 503 with Retry-After is the same wish") {
    Connected person;
    person.break_calendar({{"kind", "status"}, {"status", 503}, {"retry_after", "7"}});
    const auto outcome = person.sync();
    CHECK(outcome.response.status == 200);
    CHECK(outcome.waited >= 7s);
}

TEST_CASE("faults: a longer Retry-After is answered, and nothing is called before it") {
    for (const bool restarts : {false, true}) {
        CAPTURE(restarts);
        Connected person;
        person.break_calendar({{"kind", "status"}, {"status", 429}, {"retry_after", "120"}});
        const auto outcome = person.sync();
        CHECK(word_of(outcome.response) == "503 rate_limited");
        CHECK(outcome.response.headers.get("Retry-After") == "120");
        CHECK(outcome.requests == 1);
        if (restarts) person.host.crash_and_restart();
        person.host.time.advance(119s);
        const auto early = person.sync();
        CHECK(word_of(early.response) == "503 rate_limited");
        CHECK(early.response.headers.get("Retry-After") == "1");
        CHECK(early.requests == 0);
        CHECK(word_of(person.host.call("GET", "/api/calendar/calendars", person.who)) ==
              "503 rate_limited");
        CHECK(state_of(person.host, person.who) == "active");
        person.host.time.advance(1s);
        CHECK(person.sync().response.status == 200);
    }
}

TEST_CASE("faults: a connection that waits does not make others wait") {
    Connected person;
    const auto bob = person.host.sign_up("bob@example.org");
    REQUIRE(person.host.connect(bob, kBob).status == 302);
    person.break_calendar({{"kind", "status"}, {"status", 429}, {"retry_after", "120"}});
    CHECK(person.sync().response.status == 503);
    CHECK(sync_now(person.host, bob).status == 200);
}

TEST_CASE("faults: 403 with a word that means slow down is repeated, every other 403 is final") {
    struct Case {
        std::string reason, answer;
        int requests;
    };
    for (const auto& row : std::vector<Case>{{"rateLimitExceeded", "200", 2},
                                             {"userRateLimitExceeded", "200", 2},
                                             {"forbidden", "403 forbidden", 1},
                                             {"forbiddenForNonOrganizer", "403 forbidden", 1}}) {
        CAPTURE(row.reason);
        Connected person;
        person.break_calendar({{"kind", "status"}, {"status", 403}, {"reason", row.reason}});
        const auto outcome = person.sync();
        CHECK(word_of(outcome.response) == row.answer);
        CHECK(outcome.requests == row.requests);
    }
}

TEST_CASE("faults: 403 that never stops is answered in the end") {
    Connected person;
    person.break_calendar(
        {{"kind", "status"}, {"status", 403}, {"reason", "rateLimitExceeded"}, {"count", -1}});
    const auto outcome = person.sync();
    CHECK(word_of(outcome.response) == "503 rate_limited");
    CHECK(outcome.requests == 5);
}

TEST_CASE("faults: 5xx is repeated four times with growing pauses by chance") {
    std::set<std::int64_t> waits;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Connected person(seed);
        person.break_calendar({{"kind", "status"}, {"status", 500}, {"count", 4}});
        const auto outcome = person.sync();
        CHECK(outcome.response.status == 200);
        CHECK(outcome.requests == 5);
        CHECK(outcome.waited <= 500ms + 1s + 2s + 4s + 4ms);
        waits.insert(outcome.waited.count());
    }
    CHECK(waits.size() == 5);
}

TEST_CASE("faults: what stays broken is 502, or 504 when no answer comes at all") {
    struct Case {
        json::object fault;
        std::string answer;
        int requests;
    };
    for (const auto& row :
         std::vector<Case>{{{{"kind", "status"}, {"status", 500}}, "502 unavailable", 5},
                           {{{"kind", "status"}, {"status", 503}}, "502 unavailable", 5},
                           {{{"kind", "reset"}}, "502 unavailable", 5},
                           {{{"kind", "truncate"}}, "502 invalid_response", 5},
                           {{{"kind", "html"}}, "502 invalid_response", 1},
                           {{{"kind", "stall"}}, "504 timeout", 5},
                           {{{"kind", "status"}, {"status", 404}}, "404 not_found", 1},
                           {{{"kind", "status"}, {"status", 400}}, "502 invalid", 1}}) {
        CAPTURE(json::serialize(row.fault));
        Connected person;
        auto fault = row.fault;
        fault["count"] = -1;
        person.break_calendar(fault);
        for (int again = 0; again < 4; ++again) {  // nor does a slow provider set the plugin aside
            person.who = person.host.sign_in();
            const auto outcome = person.sync();
            CHECK(word_of(outcome.response) == row.answer);
            CHECK(outcome.requests == row.requests);
        }
        CHECK(state_of(person.host, person.who) == "active");
        CHECK(connection_of(person.host, person.who).at("last_error").is_string());
        control(person.host, "DELETE", "/faults");
        person.who = person.host.sign_in();
        CHECK(person.sync().response.status == 200);
        CHECK(connection_of(person.host, person.who).at("last_error").is_null());
    }
}

TEST_CASE("faults: a short one of any kind is not seen by the person") {
    for (const json::object& fault :
         {json::object{{"kind", "reset"}}, json::object{{"kind", "truncate"}},
          json::object{{"kind", "lost_reply"}},
          json::object{{"kind", "delay"}, {"delay_ms", 20000}},
          json::object{{"kind", "status"}, {"status", 502}}}) {
        CAPTURE(json::serialize(fault));
        Connected person;
        person.break_calendar(fault);
        CHECK(person.sync().response.status == 200);
        CHECK(count_in_store(person.host, "SELECT count(*) FROM events") == 1);
    }
}

TEST_CASE("faults: bodies that are JSON but no calendar are invalid_response, not a crash") {
    for (const std::string body :
         {"[]", "7", "\"text\"", "null", R"({"items":7,"nextSyncToken":"x"})", R"({"items":[7]})",
          R"({"items":[{}]})", R"({})", R"({"items":{},"nextPageToken":7})",
          R"({"items":[{"id":"a","start":7}],"nextSyncToken":7})"}) {
        CAPTURE(body);
        Connected person;
        person.host.transport.after = [&](const net::ClientRequest& request,
                                          SandboxTransport::Answer& answer) -> Task<void> {
            if (request.url.contains("/events")) answer->body = body;
            co_return;
        };
        const auto answer = word_of(person.sync().response);
        CHECK((answer == "502 invalid_response" || answer == "200"));
        person.host.transport.after = nullptr;
        CHECK(person.sync().response.status == 200);
    }
}

TEST_CASE("faults: a failed sync is in the log of syncs with its sentence") {
    Connected person;
    person.break_calendar({{"kind", "reset"}, {"count", -1}});
    CHECK(person.sync().response.status == 502);
    const auto seen =
        TestHost::body(person.host.call("GET", "/api/calendar/test/sync-monitoring", person.who));
    const auto& run = seen.at("runs").as_array().at(0);
    CHECK(run.at("status") == "failed");
    CHECK(seen.at("connections").as_array().at(0).at("last_error").is_string());
}

}  // namespace
