// http-api, section 3, "State": every case.
#include "connect/sealing.h"
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("connect shows success and a sealed row") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    CHECK(host.connect(who).headers.get("Location").ends_with("connected=success"));
    CHECK(TestHost::text(host.call("GET", "/api/calendar/status", who), "status") == "active");
    const auto row = must(storage::find_connection_for_job(
        host.sql(), std::string(json::text_of(connection_of(host, who), "id"))));
    for (const auto& [sealed, column] :
         {std::pair{row->sealed_access_token, connect::kAccessColumn},
          {row->sealed_refresh_token, connect::kRefreshColumn}}) {
        const auto open = must(
            connect::open_token(host.worker().services(), sealed, column, row->id, row->user_id));
        CHECK(open.expose().size() > 10);
        CHECK_FALSE(sealed.contains(open.expose()));
    }
}

TEST_CASE("state: a missing one is refused in the words of the contract") {
    TestHost host({.runs_jobs = false});
    CHECK(problem_of(host.call("GET", kCallback + "?code=x")) ==
          "400 missing_state: Missing state parameter");
    CHECK(problem_of(host.call("GET", kCallback + "?code=x&state=")) ==
          "400 missing_state: Missing state parameter");
}

TEST_CASE("state: a forged one is refused, and nothing is asked of the provider") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto target = host.consent(host.authorization_url(who, browser));
    const auto requests = host.transport.count;
    for (const std::string forged :
         {"x", "0123456789012345678901234567890123456789012", "' OR 1=1"})
        CHECK(word_of(host.come_back(with_query(target, "state", forged), browser)) ==
              "400 unknown_state");
    CHECK(host.transport.count == requests);
}

TEST_CASE("state: one of ten minutes ago is expired, one of a moment less is not") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    for (const auto& [age, answer] :
         {std::pair{599'000ms, "302"}, {600'000ms, "400 state_expired"}}) {
        CAPTURE(age.count());
        Cookies browser;
        const auto url =
            host.authorization_url(who, browser, "?account=a" + std::to_string(age.count()));
        host.time.advance(age);
        CHECK(word_of(host.come_back(host.consent(url), browser)) == answer);
    }
}

TEST_CASE("state: a used one is refused, and the first connection stays") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto target = host.consent(host.authorization_url(who, browser));
    CHECK(host.come_back(target, browser).status == 302);
    CHECK(word_of(host.come_back(target, browser)) == "400 state_used");
    CHECK(effects_of(host, "token.exchange") == 1);
    CHECK(state_of(host, who) == "active");
}

TEST_CASE("state: of two callbacks at the same moment one connects") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto target = host.consent(host.authorization_url(who, browser));
    control(host, "POST", "/latency", json::object{{"milliseconds", 50}});
    std::vector<Task<net::Response>> calls;
    const net::Headers headers{{"Accept", "application/json"},
                               {"Cookie", TestHost::cookie_header(browser)}};
    for (int i = 0; i < 2; ++i) calls.push_back(host.handle("GET", target, headers, ""));
    const auto answers = at_once(host, std::move(calls));
    CHECK(word_of(answers[0]) == "302");
    CHECK(word_of(answers[1]) == "400 state_used");
    CHECK(effects_of(host, "token.exchange") == 1);
}

TEST_CASE("state: it works only at the callback path that its redirect URI names") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto target = host.consent(host.authorization_url(who, browser));
    const auto query = target.substr(target.find('?'));
    for (const std::string path :
         {"/api/calendar/callback", "/oauth/callback", "/api/integrations/google/callback",
          "/api/calendar/callback/microsoft"}) {
        CAPTURE(path);
        CHECK(word_of(host.come_back(path + query, browser)) == "400 wrong_callback");
    }
    CHECK(host.come_back(target, browser).status == 302);  // nothing was used up
}

TEST_CASE("state: a shared callback path takes the states whose redirect URI it is") {
    for (const std::string path : {"/api/calendar/callback", "/oauth/callback",
                                   "/api/integrations/google/callback", "/of/the/operator"}) {
        CAPTURE(path);
        TestHost host({.adjust =
                           [&](config::Settings& settings) {
                               settings.providers["google"].values["redirect_uri"] =
                                   std::string(kHostUrl) + path;
                           },
                       .runs_jobs = false});
        const auto who = host.sign_up();
        Cookies browser;
        const auto url = host.authorization_url(who, browser);
        CHECK(query_of(url, "redirect_uri") == std::string(kHostUrl) + path);
        const auto query = "?code=no-such-code&state=" + query_of(url, "state");
        CHECK(word_of(host.come_back(kCallback + query, browser)) == "400 wrong_callback");
        CHECK(word_of(host.come_back(path + query, browser)) == "400 code_refused");
    }
}

TEST_CASE("state: the browser that began must come back, as the way of beginning asks") {
    enum class Cookie { same, different, absent };
    struct Case {
        std::string flow;
        Cookie cookie;
        std::string unbound;
        std::string answer;
    };
    const std::vector<Case> cases{
        {"navigation", Cookie::same, "confirm", "302"},
        {"navigation", Cookie::different, "confirm", "400 other_browser"},
        {"navigation", Cookie::absent, "confirm", "400 other_browser"},
        {"navigation", Cookie::absent, "accept", "400 other_browser"},
        {"navigation", Cookie::absent, "refuse", "400 other_browser"},
        {"navigation", Cookie::different, "accept", "400 other_browser"},
        {"link", Cookie::same, "confirm", "302"},
        {"link", Cookie::absent, "accept", "400 other_browser"},
        {"json", Cookie::same, "confirm", "302"},
        {"json", Cookie::same, "refuse", "302"},
        {"json", Cookie::different, "confirm", "400 other_browser"},
        {"json", Cookie::different, "accept", "400 other_browser"},
        {"json", Cookie::absent, "confirm", "200"},
        {"json", Cookie::absent, "accept", "302"},
        {"json", Cookie::absent, "refuse", "400 other_browser"},
    };
    for (const auto& row : cases) {
        CAPTURE(fmt::format("{} {} {}", row.flow, static_cast<int>(row.cookie), row.unbound));
        TestHost host({.adjust = [&](config::Settings& s) { s.connect_unbound = row.unbound; },
                       .runs_jobs = false});
        const auto who = host.sign_up();
        Cookies browser;
        std::string url;
        if (row.flow == "json") {
            url = host.authorization_url(who, browser);
        } else {
            auto begun = host.call("GET", "/api/calendar/connect/google", who);
            if (row.flow == "link") {
                const auto link = TestHost::text(
                    host.call("POST", "/api/calendar/connect-links", who, "{}"), "url");
                begun = host.call("GET", link.substr(kHostUrl.size()));
            }
            REQUIRE(begun.status == 302);
            TestHost::remember(begun, browser);
            url = begun.headers.get("Location");
        }
        REQUIRE(browser.size() == 1);
        const auto right = browser;
        if (row.cookie == Cookie::different) browser.begin()->second = "someone-else";
        if (row.cookie == Cookie::absent) browser.clear();
        const auto target = host.consent(url);
        CHECK(word_of(host.come_back(target, browser)) == row.answer);
        // A refusal uses nothing up: the right browser goes on.
        if (row.answer == "400 other_browser") CHECK(host.come_back(target, right).status == 302);
    }
}

TEST_CASE("state: several flows of one browser stand side by side") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto first = host.authorization_url(who, browser, "?account=source");
    const auto second = host.authorization_url(who, browser, "?account=destination");
    CHECK(browser.size() == 2);
    CHECK(host.come_back(host.consent(second, kBob), browser).status == 302);
    CHECK(host.come_back(host.consent(first, kAda), browser).status == 302);
    CHECK(count_in_store(host, "SELECT count(*) FROM connections") == 2);
}

TEST_CASE("state: the cookie lives ten minutes, and scripts and other sites do not get it") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    const std::string cookie(
        host.call("GET", "/api/calendar/auth-url", who).headers.get("Set-Cookie"));
    CHECK(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"));
    TestHost secure({.adjust =
                         [](config::Settings& s) {
                             s.server.public_url = "https://host.test";
                             s.server.frontend_url = "https://host.test";
                         },
                     .runs_jobs = false});
    const auto her = secure.sign_up();
    CHECK(secure.call("GET", "/api/calendar/auth-url", her)
              .headers.get("Set-Cookie")
              .ends_with("; SameSite=Lax; Secure"));
}

TEST_CASE("state: the connection belongs to who began, not to who comes back") {
    TestHost host({.runs_jobs = false});
    const auto ada = host.sign_up();
    const auto eve = host.sign_up("eve@example.org");
    Cookies browser;
    const auto target = host.consent(host.authorization_url(ada, browser));
    auto headers = eve;
    headers.set("Cookie", TestHost::cookie_header(browser));
    CHECK(host.call("GET", target, headers).status == 302);
    CHECK(state_of(host, ada) == "active");
    CHECK(TestHost::body(host.call("GET", "/api/calendar/status", eve)).at("connected") == false);
}

TEST_CASE("state: 256 bits, a PKCE challenge by S256, and neither is stored as it is") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto url = host.authorization_url(who, browser);
    const auto state = query_of(url, "state");
    CHECK(state.size() == 43);
    CHECK(query_of(url, "code_challenge").size() == 43);
    CHECK(query_of(url, "code_challenge_method") == "S256");
    CHECK(query_of(url, "access_type") == "offline");
    CHECK(query_of(url, "prompt") == "consent");
    const auto row = text_in_store(
        host, "SELECT hash || browser_hash || sealed_verifier || redirect_uri FROM oauth_states");
    CHECK_FALSE(row.contains(state));
    CHECK_FALSE(row.contains(browser.begin()->second));
    CHECK(row.contains("v1:k1:"));
    CHECK(query_of(host.authorization_url(who, browser), "state") != state);
}

}  // namespace
