// Outlook on the whole host: its feed tells of a window only, and the window moves.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

const std::string kEve = "eve@contoso.example";

/// Somebody whose Outlook is connected. The host runs no jobs, so that nothing happens unasked.
struct Connected {
    Connected() : host({.runs_jobs = false}) {
        who = host.sign_up();
        const auto back = host.connect(who, kEve, "?provider=outlook");
        REQUIRE_MESSAGE(back.status == 302, back.body);
    }
    json::value control(std::string method, const std::string& target, const json::value& body) {
        net::Request request;
        request.method = std::move(method);
        request.target = target;
        request.path = target;
        if (!body.is_null()) request.body = json::serialize(body);
        const auto answer = host.time.wait(host.graph.control(request));
        REQUIRE_MESSAGE(answer.status < 300, answer.body);
        return answer.body.empty() ? json::value() : TestHost::body(answer);
    }
    /// The person adds an hour in Outlook itself; gives its id.
    std::string add(const std::string& day, const std::string& title = "Tea") {
        const auto made =
            control("POST", "/accounts/" + kEve + "/events",
                    json::object{{"subject", title}, {"start", at(day, 10)}, {"end", at(day, 11)}});
        return std::string(json::text_of(made, "id"));
    }
    void move(const std::string& id, const std::string& day) {
        control("PATCH", "/accounts/" + kEve + "/events/" + id,
                json::object{{"start", at(day, 10)}, {"end", at(day, 11)}});
    }
    static json::object at(const std::string& day, int hour) {
        return {{"dateTime", fmt::format("{}T{}:00:00", day, hour)}, {"timeZone", "UTC"}};
    }
    void advance(milliseconds duration) {
        host.time.advance(duration);
        who = host.sign_in();
    }
    /// "1 created, 0 updated, 0 deleted" of a sync, and what the store holds then.
    std::string sync() {
        const auto answer = sync_now(host, who);
        REQUIRE_MESSAGE(answer.status == 200, answer.body);
        const auto result = TestHost::body(answer).at("sync_result");
        return fmt::format("{} {} {}: {}", result.at("created").as_int64(),
                           result.at("updated").as_int64(), result.at("deleted").as_int64(),
                           count_in_store(host, "SELECT count(*) FROM events"));
    }
    int rounds(const std::string& mark) {
        int count = 0;
        for (const auto& url : urls) count += url.find(mark) != std::string::npos ? 1 : 0;
        return count;
    }
    void listen() {
        host.transport.after = [this](const net::ClientRequest& request,
                                      SandboxTransport::Answer&) -> Task<void> {
            urls.push_back(request.url);
            co_return;
        };
    }
    TestHost host;
    net::Headers who;
    std::vector<std::string> urls;
};

TEST_CASE("window: connect, status, sync and disconnect work for Outlook as for Google") {
    Connected person;
    const auto row = connection_of(person.host, person.who);
    CHECK(json::text_of(row, "provider") == "outlook");
    CHECK(state_of(person.host, person.who) == "active");
    person.add("2026-11-27");
    CHECK(person.sync() == "1 0 0: 1");
    CHECK(person.sync() == "0 0 0: 1");
    const auto status = person.host.call("GET", "/api/calendar/status", person.who);
    CHECK(status.status == 200);
    CHECK(status.body.find(kEve) != std::string::npos);
    const auto calendars = person.host.call("GET", "/api/calendar/calendars", person.who);
    CHECK(calendars.body.find("Europe/Berlin") != std::string::npos);
    const auto gone = person.host.call("DELETE", "/api/calendar/disconnect", person.who);
    CHECK(TestHost::body(gone).at("disconnected") == 1);
    CHECK(count_in_store(person.host, "SELECT count(*) FROM events") == 0);
}

TEST_CASE("window: what leaves it leaves the store, and counts as no deletion") {
    Connected person;
    const auto tea = person.add("2026-11-27");
    const auto coffee = person.add("2026-11-28", "Coffee");
    CHECK(person.sync() == "2 0 0: 2");
    person.move(tea, "2028-06-01");
    CHECK(person.sync() == "0 0 0: 1");
    person.control("DELETE", "/accounts/" + kEve + "/events/" + coffee, nullptr);
    CHECK(person.sync() == "0 0 1: 0");
    // Back again.
    person.move(tea, "2026-11-29");
    CHECK(person.sync() == "1 0 0: 1");
}

TEST_CASE("window: it moves when its end has come a week nearer, and nothing is lost or doubled") {
    Connected person;
    const auto old = person.add("2026-11-21");
    person.add("2026-12-10");
    person.add("2027-11-23", "Next year");  // three days behind the first window
    CHECK(person.sync() == "2 0 0: 2");
    person.listen();
    person.advance(6 * 24h);
    CHECK(person.sync() == "0 0 0: 2");
    CHECK(person.rounds("startDateTime") == 0);
    person.advance(25h);
    CHECK(person.sync() == "1 0 0: 3");
    CHECK(person.rounds("startDateTime") == 1);
    CHECK(person.sync() == "0 0 0: 3");
    CHECK(person.rounds("startDateTime") == 1);
    // What has ended long ago leaves with a later window.
    person.advance(40 * 24h);
    CHECK(person.sync() == "0 0 0: 2");
    CHECK(person.rounds("startDateTime") == 2);
    CHECK(count_in_store(person.host, "SELECT count(*) FROM events WHERE id = '" + old + "'") == 0);
}

TEST_CASE("window: a full pull of a window finds what was deleted meanwhile") {
    Connected person;
    const auto tea = person.add("2026-11-27");
    person.add("2026-11-28", "Coffee");
    CHECK(person.sync() == "2 0 0: 2");
    person.control("POST", "/expire-sync-tokens", nullptr);
    person.control("DELETE", "/accounts/" + kEve + "/events/" + tea, nullptr);
    CHECK(person.sync() == "0 0 1: 1");
}

TEST_CASE("window: a refresh token that is used up is replaced before the new one is used") {
    Connected person;
    person.add("2026-11-27");
    for (int hour = 0; hour < 3; ++hour) {
        person.advance(2h);
        // Each refresh ends the token before it.
        CHECK(person.sync() == (hour == 0 ? "1 0 0: 1" : "0 0 0: 1"));
    }
    // The host dies between the answer and its first use.
    person.advance(2h);
    bool is_cut = false;
    person.host.transport.before =
        [&](net::ClientRequest& request) -> Task<std::optional<SandboxTransport::Answer>> {
        if (request.url.find("/v1.0/") == std::string::npos || is_cut) co_return std::nullopt;
        is_cut = true;
        Signal never;
        co_await never.wait();
        co_return std::nullopt;
    };
    boost::asio::co_spawn(person.host.time.executor(),
                          person.host.handle("POST", "/api/calendar/sync", person.who, ""),
                          boost::asio::detached);
    person.host.time.advance(1s);
    REQUIRE(is_cut);
    person.host.crash_and_restart();
    person.host.transport.before = nullptr;
    person.who = person.host.sign_in();
    CHECK(person.sync() == "0 0 0: 1");
}

TEST_CASE("window: what ends a grant asks the person, what ends the app asks the operator") {
    struct Row {
        std::string fault, state;
    };
    for (
        const auto& row : std::vector<Row>{
            {R"({"kind":"status","status":400,"reason":"interaction_required","path":"*/token"})",
             "needs_reauth"},
            {R"({"kind":"status","status":400,"reason":"consent_required","path":"*/token"})",
             "needs_reauth"},
            {R"({"kind":"status","status":401,"reason":"invalid_client","path":"*/token"})",
             "active"},
            {R"({"kind":"status","status":400,"reason":"unauthorized_client","path":"*/token"})",
             "active"},
            {R"({"kind":"status","status":400,"reason":"server_error","path":"*/token","count":5})",
             "active"}}) {
        CAPTURE(row.fault);
        Connected person;
        person.control("POST", "/faults", json::parse(row.fault).value());
        person.advance(2h);
        CHECK(sync_now(person.host, person.who).status != 200);
        CHECK(state_of(person.host, person.who) == row.state);
        const std::string last_error(
            json::text_of(connection_of(person.host, person.who), "last_error"));
        CHECK((last_error.find("operator") != std::string::npos) ==
              (row.fault.find("_client") != std::string::npos));
        // A passing fault and a mended app need nobody.
        if (row.state == "active") CHECK(person.sync() == "0 0 0: 0");
    }
}

}  // namespace
