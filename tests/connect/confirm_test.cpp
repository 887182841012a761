// Nobody knows whether this browser began the flow: the page that asks.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// Somebody who came back without the cookie of a JSON flow, and looks at the page.
struct Asked {
    explicit Asked(TestHostOptions options = {}, const std::string& query = "")
        : host(std::move(options)) {
        who = host.sign_up();
        Cookies browser;
        target = host.consent(host.authorization_url(who, browser, query));
        page = host.come_back(target, {}, "text/html");
        const std::string mark = "name=\"token\" value=\"";
        const auto at = page.body.find(mark);
        REQUIRE(at != std::string::npos);
        token = page.body.substr(at + mark.size(), 43);
    }
    net::Response answer(const std::string& word, const std::string& accept = "application/json") {
        return host.call(
            "POST", "/api/calendar/connect/confirm",
            {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", accept}},
            "token=" + token + "&answer=" + word);
    }
    int connections() {
        return static_cast<int>(count_in_store(host, "SELECT count(*) FROM connections"));
    }
    int pending() {
        return static_cast<int>(count_in_store(host, "SELECT count(*) FROM pending_grants"));
    }
    TestHost host;
    net::Headers who;
    std::string target, token;
    net::Response page;
};

TEST_CASE("confirm: the page names both accounts and stores nothing yet") {
    Asked person;
    CHECK(person.page.status == 200);
    CHECK(person.page.headers.get("Content-Type").starts_with("text/html"));
    CHECK(person.page.body.contains("ada@gmail.example"));
    CHECK(person.page.body.contains("ada@example.org"));
    CHECK(person.page.headers.get("Content-Security-Policy").contains("frame-ancestors 'none'"));
    CHECK(person.connections() == 0);
    CHECK(person.pending() == 1);
}

TEST_CASE("confirm: yes stores the connection and sends the person on") {
    Asked person({}, "?return_to=/settings");
    const auto answer = person.answer("yes", "text/html");
    CHECK(answer.status == 302);
    CHECK(answer.headers.get("Location") == "http://host.test/settings?connected=success");
    CHECK(person.connections() == 1);
    CHECK(person.pending() == 0);
    CHECK(sync_now(person.host, person.who).status == 200);
    person.host.time.advance(20min);  // the question's end comes and finds nothing to take back
    CHECK(effects_of(person.host, "token.revoke") == 0);
}

TEST_CASE("confirm: its token works once") {
    Asked person;
    CHECK(person.answer("yes").status == 302);
    CHECK(word_of(person.answer("yes")) == "400 state_used");
    CHECK(word_of(person.answer("no")) == "400 state_used");
    CHECK(person.connections() == 1);
    CHECK(word_of(person.host.come_back(person.target, {})) == "400 state_used");
}

TEST_CASE("confirm: no gives the permission back and connects nothing") {
    for (const std::string word : {"no", "", "YES", "maybe"}) {
        CAPTURE(word);
        Asked person;
        CHECK(problem_of(person.answer(word)) ==
              "403 access_denied: The calendar was not connected, and the permission is given "
              "back.");
        person.host.time.advance(10s);
        CHECK(effects_of(person.host, "token.revoke") == 1);
        CHECK(person.connections() == 0);
        CHECK(person.pending() == 0);
        CHECK(word_of(person.answer("yes")) == "400 state_used");
    }
}

TEST_CASE("confirm: a yes after a no connects nothing, even while the provider is down") {
    Asked person;
    break_next(person.host, {{"kind", "reset"}, {"path", "/revoke"}, {"count", 3}});
    CHECK(word_of(person.answer("no")) == "403 access_denied");
    CHECK(word_of(person.answer("yes")) == "400 state_used");
    CHECK(person.connections() == 0);
    person.host.time.advance(5min);
    CHECK(effects_of(person.host, "token.revoke") == 1);
    CHECK(person.pending() == 0);
}

TEST_CASE("confirm: ten minutes of silence give the permission back") {
    Asked person;
    person.host.time.advance(9min);
    CHECK(effects_of(person.host, "token.revoke") == 0);
    person.host.time.advance(2min);
    CHECK(effects_of(person.host, "token.revoke") == 1);
    CHECK(person.pending() == 0);
    CHECK(word_of(person.answer("yes")) == "400 state_used");
    CHECK(person.connections() == 0);
}

TEST_CASE("confirm: silence counts across a restart, and while the provider is down") {
    Asked person;
    person.host.crash_and_restart();
    break_next(person.host,
               {{"kind", "status"}, {"status", 503}, {"path", "/revoke"}, {"count", 2}});
    person.host.time.advance(20min);
    CHECK(effects_of(person.host, "token.revoke") == 1);
    CHECK(person.pending() == 0);
}

TEST_CASE("confirm: a yes that comes too late revokes instead") {
    Asked person({.runs_jobs = false});
    person.host.time.advance(10min);
    CHECK(word_of(person.answer("yes")) == "403 access_denied");
    CHECK(person.connections() == 0);
}

TEST_CASE("confirm: a form that makes no sense, or a token of nobody, is 400") {
    Asked person;
    const auto post = [&](const std::string& type, const std::string& body) {
        return word_of(person.host.call("POST", "/api/calendar/connect/confirm",
                                        {{"Content-Type", type}}, body));
    };
    const std::string form = "application/x-www-form-urlencoded";
    CHECK(post(form, "") == "400 invalid_form");
    CHECK(post(form, "answer=yes") == "400 invalid_form");
    CHECK(post(form, "token=%zz&answer=yes") == "400 invalid_form");
    CHECK(post("application/json", R"({"token":"x"})") == "400 invalid_form");
    CHECK(post(form, "token=someone-elses&answer=yes") == "400 state_used");
    CHECK(person.pending() == 1);
}

TEST_CASE("confirm: names are shown as text, not as page") {
    TestHost host;
    const auto who = host.sign_up();
    host.transport.after = [](const net::ClientRequest& request,
                              SandboxTransport::Answer& answer) -> Task<void> {
        if (request.url.ends_with("/v1/userinfo"))
            answer->body = R"({"sub":"1","email":"<script>x</script>@evil.example"})";
        co_return;
    };
    Cookies browser;
    const auto target = host.consent(host.authorization_url(who, browser));
    const auto page = host.come_back(target, {}, "text/html");
    CHECK_FALSE(page.body.contains("<script>"));
    CHECK(page.body.contains("&lt;script&gt;"));
}

}  // namespace
