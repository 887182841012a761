// The other calls of http-api sections 2, 3, 4 and 8: shapes, words, and whose rows they show.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

std::set<std::string> names_of(const json::value& object) {
    std::set<std::string> names;
    for (const auto& member : object.as_object()) names.emplace(member.key());
    return names;
}

std::set<std::string> words(const std::string& text) {
    const auto list = plugin::split_words(text);
    return {list.begin(), list.end()};
}

const std::string kConnection =
    "id provider account email calendar_id takes_bookings busy_calendars sync_enabled sync_mode "
    "status state "
    "scopes "
    "last_synced_at last_error connected_at updated_at";
const std::string kStatus =
    "user_id calendar_connected connected provider account email status state last_sync "
    "last_sync_at credentials_stored_at scopes last_error message capacity connections";

net::Headers json_headers(net::Headers who = {}) {
    who.set("Content-Type", "application/json");
    return who;
}

TEST_CASE("auth: register, token by form and by JSON, me") {
    TestHost host({.runs_jobs = false});
    const auto made = host.call(
        "POST", "/auth/register", json_headers(),
        R"({"email":"ada@example.org","password":"a long enough password","name":"Ada","role":"mentee","surprise":1})");
    CHECK(made.status == 201);
    CHECK(names_of(TestHost::body(made)) == words("id email email_verified name role created_at"));
    CHECK(TestHost::body(made).at("email_verified") == false);
    CHECK(TestHost::body(made).at("role") == "mentee");
    CHECK(
        word_of(host.call("POST", "/auth/register", json_headers(),
                          R"({"email":"ADA@example.org","password":"a long enough password"})")) ==
        "409 email_taken");
    const auto form =
        host.call("POST", "/auth/token", {{"Content-Type", "application/x-www-form-urlencoded"}},
                  "username=ada%40example.org&password=a+long+enough+password");
    REQUIRE(form.status == 200);
    CHECK(names_of(TestHost::body(form)) == words("access_token token_type expires_in"));
    CHECK(TestHost::text(form, "token_type") == "bearer");
    const auto who = host.sign_in();
    const auto me = host.call("GET", "/auth/me", who);
    CHECK(names_of(TestHost::body(me)) ==
          words("id email email_verified name role created_at time_zone calendar_connected"));
    CHECK(TestHost::body(me).at("calendar_connected") == false);
    host.connect(who);
    CHECK(TestHost::body(host.call("GET", "/auth/me", who)).at("calendar_connected") == true);
}

TEST_CASE("auth: an unknown address and a wrong password are answered alike") {
    TestHost host({.runs_jobs = false});
    host.sign_up();
    const auto ask = [&](const std::string& email) {
        return host.call("POST", "/auth/token", json_headers(),
                         R"({"email":")" + email + R"(","password":"not the password"})");
    };
    const auto known = ask("ada@example.org");
    const auto unknown = ask("nobody@example.org");
    CHECK(problem_of(known) == "401 bad_credentials: The address or the password is wrong.");
    CHECK(known.body == unknown.body);
}

TEST_CASE("auth: every signed-in call refuses strangers, and says how to sign in") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const auto contract = TestHost::body(host.call("GET", "/openapi.json")).at("paths").as_object();
    int asked = 0;
    for (const auto& path : contract)
        for (const auto& method : path.value().as_object()) {
            if (!method.value().is_object() || !method.value().as_object().contains("security") ||
                method.value().at("security").as_array().empty())
                continue;
            std::string verb(method.key()), target(path.key());
            std::ranges::transform(verb, verb.begin(), [](char c) { return char(c - 32); });
            for (const auto& [from, to] : {std::pair<std::string, std::string>{"{id}", "7"},
                                           {"{email}", "ada@example.org"},
                                           {"{provider}", "google"}})
                if (const auto at = target.find(from); at != std::string::npos)
                    target.replace(at, from.size(), to);
            CAPTURE(verb + " " + target);
            for (const std::string header :
                 {"", "Bearer", "Bearer x", "Basic YTpi", "Bearer e30.e30.e30",
                  "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."}) {
                const auto answer = host.call(verb, target, {{"Authorization", header}});
                CHECK(word_of(answer) == "401 unauthorized");
                CHECK(answer.headers.get("WWW-Authenticate") == "Bearer");
                ++asked;
            }
        }
    CHECK(asked >= 90);
}

TEST_CASE("status: nothing connected is an answer, never an error") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    for (const std::string query : {"", "?provider=google", "?provider=outlook&account=x"}) {
        const auto answer = host.call("GET", "/api/calendar/status" + query, who);
        CHECK(answer.status == 200);
        const auto body = TestHost::body(answer);
        CHECK(names_of(body) == words(kStatus));
        CHECK(body.at("connected") == false);
        CHECK(body.at("calendar_connected") == false);
        CHECK(body.at("connections").as_array().empty());
        CHECK(names_of(body.at("capacity")) == words("level actions_per_day source"));
    }
}

TEST_CASE("status: connected says so in the words of the contract, and follows every change") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const auto status = [&](const std::string& query = "") {
        return TestHost::body(host.call("GET", "/api/calendar/status" + query, who));
    };
    CHECK(status().at("connected") == false);  // remembered from here on
    host.connect(who);
    auto body = status();
    CHECK(names_of(body) == words(kStatus));
    CHECK(body.at("connected") == true);
    CHECK(body.at("message") == "Calendar connected and ready for sync");
    CHECK(body.at("email") == json::value(kAda));
    CHECK(body.at("status") == "active");
    CHECK(body.at("last_sync").is_null());
    CHECK(body.at("credentials_stored_at") == "2026-11-20T09:00:00Z");
    CHECK(names_of(body.at("connections").as_array().at(0)) == words(kConnection));
    host.time.advance(1min);
    sync_now(host, who);
    CHECK(status().at("last_sync") == "2026-11-20T09:01:00Z");
    CHECK(status().at("last_sync_at") == "2026-11-20T09:01:00Z");
    control(host, "POST", "/accounts/" + kAda + "/revoke");
    sync_now(host, who);
    body = status();
    CHECK(body.at("state") == "needs_reauth");
    CHECK(body.at("status") == "error");
    host.connect(who, kBob, "?account=second");
    CHECK(status().at("state") == "active");  // the one that works speaks
    CHECK(status("?account=primary").at("state") == "needs_reauth");
    CHECK(status("?account=second").at("email") == json::value(kBob));
    change_store(host, "UPDATE connections SET state = 'paused'");
    host.crash_and_restart();
    CHECK(status().at("status") == "disabled");
    host.call("DELETE", "/api/calendar/disconnect", who);
    CHECK(status().at("connected") == false);
}

TEST_CASE("connections: only one's own, each in the one shape") {
    TestHost host({.runs_jobs = false});
    const auto ada = host.sign_up();
    const auto eve = host.sign_up("eve@example.org");
    host.connect(ada);
    const auto list = [&](const net::Headers& who) {
        return TestHost::body(host.call("GET", "/api/calendar/connections", who))
            .at("connections")
            .as_array();
    };
    REQUIRE(list(ada).size() == 1);
    CHECK(names_of(list(ada)[0]) == words(kConnection));
    CHECK(list(ada)[0].at("sync_mode") == "one_way");
    CHECK(list(eve).empty());
    CHECK(word_of(sync_now(host, eve)) == "400 calendar_not_connected");
}

TEST_CASE("calendars: those of every connection, or 400 without one") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    CHECK(word_of(host.call("GET", "/api/calendar/calendars", who)) ==
          "400 calendar_not_connected");
    control(host, "POST", "/accounts/" + kAda + "/calendars",
            json::object{{"id", "team@group.example"}, {"access_role", "reader"}});
    host.connect(who);
    const auto list =
        TestHost::body(host.call("GET", "/api/calendar/calendars", who)).at("calendars").as_array();
    REQUIRE(list.size() == 2);
    for (const auto& calendar : list)
        CHECK(names_of(calendar) == words("id name primary read_only color time_zone"));
    const bool is_first = list[0].at("primary").as_bool();
    const auto& primary = is_first ? list[0] : list[1];
    const auto& team = is_first ? list[1] : list[0];
    CHECK(primary.at("id") == json::value(kAda));
    CHECK(primary.at("time_zone") == "Europe/Berlin");
    CHECK(primary.at("read_only") == false);
    CHECK(team.at("read_only") == true);

    const auto page = [&](const std::string& query) {
        return TestHost::body(host.call("GET", "/api/calendar/calendars?limit=1" + query, who));
    };
    const auto first = page("");
    const auto second = page("&cursor=" + std::string(json::text_of(first, "next_cursor")));
    REQUIRE(first.at("calendars").as_array().size() == 1);
    REQUIRE(second.at("calendars").as_array().size() == 1);
    CHECK(first.at("calendars").as_array()[0] != second.at("calendars").as_array()[0]);
    CHECK(second.at("next_cursor").is_null());
}

TEST_CASE("providers: what is on offer, to anyone") {
    TestHost host({.runs_jobs = false});
    const auto list = TestHost::body(host.call("GET", "/api/providers")).at("providers").as_array();
    const auto offer = [&](std::string_view id) {
        for (const auto& provider : list)
            if (json::text_of(provider, "id") == id) return provider;
        return json::value{};
    };
    const auto google = offer("google");
    REQUIRE(google.is_object());
    CHECK(google.at("title") == "Google Calendar");
    CHECK(google.at("sign_in") == "oauth2");
    CHECK(google.at("configured") == true);
    CHECK(google.at("capabilities").at("incremental") == true);
    const auto caldav = offer("caldav");
    REQUIRE(caldav.is_object());
    CHECK(caldav.at("sign_in") == "basic");
    CHECK(caldav.at("configured") == true);  // an operator prepares nothing
}

TEST_CASE("events: days, free and blocked slots") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    add_event(host, timed("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", "A"));
    add_event(host, timed("2026-11-23T10:30:00Z", "2026-11-23T12:00:00Z", "B"));
    auto free = timed("2026-11-23T15:00:00Z", "2026-11-23T16:00:00Z", "not busy");
    free["transparency"] = "transparent";
    add_event(host, free);
    add_event(host, {{"summary", "Holiday"},
                     {"start", {{"date", "2026-11-24"}}},
                     {"end", {{"date", "2026-11-25"}}}});
    host.connect(who);
    sync_now(host, who);
    const auto ask = [&](const json::object& more) {
        json::object question{
            {"email", "ADA@example.org"}, {"start_date", "2026-11-23"}, {"end_date", "2026-11-24"}};
        for (const auto& member : more) question[member.key()] = member.value();
        return host.call("POST", "/api/calendar/events", json_headers(who),
                         json::serialize(question));
    };
    const auto answer = ask({});
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    auto body = TestHost::body(answer);
    CHECK(names_of(body) ==
          words("email total_events total_free_slots total_blocked_slots date_range events "
                "free_slots blocked_slots as_of stale warnings"));
    CHECK(body.at("total_events") == 4);
    CHECK(json::serialize(body.at("date_range")) == R"({"start":"2026-11-23","end":"2026-11-24"})");
    CHECK(
        json::serialize(body.at("blocked_slots")) ==
        R"([{"start_time":"2026-11-23T10:00:00Z","end_time":"2026-11-23T12:00:00Z","duration_minutes":120},)"
        R"({"start_time":"2026-11-24T00:00:00Z","end_time":"2026-11-25T00:00:00Z","duration_minutes":1440}])");
    CHECK(
        json::serialize(body.at("free_slots")) ==
        R"([{"start_time":"2026-11-23T00:00:00Z","end_time":"2026-11-23T10:00:00Z","duration_minutes":600},)"
        R"({"start_time":"2026-11-23T12:00:00Z","end_time":"2026-11-24T00:00:00Z","duration_minutes":720}])");
    CHECK(body.at("as_of") == "2026-11-20T09:00:00Z");
    CHECK(body.at("stale") == false);

    body = TestHost::body(ask({{"slot_minutes", 60}}));
    CHECK(body.at("total_free_slots") == 22);
    body = TestHost::body(ask({{"include_free_slots", false}, {"include_blocked_slots", false}}));
    CHECK(body.at("free_slots").as_array().empty());
    CHECK(body.at("total_blocked_slots") == 0);
    body = TestHost::body(ask({{"time_zone", "Asia/Tokyo"}}));
    CHECK(body.at("free_slots").as_array().at(0).at("start_time") == "2026-11-22T15:00:00Z");

    CHECK(problem_of(ask({{"email", "bob@example.org"}})) == "403 forbidden: Forbidden");
    const std::vector<std::pair<json::object, std::string>> wrong{
        {{{"start_date", "soon"}}, "start_date"},
        {{{"end_date", "2026-02-30"}}, "end_date"},
        {{{"end_date", "2026-11-22"}}, "end_date"},
        {{{"end_date", "2027-11-25"}}, "end_date"},
        {{{"time_zone", "Mars/Olympus"}}, "time_zone"},
        {{{"slot_minutes", 4}}, "slot_minutes"},
        {{{"slot_minutes", "60"}}, "slot_minutes"},
        {{{"include_free_slots", "yes"}}, "include_free_slots"},
        {{{"email", 7}}, "email"},
        {{{"start_date", nullptr}}, "start_date"}};
    for (const auto& [member, field] : wrong) {
        CAPTURE(json::serialize(member));
        const auto refused = ask(member);
        CHECK(word_of(refused) == "422 invalid");
        CHECK(TestHost::body(refused).at("errors").as_array().at(0).at("field") ==
              json::value(field));
    }
    CHECK(ask({{"end_date", "2027-11-23"}}).status == 200);  // 366 days
}

TEST_CASE("diagnosis: each call has its shape, and another's address is Forbidden") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    host.sign_up("eve@example.org");
    host.connect(who);
    sync_now(host, who);
    const auto ask = [&](const std::string& path) {
        return host.call("GET", "/api/calendar/test/" + path, who);
    };
    CHECK(json::serialize(TestHost::body(ask("database"))) ==
          R"({"status":"healthy","message":"Database connection working"})");
    auto body = TestHost::body(ask("credentials/ada@example.org"));
    CHECK(names_of(body) == words("email user_id has_credentials credentials_stored_at last_sync "
                                  "scopes has_refresh_token expired"));
    CHECK(body.at("has_credentials") == true);
    CHECK(body.at("has_refresh_token") == true);
    CHECK(body.at("expired") == false);
    body = TestHost::body(
        ask("calendar-data/ada@example.org?start_date=2026-11-20&end_date=2026-11-20"));
    CHECK(body.at("total_free_slots") == 1);
    body = TestHost::body(ask("calendar-health"));
    CHECK(names_of(body) == words("timestamp user_id email checks"));
    CHECK(names_of(body.at("checks")) == words("calendar_connection sync_status database_health"));
    CHECK(names_of(body.at("checks").at("calendar_connection")) ==
          words("calendar_connected last_sync"));
    CHECK(names_of(body.at("checks").at("sync_status")) == words("has_credentials sync_age_hours"));
    CHECK(names_of(body.at("checks").at("database_health")) == words("status message"));
    body = TestHost::body(ask("sync-monitoring"));
    CHECK(names_of(body) == words("timestamp user_id connections runs"));
    CHECK(names_of(body.at("connections").as_array().at(0)) ==
          words("provider account state last_sync sync_age_hours last_error next_sync "
                "channel_expires_at"));
    CHECK(body.at("runs").as_array().size() == 1);
    for (const std::string path : {"credentials/eve@example.org", "credentials/nobody@example.org",
                                   "calendar-data/eve@example.org?start_date=2026-11-20"}) {
        CAPTURE(path);
        CHECK(problem_of(ask(path)) == "403 forbidden: Forbidden");
    }
    CHECK(word_of(ask("calendar-data/ada@example.org")) == "422 invalid");
    for (int i = 0; i < 30; ++i) sync_now(host, who);
    CHECK(TestHost::body(ask("sync-monitoring")).at("runs").as_array().size() == 20);
}

TEST_CASE("pages: without a frontend the default redirects show something") {
    TestHost host({.runs_jobs = false});
    for (const std::string path : {"/", "/dashboard", "/dashboard/mentor", "/calls"}) {
        CHECK(host.call("GET", path).status == 200);
        CHECK(host.call("GET", path + "?connected=success").body.contains("is connected"));
        const auto failed = host.call("GET", path + "?error=%3Cscript%3E");
        CHECK(failed.body.contains("&lt;script&gt;"));
        CHECK_FALSE(failed.body.contains("<script>"));
        CHECK(failed.headers.get("Content-Security-Policy").contains("default-src 'none'"));
    }
    TestHost other(
        {.adjust = [](config::Settings& s) { s.server.frontend_url = "http://app.test"; },
         .runs_jobs = false});
    CHECK(word_of(other.call("GET", "/dashboard")) == "404 not_found");
}

}  // namespace
