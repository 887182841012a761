// Bookings whatever fails on the way.
#include <fstream>

#include "booking/office.h"
#include "booking/plan.h"
#include "support/full_disk.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// Sends the change and ends the host at the point; what comes back must bring it to its end.
void crash_in(Office& office, const json::object& change, std::string_view point) {
    auto& host = office.host;
    begin_and_crash(
        host, host.handle("PUT", "/api/bookings/b1", office.key, json::serialize(change)), point);
    office.rest();
}

}  // namespace

TEST_CASE("bookings: killed at any point of a write, exactly one event is left for each person") {
    struct Case {
        const char* point;
        bool is_booked_before;
        json::object change;
    };
    const std::vector<Case> cases{
        {"booking.stored", false, {}},
        {"booking.intent", false, {}},
        {"booking.created", false, {}},
        {"booking.update", true, {{"title", "Geometry"}}},
        {"booking.updated", true, {{"title", "Geometry"}}},
        {"booking.deleted", true, {{"status", "cancelled"}}},
    };
    for (const auto& [point, is_booked_before, change] : cases)
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            CAPTURE(point);
            CAPTURE(seed);
            Office office({.seed = seed});
            office.connect();
            if (is_booked_before) office.book(office.lesson());
            control(office.host, "POST", "/latency", {{"milliseconds", seed * 7 % 50}});
            const auto booking = office.lesson(change);
            crash_in(office, booking, point);
            const bool is_cancelled = json::text_of(booking, "status") == "cancelled";
            CHECK(office.live(kAda) == (is_cancelled ? 0 : 1));
            CHECK(office.live(kBob) == (is_cancelled ? 0 : 1));
            CHECK(office.states() ==
                  (is_cancelled ? "client removed, tutor removed" : "client synced, tutor synced"));
            if (!is_cancelled)
                CHECK(json::text_of(office.ada_sees(), "summary") ==
                      fmt::format("{} with Bob", json::text_of(booking, "title")));
        }
}

TEST_CASE("bookings: an update that crashed does not survive a change back") {
    Office office;
    office.connect();
    office.book(office.lesson());
    auto& host = office.host;
    begin_and_crash(host,
                    host.handle("PUT", "/api/bookings/b1", office.key,
                                json::serialize(office.lesson({{"title", "Geometry"}}))),
                    "booking.updated");
    office.book(office.lesson());
    CHECK(json::text_of(office.ada_sees(), "summary") == "Algebra with Bob");
    CHECK(json::text_of(office.bob_sees(), "summary") == "Algebra with Ada");
}

TEST_CASE("bookings: a lost answer, and one that is cancelled meanwhile, leave no second event") {
    for (const bool is_cancelled : {false, true}) {
        CAPTURE(is_cancelled);
        Office office;
        office.connect();
        break_next(
            office.host,
            {{"kind", "lost_reply"}, {"method", "POST"}, {"path", "/calendar/*"}, {"count", 2}});
        office.put(office.lesson());
        office.host.time.advance(std::chrono::milliseconds{300});
        if (is_cancelled) office.put(office.lesson({{"status", "cancelled"}}));
        office.rest();
        CHECK(office.live(kAda) == (is_cancelled ? 0 : 1));
        CHECK(office.live(kBob) == (is_cancelled ? 0 : 1));
    }
}

TEST_CASE("bookings: the provider is down for an hour") {
    Office office;
    office.connect();
    break_next(office.host,
               {{"kind", "status"}, {"status", 503}, {"path", "/calendar/*"}, {"count", -1}});
    office.book(office.lesson());
    CHECK(office.states() == "client pending, tutor pending");
    control(office.host, "DELETE", "/faults");
    office.rest(std::chrono::hours{2});
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(office.live(kAda) == 1);
}

TEST_CASE("bookings: a provider that refuses a token which it has just given is asked again") {
    Office office;
    office.connect();
    break_next(office.host, {{"kind", "status"},
                             {"status", 401},
                             {"method", "POST"},
                             {"path", "/calendar/*"},
                             {"count", 4}});
    office.book(office.lesson());
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(office.live(kAda) == 1);
}

TEST_CASE("access revoked at the provider shows as error and heals by reconnecting") {
    Office office;
    office.connect();
    control(office.host, "POST", "/accounts/" + kAda + "/revoke");
    office.book(office.lesson());
    CHECK(office.states() == "client synced, tutor paused");
    CHECK(TestHost::text(office.host.call("GET", "/api/calendar/status", office.ada), "status") ==
          "error");
    office.book(office.lesson({{"title", "Geometry"}}));
    CHECK(office.live(kAda) == 0);

    office.host.connect(office.ada, kAda);
    office.rest();
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(json::text_of(office.ada_sees(), "summary") == "Geometry with Bob");
    CHECK(office.live(kAda) == 1);
}

TEST_CASE("bookings: a connection that goes between enqueue and run") {
    Office office;
    office.connect();
    office.put(office.lesson());
    CHECK(office.host.call("DELETE", "/api/calendar/disconnect", office.ada).status == 200);
    office.rest();
    CHECK(office.states() == "client synced, tutor not_connected");
    CHECK(count_in_store(office.host, "SELECT count(*) FROM jobs WHERE kind = 'booking'") == 0);
}

TEST_CASE("bookings: another account is connected while a booking is written to the first") {
    const std::string other = "carol@gmail.example";
    Office office;
    auto& host = office.host;
    control(host, "POST", "/accounts", {{"email", other}});
    office.connect();
    // Its grant ends with the change of accounts, so the call is refused and asks for a new token.
    break_next(host, {{"kind", "delay"},
                      {"delay_ms", 5000},
                      {"method", "POST"},
                      {"path", "/calendar/*"},
                      {"count", 2}});
    office.put(office.lesson());
    host.time.advance(std::chrono::seconds{1});
    host.connect(office.ada, other);
    office.rest();
    CHECK(office.live(kAda) == 0);
    CHECK(office.live(other) == 1);
    office.book(office.lesson({{"title", "Geometry"}}));
    CHECK(office.live(other) == 1);
    CHECK(office.states() == "client synced, tutor synced");

    office.sign_in_again();
    host.connect(office.ada, kAda);
    office.rest();
    CHECK(office.live(kAda) == 1);
    host.connect(office.ada, other);
    office.rest();
    CHECK(office.live(other) == 1);
}

TEST_CASE("bookings: a calendar that was deleted at the provider") {
    Office office;
    office.connect();
    control(office.host, "POST", "/accounts/" + kAda + "/calendars",
            {{"id", "lessons@group.example"}, {"access_role", "owner"}});
    const std::string connection(json::text_of(connection_of(office.host, office.ada), "id"));
    net::Headers who = office.ada;
    who.set("Content-Type", "application/json");
    const auto choose = [&](const json::object& choice) {
        const auto status = office.host
                                .call("PATCH", "/api/calendar/connections/" + connection, who,
                                      json::serialize(choice))
                                .status;
        office.rest();
        return status;
    };
    CHECK(choose({{"calendar_id", "lessons@group.example"}}) == 200);
    control(office.host, "DELETE", "/accounts/" + kAda + "/calendars/lessons@group.example");
    office.book(office.lesson());
    CHECK(office.states() == "client synced, tutor failed");
    const auto body = TestHost::body(office.host.call("GET", "/api/bookings/b1", office.ada));
    CHECK_FALSE(json::text_of(body.at("sync").at(0), "error").empty());

    CHECK(choose({{"calendar_id", "primary"}}) == 200);
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(office.live(kAda) == 1);
}

TEST_CASE("bookings: the clock is set back an hour") {
    Office office;
    office.connect();
    office.put(office.lesson());
    office.host.time.set_skew(-std::chrono::hours{1});
    office.rest(std::chrono::hours{3});
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(office.live(kAda) == 1);
    CHECK(office.live(kBob) == 1);
}

TEST_CASE("bookings: a template that fails leaves the built-in text, and the plan shows why") {
    TempFolder folder;
    std::filesystem::create_directories(folder.path() / "x");
    std::ofstream(folder.path() / "x/plugin.lua")
        << "local M = { id = 'x', title = 'X', api = 1 }\n"
           "M.templates = { booking = function(booking) return booking.nothing.title end }\n"
           "return M\n";
    std::ofstream(folder.path() / "x/schema.lua") << "return { fields = {} }";
    Office office({.adjust = [&](config::Settings& settings) {
        settings.paths.plugins = folder.path();
        settings.plugins["x"].values = {};
    }});
    office.connect();
    LogSink log;
    office.book(office.lesson());
    CHECK(json::text_of(office.ada_sees(), "summary") == "Algebra with Bob");
    CHECK(log.text.contains("plugins/x/plugin.lua:2"));
    const auto& services = office.host.worker().services();
    const auto plan = must(booking::plan(office.host.sql(), {services.rules, services.plugins},
                                         office.host.time.now(), 10));
    REQUIRE(plan.size() == 2);
    for (const auto& one : plan) {
        CHECK(one.change == "none");
        REQUIRE(one.failures.size() == 1);
        CHECK(one.failures[0].starts_with("plugins/x/plugin.lua:2: "));
    }
}

TEST_CASE("bookings: a template or a rule with an error leaves the built-in text") {
    Office office(
        {.rules = std::vector<plugin::RuleSource>{
             {"bad.lua", "rule:on('booking.event', function() error('oh') end)"},
             {"loop.lua", "rule:on('booking.reminders', function() while true do end end)"}}});
    office.connect();
    LogSink log;
    office.book(office.lesson());
    CHECK(json::text_of(office.ada_sees(), "summary") == "Algebra with Bob");
    CHECK(log.text.contains("bad.lua"));
}

TEST_CASE("bookings: ten thousand in a minute are accepted, paced and none is lost") {
    constexpr int kCount = 10'000;
    Office office;
    office.connect();
    for (int i = 0; i < kCount; ++i) {
        REQUIRE(office.put(office.lesson(), fmt::format("b{}", i)).status == 202);
        office.host.time.advance(std::chrono::milliseconds{6});
    }
    // 10 a second for one connection, after a burst.
    const auto after_a_minute = office.live(kAda);
    CHECK(after_a_minute >= 400);
    CHECK(after_a_minute < 1'000);
    office.host.crash_and_restart();
    office.rest(std::chrono::minutes{1});
    CHECK(office.live(kAda) >= after_a_minute + 300);
    CHECK(office.live(kAda) + office.live(kBob) +
              count_in_store(office.host, "SELECT count(*) FROM jobs WHERE kind = 'booking'") ==
          2 * kCount);
}

TEST_CASE("bookings: a thousand at once are all in both calendars in the end") {
    Office office;
    office.connect();
    for (int i = 0; i < 1000; ++i)
        REQUIRE(office.put(office.lesson(), fmt::format("b{}", i)).status == 202);
    office.rest(std::chrono::hours{1});
    CHECK(office.live(kAda) == 1000);
    CHECK(office.live(kBob) == 1000);
    CHECK(effects_of(office.host, "events.insert") == 2000);
}

TEST_CASE("bookings: a full disk refuses with 503, and nothing that was acknowledged is lost") {
    Office office;
    auto& host = office.host;
    office.connect();
    CHECK(office.put(office.lesson(), "kept").status == 202);
    {
        const FullDisk full;
        const auto refused = office.put(office.lesson(), "refused");
        CHECK(refused.status == 503);
        CHECK(refused.headers.get("Retry-After") == "30");
        office.rest();
        CHECK(office.live(kAda) <= 1);
    }
    host.crash_and_restart();
    office.rest();
    CHECK(office.states("kept") == "client synced, tutor synced");
    CHECK(host.call("GET", "/api/bookings/refused", office.key).status == 404);
    CHECK(office.live(kAda) == 1);
    CHECK(office.live(kBob) == 1);
    CHECK(office.book(office.lesson(), "refused").status == 202);
    CHECK(office.live(kAda) == 2);
}

TEST_CASE("bookings: whoever is taken out of one while disconnected loses the event afterwards") {
    Office office;
    office.connect();
    office.book(office.lesson());
    const auto eve = office.host.sign_up("eve@example.org");
    const auto eve_id = TestHost::text(office.host.call("GET", "/auth/me", eve), "id");
    office.host.call("DELETE", "/api/calendar/disconnect", office.bob);
    office.book(office.lesson({{"client", {{"user_id", eve_id}, {"name", "Eve"}}}}));
    CHECK(office.live(kBob) == 1);
    office.sign_in_again();
    office.host.connect(office.bob, kBob);
    office.rest();
    CHECK(office.live(kBob) == 0);
}

TEST_CASE(
    "bookings: disconnecting and connecting the same account again doubles nothing, and what was "
    "cancelled meanwhile goes") {
    Office office;
    office.connect();
    office.book(office.lesson(), "stays");
    office.book(office.lesson(), "goes");
    office.host.call("DELETE", "/api/calendar/disconnect", office.ada);
    office.book(office.lesson({{"status", "cancelled"}}), "goes");
    office.book(office.lesson({{"title", "Geometry"}}), "stays");
    CHECK(office.live(kAda) == 2);
    office.sign_in_again();
    office.host.connect(office.ada, kAda);
    office.rest();
    CHECK(office.live(kAda) == 1);
    CHECK(json::text_of(office.ada_sees("stays"), "summary") == "Geometry with Bob");
    CHECK(effects_of(office.host, "events.insert") == 4);
}

TEST_CASE("bookings: another account under the same label gets its own events") {
    Office office;
    office.host.google.add_account("eve@gmail.example", "Eve", "Europe/Berlin");
    office.connect();
    office.book(office.lesson());
    office.host.connect(office.ada, "eve@gmail.example");
    office.rest();
    CHECK(office.live("eve@gmail.example") == 1);
    office.book(office.lesson({{"title", "Geometry"}}));
    CHECK(office.states() == "client synced, tutor synced");
    office.sign_in_again();
    office.host.connect(office.ada, kAda);
    office.rest();
    CHECK(office.live(kAda) == 1);
    CHECK(json::text_of(office.event_of(office.ada_id + "' AND e.connection_id <> '", kAda),
                        "summary") == "Geometry with Bob");
}
