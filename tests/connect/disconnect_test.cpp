// Ending connections: what is forgotten here and given back there.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

std::int64_t disconnected(const net::Response& answer) {
    REQUIRE(answer.status == 200);
    const auto body = TestHost::body(answer);
    CHECK(body.at("success") == true);
    CHECK(body.at("message") == "Calendar disconnected successfully");
    CHECK(body.at("user_id").is_string());
    return body.at("disconnected").as_int64();
}

TEST_CASE("disconnect: without parameters all, with them those that match, nothing there is 0") {
    TestHost host;
    const auto who = host.sign_up();
    const std::string path = "/api/calendar/disconnect";
    CHECK(disconnected(host.call("DELETE", path, who)) == 0);
    const auto connect_two = [&] {
        host.connect(who, kAda, "?account=source");
        host.connect(who, kBob, "?account=destination");
    };
    connect_two();
    CHECK(disconnected(host.call("DELETE", path + "?account=nobody", who)) == 0);
    CHECK(disconnected(host.call("DELETE", path + "?provider=microsoft", who)) == 0);
    CHECK(disconnected(host.call("DELETE", path + "?provider=google&account=source", who)) == 1);
    CHECK(json::text_of(connection_of(host, who), "account") == "destination");
    CHECK(disconnected(host.call("DELETE", path + "?provider=google", who)) == 1);
    connect_two();
    CHECK(disconnected(host.call("DELETE", path, who)) == 2);
    CHECK(count_in_store(host, "SELECT count(*) FROM connections") == 0);
}

TEST_CASE(
    "disconnect removes the connection: tokens and events are gone, the provider hears of it") {
    TestHost host;
    const auto who = host.sign_up();
    add_event(host, timed("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"));
    host.connect(who);
    REQUIRE(sync_now(host, who).status == 200);
    CHECK(disconnected(host.call("DELETE", "/api/calendar/disconnect", who)) == 1);
    host.time.advance(10s);
    CHECK(effects_of(host, "token.revoke") == 1);
    for (const std::string table :
         {"connections", "events", "cursors", "calendars", "jobs WHERE kind <> 'schedule'"}) {
        CAPTURE(table);
        CHECK(count_in_store(host, "SELECT count(*) FROM " + table) == 0);
    }
    CHECK(word_of(sync_now(host, who)) == "400 calendar_not_connected");
}

TEST_CASE("disconnect: one by its id; an id of somebody else is 404 and stays") {
    TestHost host;
    const auto ada = host.sign_up();
    const auto eve = host.sign_up("eve@example.org");
    host.connect(ada);
    const std::string id(json::text_of(connection_of(host, ada), "id"));
    const auto path = "/api/calendar/connections/" + id;
    CHECK(word_of(host.call("DELETE", path, eve)) == "404 not_found");
    CHECK(word_of(host.call("DELETE", path)) == "401 unauthorized");
    CHECK(state_of(host, ada) == "active");
    CHECK(disconnected(host.call("DELETE", path, ada)) == 1);
    CHECK(word_of(host.call("DELETE", path, ada)) == "404 not_found");
}

TEST_CASE("disconnect: a host that dies before it revoked does so after its restart") {
    TestHost host;
    const auto who = host.sign_up();
    host.connect(who);
    begin_and_crash(host, host.handle("DELETE", "/api/calendar/disconnect", who, ""),
                    "disconnect.stored");
    CHECK(count_in_store(host, "SELECT count(*) FROM connections") == 0);
    host.time.advance(2min);
    CHECK(effects_of(host, "token.revoke") == 1);
    CHECK(count_in_store(host, "SELECT count(*) FROM jobs WHERE kind = 'revoke'") == 0);
}

TEST_CASE("disconnect: a provider that is down is told later") {
    for (const json::object& fault :
         {json::object{{"kind", "reset"}, {"count", 3}},
          json::object{{"kind", "status"}, {"status", 503}, {"count", 3}},
          json::object{{"kind", "status"}, {"status", 429}, {"retry_after", "120"}, {"count", 1}},
          json::object{{"kind", "lost_reply"}}}) {
        CAPTURE(json::serialize(fault));
        TestHost host;
        const auto who = host.sign_up();
        host.connect(who);
        auto order = fault;
        order["path"] = "/revoke";
        break_next(host, order);
        CHECK(disconnected(host.call("DELETE", "/api/calendar/disconnect", who)) == 1);
        host.time.advance(30min);
        CHECK(effects_of(host, "token.revoke") == 1);
        CHECK(count_in_store(host, "SELECT count(*) FROM jobs WHERE kind <> 'schedule'") == 0);
    }
}

TEST_CASE("disconnect: a grant that the person took back already is no fault") {
    TestHost host;
    const auto who = host.sign_up();
    host.connect(who);
    control(host, "POST", "/accounts/" + kAda + "/revoke");
    CHECK(disconnected(host.call("DELETE", "/api/calendar/disconnect", who)) == 1);
    host.time.advance(5min);
    CHECK(count_in_store(host, "SELECT count(*) FROM jobs WHERE kind <> 'schedule'") == 0);
}

TEST_CASE("disconnect: a connection whose tokens cannot be read goes all the same") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    host.connect(who);
    change_store(host,
                 "UPDATE connections SET sealed_access_token = 'x', "
                 "sealed_refresh_token = 'y'");
    CHECK(disconnected(host.call("DELETE", "/api/calendar/disconnect", who)) == 1);
}

TEST_CASE("disconnect: an account that somebody else is connected to keeps its grant") {
    TestHost host;
    const auto ada = host.sign_up();
    const auto family = host.sign_up("family@example.org");
    host.connect(ada);
    host.connect(family);
    CHECK(disconnected(host.call("DELETE", "/api/calendar/disconnect", ada)) == 1);
    host.time.advance(1min);
    CHECK(effects_of(host, "token.revoke") == 0);
    CHECK(sync_now(host, family).status == 200);
    CHECK(disconnected(host.call("DELETE", "/api/calendar/disconnect", family)) == 1);
    host.time.advance(1min);
    CHECK(effects_of(host, "token.revoke") == 1);
}

TEST_CASE("disconnect: an account that another one replaces is given back, the new one stays") {
    TestHost host;
    const auto who = host.sign_up();
    host.connect(who);
    host.connect(who);  // the same account again
    host.time.advance(1min);
    CHECK(effects_of(host, "token.revoke") == 0);
    host.connect(who, kBob);
    host.time.advance(1min);
    CHECK(effects_of(host, "token.revoke") == 1);
    CHECK(sync_now(host, who).status == 200);
    CHECK(json::text_of(connection_of(host, who), "email") == kBob);
}

}  // namespace
