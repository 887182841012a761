// Beginning a connection: the calls of http-api section 3, by program and by browser.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kRedirectUser =
    "Redirect user to this URL to grant calendar permissions";

net::Headers with_accept(net::Headers who, const std::string& accept) {
    if (!accept.empty()) who.set("Accept", accept);
    return who;
}

TEST_CASE("begin: 302 for a browser, JSON for a program, as each call says") {
    struct Case {
        std::string path, accept;
        int status;
    };
    const std::string browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    const std::vector<Case> cases{
        {"/api/calendar/auth", "", 200},
        {"/api/calendar/auth", "application/json", 200},
        {"/api/calendar/auth", "*/*", 200},
        {"/api/calendar/auth", browser, 302},
        {"/api/calendar/auth-url", "", 200},
        {"/api/calendar/auth-url", browser, 200},
        {"/api/calendar/auth/force", "application/json", 200},
        {"/api/calendar/auth/force", "", 200},
        {"/api/calendar/auth/force", browser, 302},
        {"/api/calendar/auth-redirect", "", 302},
        {"/api/calendar/auth-redirect", browser, 302},
        {"/api/calendar/auth-redirect", "application/json, text/plain", 302},
        {"/api/calendar/auth-redirect", "application/json", 200},
        {"/api/calendar/connect/google", "", 302},
        {"/api/calendar/connect/google", browser, 302},
        {"/api/calendar/connect/google", "*/*", 302},
        {"/api/calendar/connect/google", "application/json", 200},
    };
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const auto me = TestHost::text(host.call("GET", "/auth/me", who), "id");
    for (const auto& row : cases) {
        CAPTURE(row.path + " " + row.accept);
        const auto answer = host.call("GET", row.path, with_accept(who, row.accept));
        REQUIRE(answer.status == row.status);
        std::string url(answer.headers.get("Location"));
        if (row.status == 200) {
            const auto body = TestHost::body(answer).as_object();
            CHECK(body.size() == 5);
            CHECK(body.at("already_connected") == false);
            CHECK(body.at("message") == json::value(kRedirectUser));
            CHECK(body.at("user_id") == json::value(me));
            CHECK(body.at("provider") == "google");
            url = body.at("authorization_url").as_string();
        }
        CHECK(url.starts_with("http://sandbox.test/o/oauth2/v2/auth?"));
        CHECK(answer.headers.has("Set-Cookie"));
        CHECK(word_of(host.call("GET", row.path, with_accept({}, row.accept))) ==
              "401 unauthorized");
    }
}

TEST_CASE("begin: auth syncs when connected, and begins anew when the sync fails") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    add_event(host, timed("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"));
    host.connect(who);
    const auto body = TestHost::body(host.call("GET", "/api/calendar/auth", who)).as_object();
    CHECK(body.size() == 4);
    CHECK(body.at("already_connected") == true);
    CHECK(body.at("sync_result").at("events_synced") == 1);
    CHECK(body.at("sync_result").at("created") == 1);
    CHECK(body.at("message") == "Calendar synced successfully");
    const auto requests = host.transport.count;
    const auto url = TestHost::body(host.call("GET", "/api/calendar/auth-url", who));
    CHECK(url.at("already_connected") == false);  // it never syncs
    CHECK(host.transport.count == requests);
    control(host, "POST", "/accounts/" + kAda + "/revoke");
    CHECK(TestHost::body(host.call("GET", "/api/calendar/auth", who)).at("already_connected") ==
          false);
    CHECK(TestHost::body(host.call("GET", "/api/calendar/auth?account=other", who))
              .at("already_connected") == false);
}

TEST_CASE("begin: auth-redirect leads a connected person to the rule's page") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    host.connect(who);
    const auto location = [&] {
        return std::string(
            host.call("GET", "/api/calendar/auth-redirect", who).headers.get("Location"));
    };
    CHECK(location() == "http://host.test/dashboard/mentor?tab=calls&connected=success");
    control(host, "POST", "/accounts/" + kAda + "/revoke");
    sync_now(host, who);
    CHECK(location().starts_with("http://sandbox.test/o/oauth2/v2/auth?"));
}

TEST_CASE("begin: a missing client id is 500 in the words of the contract, on every call") {
    TestHost host({.adjust =
                       [](config::Settings& settings) {
                           settings.providers["google"].values.erase("client_id");
                       },
                   .runs_jobs = false});
    const auto who = host.sign_up();
    for (const std::string path :
         {"/api/calendar/auth", "/api/calendar/auth-url", "/api/calendar/auth-redirect",
          "/api/calendar/auth/force", "/api/calendar/connect/google"}) {
        CAPTURE(path);
        CHECK(problem_of(host.call("GET", path, who)) ==
              "500 provider_not_configured: Google OAuth not configured for calendar");
    }
    const auto link =
        TestHost::text(host.call("POST", "/api/calendar/connect-links", who, "{}"), "url");
    CHECK(word_of(host.call("GET", link.substr(kHostUrl.size()))) == "500 provider_not_configured");
    const auto providers = TestHost::body(host.call("GET", "/api/providers"));
    for (const auto& provider : providers.at("providers").as_array())
        if (json::text_of(provider, "id") == "google") CHECK(provider.at("configured") == false);
}

TEST_CASE("begin: an unknown provider is 404") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    for (const std::string path :
         {"/api/calendar/auth?provider=nobody", "/api/calendar/auth-url?provider=nobody",
          "/api/calendar/auth-redirect?provider=nobody", "/api/calendar/auth/force?provider=nobody",
          "/api/calendar/connect/nobody", "/api/calendar/connect/nobody?provider=google",
          "/api/calendar/connect/..%2fgoogle"}) {
        CAPTURE(path);
        CHECK(word_of(host.call("GET", path, who)) == "404 not_found");
    }
    CHECK(word_of(host.call("POST", "/api/calendar/connect-links", who,
                            R"({"provider":"nobody"})")) == "404 not_found");
}

TEST_CASE("begin: wrong words in the query are 422 and name the field") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    struct Case {
        std::string query, field;
    };
    for (const auto& row : std::vector<Case>{{"account=a%20b", "account"},
                                             {"account=" + std::string(65, 'a'), "account"},
                                             {"account=%3Cb%3E", "account"},
                                             {"purpose=everything", "purpose"},
                                             {"return_to=https%3A%2F%2Fevil.example", "return_to"},
                                             {"return_to=settings", "return_to"},
                                             {"login_hint=" + std::string(321, 'a'), "login_hint"}})
        for (const std::string path : {"/api/calendar/auth-url", "/api/calendar/connect/google"}) {
            CAPTURE(path + row.query);
            const auto answer = host.call("GET", path + "?" + row.query, who);
            CHECK(word_of(answer) == "422 invalid");
            const auto errors = TestHost::body(answer).at("errors").as_array();
            REQUIRE(errors.size() == 1);
            CHECK(errors[0].at("field") == json::value(row.field));
            CHECK(errors[0].at("message").is_string());
        }
}

TEST_CASE("begin: the login hint and the purpose reach the provider") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto url = host.authorization_url(who, browser, "?login_hint=me%2Bx%40gmail.example");
    CHECK(query_of(url, "login_hint") == "me+x@gmail.example");
}

TEST_CASE("return_to: every way out of the frontend is refused, however it is spelled") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const std::vector<std::string> fronts{
        "//",       "///",       "/\\",      "\\\\",   "\\/",     "/%2f",
        "/%5c",     "http://",   "https://", "https:", "HTTP://", "javascript:",
        "data:,",   "/\t/",      "/\n/",     " //",    "/../",    "/./",
        "/%2e%2e/", "/a/../../", "",         "?//",    "#//",     "/%0d%0aLocation:%20//"};
    const std::vector<std::string> hosts{"evil.example",   "evil.example/x",  "evil.example:80",
                                         "a@evil.example", "127.0.0.1",       "[::1]",
                                         "%65vil.example", "evil.example%2f", "evil.example?x=/"};
    int refused = 0;
    for (const auto& front : fronts)
        for (const auto& target : hosts) {
            CAPTURE(front + target);
            const auto query = "?return_to=" + percent_encode(front + target);
            CHECK(word_of(host.call("GET", "/api/calendar/auth-url" + query, who)) ==
                  "422 invalid");
            ++refused;
        }
    CHECK(refused >= 200);
    CHECK(count_in_store(host, "SELECT count(*) FROM oauth_states") == 0);
    CHECK(word_of(host.call("POST", "/api/calendar/connect-links", who,
                            R"({"return_to":"//evil.example"})")) == "422 invalid");
}

TEST_CASE("return_to: the person lands there, whatever it holds") {
    struct Case {
        std::string return_to, location;
    };
    for (const auto& row : std::vector<Case>{{"/settings", "/settings?connected=success"},
                                             {"/s?a=1", "/s?a=1&connected=success"},
                                             {"/s#part", "/s?connected=success#part"},
                                             {"/s?a=1#part", "/s?a=1&connected=success#part"},
                                             {"/", "/?connected=success"}}) {
        TestHost host({.runs_jobs = false});
        const auto who = host.sign_up();
        CHECK(host.connect(who, kAda, "?return_to=" + percent_encode(row.return_to))
                  .headers.get("Location") == std::string(kHostUrl) + row.location);
    }
}

TEST_CASE("links: one use, ten minutes, no bearer needed, and the flow is a navigation") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const auto make = [&](const std::string& body) {
        const auto made = host.call("POST", "/api/calendar/connect-links", who, body);
        REQUIRE(made.status == 201);
        CHECK(TestHost::text(made, "expires_at") ==
              format_rfc3339(host.time.now() + std::chrono::minutes{10}));
        const auto url = TestHost::text(made, "url");
        CHECK(url.starts_with("http://host.test/api/calendar/connect-links/"));
        return url.substr(kHostUrl.size());
    };
    const auto link = make(R"({"provider":"google","account":"source","return_to":"/done"})");
    CHECK(host.call("HEAD", link).status == 200);  // as mail scanners do
    const auto begun = host.call("GET", link);
    REQUIRE(begun.status == 302);
    CHECK(word_of(host.call("GET", link)) == "404 not_found");
    Cookies browser;
    TestHost::remember(begun, browser);
    const auto done = host.come_back(host.consent(std::string(begun.headers.get("Location"))),
                                     browser, "text/html");
    CHECK(done.headers.get("Location") == "http://host.test/done?connected=success");
    CHECK(json::text_of(connection_of(host, who), "account") == "source");

    const auto old = make("{}");
    host.time.advance(10min);
    CHECK(word_of(host.call("GET", old)) == "404 not_found");
    CHECK(word_of(host.call("GET", "/api/calendar/connect-links/nonsense")) == "404 not_found");
    CHECK(word_of(host.call("POST", "/api/calendar/connect-links", {}, "{}")) ==
          "401 unauthorized");
}

TEST_CASE("redirect rule: mentors, mentees and everybody else") {
    struct Case {
        std::string role, location;
    };
    for (const auto& row :
         std::vector<Case>{{"mentor", "/dashboard/mentor?tab=calls&connected=success"},
                           {"mentee", "/calls?connected=success"},
                           {"", "/dashboard?connected=success"}}) {
        TestHost host({.runs_jobs = false});
        const auto who = host.sign_up("ada@example.org", row.role);
        CHECK(host.connect(who).headers.get("Location") == std::string(kHostUrl) + row.location);
    }
}

TEST_CASE("redirect rule: one that throws, loops, returns a number or leaves falls back, logged") {
    for (const std::string body :
         {"error('x')", "while true do end", "return 7", "return 'https://evil.example/'",
          "return '//evil.example/'", "return user.nothing.there"}) {
        CAPTURE(body);
        TestHost host(
            {.rules = {{{"redirect.lua",
                         "rule:on('connection.redirect', function(user) " + body + " end)"}}},
             .runs_jobs = false});
        const auto who = host.sign_up();
        const LogSink log;
        CHECK(host.connect(who).headers.get("Location") ==
              "http://host.test/dashboard?connected=success");
        CHECK(log.text.contains("rule failed and was passed over"));
        CHECK(log.text.contains("redirect.lua"));
    }
}

TEST_CASE("redirect rule: it sees the user, the connection and the flow") {
    TestHost host({.rules = {{{"redirect.lua", R"(
        rule:on("connection.redirect", function(user, connection, flow)
          return "/x?" .. user.role .. "&" .. user.email:gsub("@.*", "") .. "&" .. connection.account
            .. "&" .. connection.provider .. "&" .. (flow.connected or flow.error)
        end))"}}},
                   .runs_jobs = false});
    const auto who = host.sign_up();
    CHECK(host.connect(who, kAda, "?account=source").headers.get("Location") ==
          "http://host.test/x?mentor&ada&source&google&success&connected=success");
}

}  // namespace
