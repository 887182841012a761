// Connecting accounts at addresses that people enter.
#include "connect/field_form.h"
#include "support/acme.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// Somebody, a host, and the service at the address that he enters.
struct Scene {
    explicit Scene(bool runs_jobs = false, std::vector<std::string> networks = {})
        : acme(std::move(networks)), host(acme.options(runs_jobs)) {
        acme.serve(host);
        who = host.sign_up();
    }
    net::Response connect(json::object changes = {}) {
        return connect_acme(host, who, std::move(changes));
    }
    /// "422 no_calendar_server url" of a refusal.
    std::string refusal(json::object changes = {}) {
        const auto answer = connect(std::move(changes));
        const auto body = TestHost::body(answer);
        const auto* errors = json::find(body, "errors");
        const std::string field(errors == nullptr ? std::string_view()
                                                  : json::text_of(errors->at(0), "field"));
        return word_of(answer) + (field.empty() ? "" : " " + field);
    }
    Acme acme;
    TestHost host;
    net::Headers who;
};

TEST_CASE("fields: an account is found, stored with its calendars, and synced") {
    Scene scene(true);
    scene.acme.events["work"] = {
        {{"id", "tea"}, {"start", "2026-11-21T10:00:00Z"}, {"finish", "2026-11-21T11:00:00Z"}}};
    const auto answer = scene.connect({{"return_to", "/settings"}});
    REQUIRE(answer.status == 201);
    const auto body = TestHost::body(answer);
    CHECK(body.at("connected") == true);
    CHECK(body.at("message") == "Calendar connected and ready for sync");
    CHECK(body.at("return_url") == "http://host.test/settings?connected=success");
    CHECK(body.at("connection").at("provider") == "acme");
    CHECK(body.at("connection").at("state") == "active");
    CHECK(body.at("connection").at("calendar_id") == "work");
    scene.host.time.advance(10s);
    CHECK(connection_of(scene.host, scene.who).at("last_synced_at").is_string());
    CHECK(count_in_store(scene.host, "SELECT count(*) FROM events") == 1);
    const auto calendars =
        TestHost::body(scene.host.call("GET", "/api/calendar/calendars", scene.who));
    CHECK(calendars.at("calendars").as_array().size() == 3);
    for (const auto& request : scene.acme.requests) {
        CHECK(request.is_user_address);
        CHECK(request.max_redirects == 0);
    }
}

TEST_CASE("fields: the first look goes without the password, what follows with it") {
    Scene scene;
    REQUIRE(scene.connect().status == 201);
    const auto& requests = scene.acme.requests;
    REQUIRE(requests.size() == 3);
    CHECK(requests[0].method == "OPTIONS");
    CHECK_FALSE(requests[0].headers.has("Authorization"));
    for (std::size_t i = 1; i < requests.size(); ++i)
        CHECK(requests[i].headers.get("Authorization") ==
              "Basic " + base64_encode("ann:s3cret-acme"));
}

TEST_CASE("fields: the password is sealed for its row, and nothing shows it") {
    Scene scene;
    REQUIRE(scene.connect().status == 201);
    const auto sealed = text_in_store(scene.host, "SELECT sealed_access_token FROM connections");
    CHECK(sealed.starts_with("v1:k1:"));
    CHECK_FALSE(
        text_in_store(scene.host, "SELECT account_data FROM connections").contains("s3cret"));
    scene.host.call("GET", "/api/calendar/status", scene.who);
    CHECK_FALSE(scene.host.written.contains("s3cret"));
    change_store(scene.host,
                 "UPDATE connections SET sealed_refresh_token = sealed_access_token, "
                 "sealed_access_token = 'v1:k1:00:00:00'");
    scene.host.crash_and_restart();
    scene.acme.serve(scene.host);
    CHECK(word_of(sync_now(scene.host, scene.who)) == "409 needs_reauth");
}

TEST_CASE("fields: what is wrong in the form is said for each field, and nobody is asked") {
    struct Case {
        json::object changes;
        std::string refusal;
    };
    for (const auto& row :
         std::vector<Case>{{{{"url", ""}}, "422 invalid url"},
                           {{{"url", 7}}, "422 invalid url"},
                           {{{"url", "ftp://dav.example/"}}, "422 invalid url"},
                           {{{"url", "https://ann@dav.example/"}}, "422 invalid url"},
                           {{{"url", "https://dav.example\\@evil.example/"}}, "422 invalid url"},
                           {{{"url", "ann@dav.example"}}, "422 invalid url"},
                           {{{"username", ""}}, "422 invalid username"},
                           {{{"username", "an:n"}}, "422 invalid username"},
                           {{{"username", "ann\r\nX: y"}}, "422 invalid username"},
                           {{{"password", ""}}, "422 invalid password"},
                           {{{"password", nullptr}}, "422 invalid password"},
                           {{{"account", "a b"}}, "422 invalid account"},
                           {{{"purpose", "all"}}, "422 invalid purpose"},
                           {{{"return_to", "//evil.example"}}, "422 invalid return_to"}}) {
        CAPTURE(json::serialize(row.changes));
        Scene scene;
        CHECK(scene.refusal(row.changes) == row.refusal);
        CHECK(scene.acme.requests.empty());
    }
    Scene scene;
    const auto answer = scene.connect({{"username", ""}, {"password", ""}});
    CHECK(TestHost::body(answer).at("errors").as_array().size() == 2);
}

TEST_CASE("fields: an address without a scheme is one of https") {
    Scene scene;
    REQUIRE(scene.connect({{"url", " dav.example "}}).status == 201);
    for (const auto& request : scene.acme.requests)
        CHECK(request.url.starts_with("https://dav.example/"));
}

TEST_CASE("fields: an address that is not public always gives the same answer") {
    std::set<std::string> answers;
    int refused = 0;
    for (const std::string url :
         {"https://127.0.0.1/", "https://10.1.2.3/dav/", "http://dav.example/",
          "https://intern.example/", "https://two.example/", "https://[::1]/",
          "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest/", "https://2130706433/",
          "https://0x7f.1/", "https://127.1/", "https://0/", "https://100.64.0.1/",
          "https://[fe80::1]/", "https://[64:ff9b::a00:1]/", "http://93.184.216.34/"}) {
        CAPTURE(url);
        Scene scene;
        CHECK(scene.refusal({{"url", url}}) == "422 address_refused url");
        answers.insert(scene.connect({{"url", url}}).body);
        CHECK(scene.acme.requests_to("well-known") == 0);
        ++refused;
    }
    CHECK(refused == 16);
    REQUIRE(answers.size() == 1);
    CHECK(answers.begin()->contains("network.allow_private"));
}

TEST_CASE("fields: the operator may allow a network, plain http included") {
    Scene scene(false, {"10.0.0.0/8"});
    CHECK(scene.connect({{"url", "http://intern.example:5232/"}}).status == 201);
    CHECK(scene.refusal({{"url", "http://dav.example/"}}) == "422 address_refused url");
}

TEST_CASE("fields: of a failure the person learns what it was, and nothing is stored") {
    struct Case {
        std::function<void(Acme&)> change;
        std::string refusal;
    };
    const auto answering = [](int status, std::string body = "", net::Headers headers = {}) {
        return [=](Acme& acme) { acme.instead = net::ClientResponse{status, headers, body}; };
    };
    for (const auto& row : std::vector<Case>{
             {[](Acme& acme) { acme.password = "another"; }, "422 credentials_refused password"},
             {[](Acme& acme) { acme.missing = {"dav.example"}; }, "422 address_unreachable url"},
             {[](Acme& acme) { acme.hanging = {"dav.example"}; }, "422 address_unreachable url"},
             {[](Acme& acme) { acme.calendars.clear(); }, "422 no_calendars url"},
             {[](Acme& acme) { acme.home = "https://evil.example/home"; },
              "422 no_calendar_server url"},
             {answering(200, "<html>Hello"), "422 no_calendar_server url"},
             {answering(404), "422 no_calendar_server url"},
             {answering(403), "422 no_calendar_server url"},
             {answering(302, "", {{"Location", "https://10.0.0.1/x"}}),
              "422 no_calendar_server url"},
             {answering(500), "422 address_unreachable url"},
             {answering(429, "", {{"Retry-After", "120"}}), "503 rate_limited"}}) {
        CAPTURE(row.refusal);
        Scene scene(true);
        row.change(scene.acme);
        CHECK(scene.refusal() == row.refusal);
        for (const std::string table :
             {"connections", "calendars", "jobs WHERE kind <> 'schedule'"})
            CHECK(count_in_store(scene.host, "SELECT count(*) FROM " + table) == 0);
        CHECK(scene.acme.requests_to("evil.example") == 0);
        CHECK(scene.acme.requests_to("10.0.0.1") == 0);
    }
}

TEST_CASE("fields: a wrong password is tried once, and the preset's help is named") {
    Scene scene;
    scene.acme.password = "another";
    const auto answer = scene.connect({{"url", "https://cloud.acme.example"}});
    CHECK(TestHost::text(answer, "detail").contains("https://acme.example/passwords"));
    CHECK(scene.acme.requests.size() == 2);
}

TEST_CASE("fields: a service that hangs in the middle is not waited for longer than a minute") {
    Scene scene;
    scene.acme.home = "https://p7.acme.example/home";
    scene.acme.hanging = {"p7.acme.example"};
    const auto start = scene.host.time.now();
    CHECK(scene.refusal({{"url", "https://cloud.acme.example/"}}) == "422 address_unreachable url");
    CHECK(scene.host.time.now() - start <= 61s);
}

TEST_CASE("fields: the password goes where the preset says, and nowhere else") {
    Scene scene;
    scene.acme.home = "https://p7.acme.example:443/home";
    CHECK(scene.connect({{"url", "https://cloud.acme.example/"}}).status == 201);
    // Who enters another address has not got that preset.
    const auto answer = scene.connect({{"url", "https://dav.example/"}, {"account", "second"}});
    CHECK(word_of(answer) == "422 no_calendar_server");
    CHECK(TestHost::text(answer, "detail").contains("p7.acme.example"));
}

TEST_CASE("fields: several accounts by label, each with its own password") {
    Scene scene;
    REQUIRE(scene.connect({{"account", "source"}}).status == 201);
    REQUIRE(scene.connect({{"account", "destination"}, {"url", "https://other.example/"}}).status ==
            201);
    CHECK(connection_of(scene.host, scene.who, 0).at("account") == "destination");
    CHECK(connection_of(scene.host, scene.who, 1).at("account") == "source");
    CHECK(scene.host.call("POST", "/api/calendar/sync?account=source", scene.who).status == 200);
    CHECK(scene.acme.requests.back().url.starts_with("https://dav.example/"));
    const auto gone = scene.host.call(
        "DELETE", "/api/calendar/disconnect?provider=acme&account=source", scene.who);
    CHECK(TestHost::body(gone).at("disconnected") == 1);
    CHECK(state_of(scene.host, scene.who) == "active");
}

TEST_CASE("fields: of two requests for one label at once, one is stored whole") {
    Scene scene;
    std::vector<Task<net::Response>> calls;
    for (int i = 0; i < 2; ++i)
        calls.push_back(scene.host.handle("POST", "/api/calendar/connect/acme", scene.who,
                                          json::serialize(acme_form())));
    const auto answers = at_once(scene.host, std::move(calls));
    CHECK(answers[0].status == 201);
    CHECK(word_of(answers[1]) == "409 conflict");
    CHECK(sync_now(scene.host, scene.who).status == 200);
}

TEST_CASE("fields: people do not wait for each other's servers") {
    Scene scene;
    const auto bob = scene.host.sign_up("bob@example.org");
    scene.acme.home = "https://p7.acme.example/home";
    scene.acme.hanging = {"p7.acme.example"};
    for (int i = 0; i < 5; ++i)
        boost::asio::co_spawn(
            scene.host.time.executor(),
            scene.host.handle("POST", "/api/calendar/connect/acme", bob,
                              json::serialize(acme_form({{"url", "https://cloud.acme.example/"},
                                                         {"account", "a" + std::to_string(i)}}))),
            boost::asio::detached);
    scene.host.time.advance(1s);
    scene.acme.home = "/home/ann";
    const auto start = scene.host.time.now();
    CHECK(scene.connect().status == 201);
    CHECK(scene.host.time.now() - start < 1s);
}

TEST_CASE("fields: the same path on another server is another account") {
    Scene scene;
    REQUIRE(scene.connect().status == 201);
    change_store(scene.host, "UPDATE connections SET calendar_id = 'team'");
    CHECK(scene.connect().status == 200);
    CHECK(connection_of(scene.host, scene.who).at("calendar_id") == "team");
    CHECK(scene.connect({{"url", "https://other.example/"}}).status == 200);
    CHECK(connection_of(scene.host, scene.who).at("calendar_id") == "work");
    CHECK(count_in_store(scene.host, "SELECT count(*) FROM connections") == 1);
}

TEST_CASE("fields: a password that is refused later waits for the person, and a new one heals") {
    Scene scene;
    REQUIRE(scene.connect().status == 201);
    REQUIRE(sync_now(scene.host, scene.who).status == 200);
    scene.acme.password = "changed there";
    const auto before = scene.acme.requests.size();
    CHECK(word_of(sync_now(scene.host, scene.who)) == "409 needs_reauth");
    CHECK(scene.acme.requests.size() == before + 1);
    const auto row = connection_of(scene.host, scene.who);
    CHECK(row.at("state") == "needs_reauth");
    CHECK(row.at("last_error") ==
          "The server refuses the password. Please connect the calendar again with a new one.");
    CHECK(word_of(sync_now(scene.host, scene.who)) == "409 needs_reauth");
    CHECK(scene.acme.requests.size() == before + 1);  // no further call
    CHECK(scene.connect({{"password", "changed there"}}).status == 200);
    CHECK(state_of(scene.host, scene.who) == "active");
    CHECK(connection_of(scene.host, scene.who).at("last_error").is_null());
    CHECK(sync_now(scene.host, scene.who).status == 200);
}

TEST_CASE("fields: nothing is revoked when such a connection goes") {
    Scene scene(true);
    REQUIRE(scene.connect().status == 201);
    CHECK(scene.host.call("DELETE", "/api/calendar/disconnect", scene.who).status == 200);
    CHECK(count_in_store(scene.host, "SELECT count(*) FROM jobs WHERE kind = 'revoke'") == 0);
    CHECK(count_in_store(scene.host, "SELECT count(*) FROM connections") == 0);
    CHECK(count_in_store(scene.host, "SELECT count(*) FROM calendars") == 0);
}

TEST_CASE("fields: attempts are counted for each person, and the wait grows") {
    Scene scene;
    scene.acme.missing = {"dav.example"};
    for (int i = 0; i < 11; ++i) CHECK(scene.refusal() == "422 address_unreachable url");
    const auto asked = scene.acme.requests.size();
    const auto closed = scene.connect();
    CHECK(word_of(closed) == "429 rate_limited");
    CHECK(closed.headers.get("Retry-After") == "1");
    CHECK(scene.acme.requests.size() == asked);
    const auto other = scene.host.sign_up("bob@example.org");
    CHECK(word_of(connect_acme(scene.host, other)) == "422 address_unreachable");
    scene.host.time.advance(1s);
    CHECK(scene.refusal() == "422 address_unreachable url");
    CHECK(scene.connect().headers.get("Retry-After") == "2");
}

TEST_CASE("fields: a host that dies after it stored has the connection, and syncs it") {
    Scene scene(true);
    begin_and_crash(scene.host,
                    scene.host.handle("POST", "/api/calendar/connect/acme", scene.who,
                                      json::serialize(acme_form())),
                    "connect.stored");
    scene.acme.serve(scene.host);
    scene.host.time.advance(2min);
    CHECK(connection_of(scene.host, scene.who).at("last_synced_at").is_string());
}

TEST_CASE("fields: each provider is connected in its own way") {
    Scene scene;
    const auto post = [&](const std::string& provider) {
        return problem_of(scene.host.call("POST", "/api/calendar/connect/" + provider, scene.who,
                                          json::serialize(acme_form())));
    };
    CHECK(post("google") ==
          "422 unsupported: Google Calendar is connected on its own page, not "
          "with a password.");
    CHECK(post("nobody") == "404 not_found: There is no such provider.");
    CHECK(word_of(scene.host.call("GET", "/api/calendar/connect/acme", scene.who)) ==
          "422 unsupported");
    CHECK(word_of(scene.host.call("POST", "/api/calendar/connect/acme", {}, "{}")) ==
          "401 unauthorized");
}

TEST_CASE("fields: a form has the fields that its provider names") {
    const auto info = plugin::read_provider_info(
        json::parse(R"({"id":"x","title":"X","api":1,"base_url":"https://api.x.example/v1",
        "auth":{"kind":"form","fields":[{"name":"room","title":"Room"},
        {"name":"key","title":"Key","kind":"password"},
        {"name":"note","title":"Note","required":false}]}})")
            .value());
    REQUIRE(info.has_value());
    CHECK(info->is_configured());
    connect::EnteredFields fields;
    fields["room"] = Secret("7");
    const auto missing = connect::read_form(*info, fields);
    REQUIRE_FALSE(missing.has_value());
    REQUIRE(missing.error().size() == 1);
    CHECK(missing.error().front().field == "key");
    fields["key"] = Secret("s3cret");
    const auto form = connect::read_form(*info, fields);
    REQUIRE(form.has_value());
    CHECK(form->token.expose() == "s3cret");
    CHECK(form->account.url == "https://api.x.example/v1");
    CHECK(form->account.origins == std::set<std::string>{"https://api.x.example"});
    CHECK(form->account.data == json::object{{"room", "7"}, {"note", ""}});
}

TEST_CASE("fields: a provider that names them wrongly does not load") {
    struct Case {
        std::string auth, reason;
    };
    for (const auto& row : std::vector<Case>{
             {R"("fields":[{"name":"a"}])", "name and title"},
             {R"("fields":[{"name":"a","title":"A","kind":"list"}])", "auth.fields.a: kind"},
             {R"("fields":[{"name":"account","title":"A"}])", "account is taken"},
             {R"("fields":[{"name":"a","title":"A"},{"name":"a","title":"A"}])", "a twice"},
             {R"("fields":[{"name":"url","title":"A","kind":"url"}])", "needs username"},
             {R"("presets":[{"url":"https://a.example/"}])", "needs a title"},
             {R"("presets":[{"title":"A","url":"a.example"}])", "the url of A"},
             {R"("presets":[{"title":"A","origins":["http://a.example"]}])", "https origin"},
             {R"("presets":[{"title":"A","origins":["https://a.example/x"]}])", "https origin"}}) {
        CAPTURE(row.auth);
        const auto info = plugin::read_provider_info(
            json::parse(R"({"id":"x","title":"X","api":1,"auth":{"kind":"basic",)" + row.auth +
                        "}}")
                .value());
        REQUIRE_FALSE(info.has_value());
        CHECK(info.error().message.contains(row.reason));
    }
}

}  // namespace
