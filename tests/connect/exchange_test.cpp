// What the provider answers at the callback and at its token endpoint.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// Somebody between consent and callback.
struct Returning {
    explicit Returning(TestHostOptions options = {.runs_jobs = false}) : host(std::move(options)) {
        who = host.sign_up();
        target = host.consent(host.authorization_url(who, browser));
    }
    net::Response come_back(const std::string& accept = "application/json") {
        return host.come_back(target, browser, accept);
    }
    [[nodiscard]] bool is_connected() {
        return count_in_store(host, "SELECT count(*) FROM connections") == 1;
    }
    TestHost host;
    Cookies browser;
    net::Headers who;
    std::string target;
};

TEST_CASE("callback: a wrong iss is refused before the code is spent, no iss is no harm") {
    Returning person;
    REQUIRE(query_of(person.target, "iss") == kSandboxOrigin);
    const auto right = person.target;
    person.target = with_query(right, "iss", "https://accounts.evil.example");
    CHECK(word_of(person.come_back()) == "400 wrong_issuer");
    CHECK(effects_of(person.host, "token.exchange") == 0);
    person.target = with_query(right, "iss", std::nullopt);
    CHECK(person.come_back().status == 302);
}

TEST_CASE("callback: the provider's error is told in the words of the contract") {
    struct Case {
        std::string error, answer;
    };
    for (const auto& row : std::vector<Case>{
             {"access_denied", "400 oauth_error: OAuth error: access_denied"},
             {"server_error", "400 oauth_error: OAuth error: server_error"},
             {"<script>alert(1)</script>", "400 oauth_error: OAuth error: unknown_error"},
             {"Your session ended, call +1 555", "400 oauth_error: OAuth error: unknown_error"}}) {
        Returning person;
        const auto state = query_of(person.target, "state");
        person.target = kCallback + "?error=" + percent_encode(row.error);
        CHECK(problem_of(person.come_back()) == row.answer);  // a provider that loses the state
        person.target += "&state=" + state;
        CHECK(problem_of(person.come_back()) == row.answer);
        CHECK(word_of(person.come_back()) == "400 state_used");
        CHECK_FALSE(person.is_connected());
    }
}

TEST_CASE("callback: a person who said no lands on the frontend with the reason") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto target = host.consent(host.authorization_url(who, browser), kAda, "deny");
    const auto answer = host.come_back(target, browser, "text/html");
    CHECK(answer.status == 302);
    CHECK(answer.headers.get("Location") ==
          "http://host.test/dashboard/mentor?tab=calls&error=oauth_error");
}

TEST_CASE("callback: a code that the provider refuses is 400") {
    Returning person;
    person.target = with_query(person.target, "code", "4/wrong");
    CHECK(word_of(person.come_back()) == "400 code_refused");
    CHECK_FALSE(person.is_connected());
}

TEST_CASE("callback: neither code nor error is 400") {
    Returning person;
    person.target = with_query(person.target, "code", std::nullopt);
    CHECK(word_of(person.come_back()) == "400 oauth_error");
}

TEST_CASE("exchange: a provider that is down is 502, and the state stays usable") {
    struct Case {
        json::object fault;
        std::string answer;
    };
    const std::vector<Case> cases{
        {{{"kind", "reset"}}, "502 provider_unavailable"},
        {{{"kind", "status"}, {"status", 500}}, "502 provider_unavailable"},
        {{{"kind", "status"}, {"status", 503}}, "502 provider_unavailable"},
        {{{"kind", "status"}, {"status", 429}, {"retry_after", "30"}}, "502 provider_unavailable"},
        {{{"kind", "stall"}}, "504 provider_unavailable"},
        {{{"kind", "html"}}, "502 invalid_response"},
        {{{"kind", "status"}, {"status", 400}, {"body", "Bad Request"}}, "502 invalid_response"},
    };
    for (const auto& row : cases) {
        CAPTURE(json::serialize(row.fault));
        Returning person;
        auto fault = row.fault;
        fault["path"] = "/token";
        break_next(person.host, fault);
        CHECK(word_of(person.come_back()) == row.answer);
        CHECK_FALSE(person.is_connected());
        CHECK(person.come_back().status == 302);  // the person reloads the page
        CHECK(person.is_connected());
    }
}

TEST_CASE("exchange: a person sees a page while the provider is down, and reloads it") {
    Returning person;
    break_next(person.host, {{"kind", "reset"}, {"path", "/token"}});
    const auto page = person.come_back("text/html");
    CHECK(page.status == 502);
    CHECK(page.headers.get("Content-Type").starts_with("text/html"));
    CHECK(person.come_back("text/html").status == 302);
}

TEST_CASE("exchange: a truncated answer is 502 invalid_response; its code is spent") {
    Returning person;
    break_next(person.host, {{"kind", "truncate"}, {"path", "/token"}});
    CHECK(word_of(person.come_back()) == "502 invalid_response");
    CHECK(word_of(person.come_back()) == "400 code_refused");
    CHECK_FALSE(person.is_connected());
}

TEST_CASE("exchange: an answer without a token or of the wrong kind is invalid_response") {
    for (const std::string body : {R"({})", R"([])", R"("token")", R"({"access_token":7})",
                                   R"({"access_token":""})", R"({"access_token":null})", "{"}) {
        CAPTURE(body);
        Returning person;
        person.host.transport.after = [&](const net::ClientRequest& request,
                                          SandboxTransport::Answer& answer) -> Task<void> {
            if (request.url.ends_with("/token")) answer->body = body;
            co_return;
        };
        CHECK(word_of(person.come_back()) == "502 invalid_response");
        CHECK_FALSE(person.is_connected());
    }
}

TEST_CASE("exchange: a lifetime that makes no sense is no reason to refuse") {
    for (const json::value& life : {json::value("3600"), json::value(-5), json::value(1e30),
                                    json::value(nullptr), json::value(json::array{})}) {
        Returning person;
        change_token_answers(person.host, [&](json::object& body) { body["expires_in"] = life; });
        CHECK(person.come_back().status == 302);
        CHECK(sync_now(person.host, person.who).status == 200);
    }
}

TEST_CASE("exchange: a client secret that the provider refuses is the operator's fault") {
    Returning person({.adjust =
                          [](config::Settings& settings) {
                              settings.providers["google"].values["client_secret"] = "wrong";
                          },
                      .runs_jobs = false});
    const auto answer = person.come_back();
    CHECK(word_of(answer) == "500 provider_not_configured");
    CHECK_FALSE(answer.body.contains("wrong"));
}

TEST_CASE("identity: a provider that will not say whose account it is connects nothing") {
    struct Case {
        json::object fault;
        std::string answer;
    };
    for (const auto& row : std::vector<Case>{
             {{{"kind", "html"}, {"count", -1}}, "502 invalid_response"},
             {{{"kind", "reset"}, {"count", -1}}, "502 provider_unavailable"},
             {{{"kind", "status"}, {"status", 500}, {"count", -1}}, "502 provider_unavailable"}}) {
        Returning person;
        auto fault = row.fault;
        fault["path"] = "/v1/userinfo";
        break_next(person.host, fault);
        CHECK(word_of(person.come_back()) == row.answer);
        CHECK_FALSE(person.is_connected());
    }
}

TEST_CASE("scopes: an unticked permission is refused by name, in JSON and on the frontend") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    auto url = host.authorization_url(who, browser);
    auto target = consent_with(host, url, {"calendar.events", "calendar.freebusy"});
    const auto answer = host.come_back(target, browser);
    CHECK(problem_of(answer) ==
          "403 missing_permission: The permission "
          "https://www.googleapis.com/auth/calendar.calendarlist.readonly was not granted. Please "
          "connect again and allow it.");
    url = host.authorization_url(who, browser, "?return_to=/settings");
    target = consent_with(host, url, {"calendar.freebusy"});
    CHECK(host.come_back(target, browser, "text/html").headers.get("Location") ==
          "http://host.test/settings?error=missing_permission");
    CHECK(count_in_store(host, "SELECT count(*) FROM connections") == 0);
}

TEST_CASE("scopes: a wider one covers, identity scopes are not compared") {
    struct Case {
        std::string purpose, granted;
        bool is_enough;
    };
    const std::string base = "https://www.googleapis.com/auth/";
    for (const auto& row : std::vector<Case>{
             {"full", base + "calendar", true},
             {"full", "openid email " + base + "calendar", true},
             {"full", base + "calendar.readonly", false},
             {"availability", base + "calendar.readonly", true},
             {"availability", base + "calendar", true},
             {"availability",
              base + "calendar.events " + base + "calendar.calendarlist " + base +
                  "calendar.freebusy",
              true},
             {"full", "openid email", false},
             {"full", "", true}}) {  // RFC 6749, section 5.1: nothing said, granted as asked
        CAPTURE(row.purpose + ": " + row.granted);
        TestHost host({.runs_jobs = false});
        const auto who = host.sign_up();
        change_token_answers(host, [&](json::object& body) {
            body["scope"] = row.granted;
            if (row.granted.empty()) body.erase("scope");
        });
        Cookies browser;
        const auto url = host.authorization_url(who, browser, "?purpose=" + row.purpose);
        const auto answer = host.come_back(host.consent(url), browser);
        CHECK(word_of(answer) == (row.is_enough ? "302" : "403 missing_permission"));
    }
}

TEST_CASE("scopes: availability asks for reading only") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    Cookies browser;
    const auto scopes = plugin::split_words(
        query_of(host.authorization_url(who, browser, "?purpose=availability"), "scope"));
    REQUIRE(scopes.size() == 5);
    for (const auto& scope : scopes)
        CHECK((scope == "openid" || scope == "email" || scope.ends_with(".readonly") ||
               scope.ends_with(".freebusy")));
}

TEST_CASE("refresh token: missing on the first connect is refused with the reason") {
    Returning person;
    change_token_answers(person.host, [](json::object& body) { body.erase("refresh_token"); });
    CHECK(problem_of(person.come_back()) ==
          "400 no_refresh_token: The provider gave no lasting permission. Remove this app from "
          "your account at the provider, then connect again.");
    CHECK_FALSE(person.is_connected());
}

TEST_CASE("refresh token: missing when the same account reconnects, the stored one is kept") {
    Returning person;
    auto& host = person.host;
    REQUIRE(person.come_back().status == 302);
    const std::string column = "SELECT sealed_refresh_token FROM connections";
    const auto before = text_in_store(host, column);
    change_token_answers(host, [](json::object& body) { body.erase("refresh_token"); });
    CHECK(host.connect(person.who).status == 302);
    CHECK(text_in_store(host, column) == before);
    host.time.advance(61min);
    CHECK(sync_now(host, host.sign_in()).status == 200);
    CHECK(effects_of(host, "token.refresh") == 1);
}

TEST_CASE("refresh token: missing when another account takes the place, the old one stays") {
    Returning person;
    auto& host = person.host;
    REQUIRE(person.come_back().status == 302);
    change_token_answers(host, [](json::object& body) { body.erase("refresh_token"); });
    const auto answer = host.connect(person.who, kBob);
    CHECK(answer.headers.get("Location").ends_with("error=no_refresh_token"));
    CHECK(json::text_of(connection_of(host, person.who), "email") == kAda);
    CHECK(sync_now(host, person.who).status == 200);
}

TEST_CASE("refused: a grant that nobody will use is given back at the provider") {
    struct Case {
        std::string what, answer;
        std::function<void(json::object&)> change;
    };
    for (const auto& row :
         std::vector<Case>{{"a permission is missing", "403 missing_permission",
                            [](json::object& body) { body["scope"] = "openid email"; }},
                           {"no refresh token came", "400 no_refresh_token",
                            [](json::object& body) { body.erase("refresh_token"); }}}) {
        CAPTURE(row.what);
        Returning person(TestHostOptions{});
        auto& host = person.host;
        change_token_answers(host, row.change);
        break_next(host, {{"kind", "reset"}, {"path", "/revoke"}, {"count", 2}});
        CHECK(word_of(person.come_back()) == row.answer);
        host.time.advance(5min);
        CHECK(effects_of(host, "token.revoke") == 1);
        CHECK(count_in_store(host, "SELECT count(*) FROM jobs WHERE kind <> 'schedule'") == 0);
        // The person does as told.
        host.transport.after = nullptr;
        CHECK(host.connect(person.who).status == 302);
        host.time.advance(5min);
        CHECK(sync_now(host, person.who).status == 200);
        CHECK(effects_of(host, "token.revoke") == 1);
    }
}

TEST_CASE("refused: a grant on an account that somebody is connected to stays") {
    for (const auto& scope : {"openid email", ""}) {
        TestHost host;
        const auto family = host.sign_up("family@example.org");
        host.connect(family);
        const auto who = host.sign_up();
        change_token_answers(host, [&](json::object& body) {
            body["scope"] = scope;
            body.erase("refresh_token");
        });
        CHECK(host.connect(who).headers.get("Location").contains("error="));
        host.time.advance(5min);
        CHECK(effects_of(host, "token.revoke") == 0);
        CHECK(sync_now(host, family).status == 200);
    }
}

TEST_CASE("refused: a grant of an unknown account stays, since it may be somebody's") {
    Returning person(TestHostOptions{});
    auto& host = person.host;
    change_token_answers(host, [](json::object& body) { body["scope"] = "openid email"; });
    break_next(host,
               {{"kind", "status"}, {"status", 500}, {"count", -1}, {"path", "/v1/userinfo"}});
    const LogSink log;
    CHECK(word_of(person.come_back()) == "403 missing_permission");
    host.time.advance(5min);
    CHECK(effects_of(host, "token.revoke") == 0);
    CHECK(log.text.contains("its account is not known"));
}

TEST_CASE("force: the old credentials work until the new grant is stored") {
    TestHost host({.runs_jobs = false});
    const auto who = host.sign_up();
    host.connect(who);
    CHECK(host.call("GET", "/api/calendar/auth/force", who).status == 200);
    CHECK(sync_now(host, who).status == 200);  // a stray link broke nothing
    const auto old = connection_of(host, who);
    host.time.advance(1min);
    host.connect(who);
    const auto now = connection_of(host, who);
    CHECK(now.at("id") == old.at("id"));
    CHECK(now.at("connected_at") != old.at("connected_at"));
}

TEST_CASE("connect: a crash before the store leaves nothing, after it everything") {
    for (const auto& [point, connections] :
         {std::pair{"connect.exchanged", 0}, {"connect.stored", 1}}) {
        CAPTURE(point);
        Returning person;
        const net::Headers headers{{"Cookie", TestHost::cookie_header(person.browser)}};
        begin_and_crash(person.host, person.host.handle("GET", person.target, headers, ""), point);
        CHECK(count_in_store(person.host, "SELECT count(*) FROM connections") == connections);
        CHECK(count_in_store(person.host, "SELECT count(*) FROM jobs WHERE kind = 'sync'") ==
              connections);
        // Whatever happened, beginning again works.
        CHECK(person.host.connect(person.who).status == 302);
        CHECK(sync_now(person.host, person.who).status == 200);
    }
}

}  // namespace
