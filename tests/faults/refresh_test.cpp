// Every fault of the token endpoint: what the person reads, and what heals.
#include <doctest/doctest.h>

#include "faults/wire.h"
#include "simulation/quick_hasher.h"
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

struct Person {
    explicit Person(const std::string& name)
        : provider(name), account(name == "google" ? kAda : "eve@contoso.example") {
        who = host.sign_up();
        connect();
        host.transport.before = [this](net::ClientRequest& request) {
            return wire.before(request);
        };
        host.transport.after = [this](const net::ClientRequest& request, Answer& answer) {
            return wire.after(request, answer);
        };
        host.time.advance(2h);
        who = host.sign_in();
    }
    void connect() {
        const auto done = host.connect(who, account, "?provider=" + provider);
        REQUIRE(done.status == 302);
    }
    std::string sync() {
        return word_of(host.call("POST", "/api/calendar/sync?provider=" + provider, who));
    }
    std::string last_error() {
        const auto row = connection_of(host, who);
        const auto& text = row.at("last_error");
        return text.is_null() ? "" : std::string(text.as_string());
    }

    TestHost host{{.runs_jobs = false, .hasher = simulation::make_quick_hasher()}};
    Wire wire;
    std::string provider, account;
    net::Headers who;
};

Answer refusal(int status, std::string_view error, net::Headers headers = {}) {
    headers.add("Content-Type", "application/json");
    return net::ClientResponse{status, std::move(headers),
                               json::serialize({{"error", error}, {"error_description", "…"}})};
}

struct Row {
    std::string name;
    Answer answer;
    std::string told;        ///< "502 unavailable"
    std::string state;       ///< of the connection after it
    std::string last_error;  ///< a part of what the person reads
};

const std::string kReconnect = "Please reconnect your calendar.";

std::vector<Row> rows() {
    const Answer html = net::ClientResponse{200, {{"Content-Type", "text/html"}}, "<html>"};
    const Answer lost = fail(ErrorCode::unavailable, "The connection was reset.");
    return {
        {"429 with seconds", refusal(429, "slow", {{"Retry-After", "90"}}), "503 rate_limited",
         "active", ""},
        {"500", refusal(500, "server_error"), "502 unavailable", "active", ""},
        {"503", refusal(503, "temporarily_unavailable"), "502 unavailable", "active", ""},
        {"no connection", fail(ErrorCode::timeout, "The connection stalls."), "504 timeout",
         "active", ""},
        {"a truncated answer", fail(ErrorCode::invalid_response, "The answer was cut off."),
         "502 invalid_response", "active", ""},
        {"HTML with status 200", html, "502 invalid_response", "active", ""},
        {"a certificate that is not good", lost, "502 unavailable", "active", ""},
        {"invalid_grant", refusal(400, "invalid_grant"), "409 needs_reauth", "needs_reauth",
         kReconnect},
        {"invalid_client", refusal(401, "invalid_client"), "500 misconfigured", "active",
         "operator"},
        {"unauthorized_client", refusal(400, "unauthorized_client"), "500 misconfigured", "active",
         "operator"},
    };
}

void check_row(const std::string& provider, const Row& row) {
    CAPTURE(provider);
    CAPTURE(row.name);
    Person person(provider);
    person.wire.break_on(
        [](const net::ClientRequest& request) { return request.url.ends_with("/token"); },
        {.answer = [&row] { return row.answer; }});
    CHECK(person.sync() == row.told);
    CHECK(person.wire.count > 0);
    CHECK(state_of(person.host, person.who) == row.state);
    CHECK(person.last_error().contains(row.last_error));
    CHECK(!person.last_error().empty());
    person.wire.mend();
    person.host.time.advance(3min);
    if (row.state == "needs_reauth") {
        const int before = person.host.transport.count;
        CHECK(person.sync() == row.told);
        CHECK(person.host.transport.count == before);  // nobody asks again with a dead grant
        person.connect();
    }
    CHECK(person.sync() == "200");
    CHECK(state_of(person.host, person.who) == "active");
    CHECK(person.last_error() == "");
}

TEST_CASE("fault matrix: a refresh of Google's token") {
    for (const auto& row : rows()) check_row("google", row);
}

TEST_CASE("fault matrix: a refresh of Outlook's token") {
    auto all = rows();
    for (const std::string word : {"interaction_required", "consent_required"})
        all.push_back({word, refusal(400, word), "409 needs_reauth", "needs_reauth", kReconnect});
    for (const auto& row : all) check_row("outlook", row);
}

/// The provider refreshed, and its answer is lost.
void lose_reply(Person& person) {
    person.wire.break_on(
        [](const net::ClientRequest& request) { return request.url.ends_with("/token"); },
        {.answer = []() -> Answer { return fail(ErrorCode::unavailable, "The connection broke."); },
         .count = 1,
         .is_after = true});
}

TEST_CASE("fault matrix: a lost reply of a refresh is asked for again") {
    Person person("google");
    lose_reply(person);
    CHECK(person.sync() == "200");
    CHECK(person.wire.count >= 1);
}

TEST_CASE("fault matrix: with rotating tokens a lost reply heals where the old token lives on") {
    // Microsoft does not revoke a refresh token by its use; a provider that does leaves only the
    // person, and says so at once.
    for (const bool dies : {false, true}) {
        CAPTURE(dies);
        Person person("outlook");
        net::Request settings;
        settings.method = "POST";
        settings.path = settings.target = "/settings";
        settings.body =
            dies ? R"({"rotate_refresh_tokens":true})" : R"({"rotate_refresh_tokens":false})";
        REQUIRE(person.host.time.wait(person.host.graph.control(settings)).status == 200);
        lose_reply(person);
        CHECK(person.sync() == (dies ? "409 needs_reauth" : "200"));
        CHECK(state_of(person.host, person.who) == (dies ? "needs_reauth" : "active"));
        if (dies) person.connect();
        CHECK(person.sync() == "200");
    }
}

}  // namespace
