// plugins/token-sync on a whole host: whatever the other service does, connecting has succeeded.
#include "crypto/crypto.h"
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kAgent = "http://agent.test:4000";

/// The other service, as the contract of token sync describes it.
class Agent {
  public:
    explicit Agent(TestHost& host) : time_(&host.time) {
        host.transport.before = [this](net::ClientRequest& request) { return answer(request); };
    }

    std::map<std::string, json::object> tokens;  ///< by user id
    std::vector<net::ClientRequest> requests;
    std::optional<int> status;   ///< of every answer
    bool is_absent = false;      ///< nothing listens
    milliseconds thinks_for{0};  ///< before it answers

    [[nodiscard]] int count(std::string_view method) const {
        return static_cast<int>(std::ranges::count(requests, method, &net::ClientRequest::method));
    }

  private:
    using Answer = std::optional<SandboxTransport::Answer>;

    Task<Answer> answer(net::ClientRequest& request) {
        if (!request.url.starts_with(kAgent)) co_return std::nullopt;
        requests.push_back(request);
        if (is_absent)
            co_return fail(ErrorCode::unavailable,
                           "No connection to agent.test:4000: Connection refused.");
        co_await time_->sleep(thinks_for);
        if (status) co_return net::ClientResponse{*status, {}, R"({"detail":"as it likes"})"};
        co_return serve(request);
    }

    net::ClientResponse serve(const net::ClientRequest& request) {
        const auto path = request.url.substr(kAgent.size());
        if (request.method == "DELETE") {
            const bool had =
                tokens.erase(path.substr(std::string_view("/api/google-tokens/").size())) > 0;
            return {had ? 200 : 404, {}, R"({"success":true})"};
        }
        const auto user = path.substr(std::string_view("/api/users/").size());
        tokens[user.substr(0, user.find('/'))] = json::parse(request.body).value().as_object();
        return {200, {}, R"({"success":true,"message":"Google Calendar connected successfully"})"};
    }

    VirtualTime* time_;
};

TestHostOptions with_sync(json::object values = {{"url", kAgent}}) {
    values["grant"] = json::array{"tokens"};
    return {.adjust = [values](config::Settings& settings) {
        settings.plugins["token-sync"].values = values;
    }};
}

struct Scene {
    explicit Scene(TestHostOptions options = with_sync())
        : host(std::move(options)), agent(host), who(host.sign_up()) {}

    std::string user_id() { return text_in_store(host, "SELECT id FROM users"); }
    /// Connects, and has it run for a minute.
    void connect() {
        const auto answer = host.connect(who);
        CHECK(answer.status == 302);
        CHECK(answer.headers.get("Location").contains("connected=success"));
        host.time.advance(1min);
        CHECK(state_of(host, who) == "active");
    }
    void disconnect() { CHECK(host.call("DELETE", "/api/calendar/disconnect", who).status == 200); }
    std::int64_t jobs(const std::string& status) {
        return count_in_store(
            host, "SELECT count(*) FROM jobs WHERE kind = 'hook' AND status = '" + status + "'");
    }

    LogSink log;
    TestHost host;
    Agent agent;
    net::Headers who;
};

TEST_CASE("token sync: a connect reaches the service with the four members of the contract") {
    Scene scene;
    scene.connect();
    REQUIRE(scene.agent.requests.size() == 1);
    const auto& request = scene.agent.requests[0];
    CHECK(request.url ==
          fmt::format("{}/api/users/{}/google-calendar/connect", kAgent, scene.user_id()));
    CHECK(request.headers.get("Content-Type") == "application/json");
    CHECK(request.timeout == 10s);
    CHECK_FALSE(request.headers.has("X-Calhost-Signature"));
    const auto& sent = scene.agent.tokens.at(scene.user_id());
    CHECK(sent.size() == 4);
    CHECK(parse_rfc3339(json::text_of(sent, "token_expiry")).has_value());
    CHECK(json::text_of(sent, "scope").contains("https://www.googleapis.com/auth/calendar"));
    CHECK_FALSE(json::text_of(sent, "access_token").empty());
    CHECK_FALSE(json::text_of(sent, "refresh_token").empty());
    CHECK(scene.jobs("waiting") + scene.jobs("dead") == 0);
    CHECK(scene.log.text.contains("\"Syncing Google Calendar tokens to microservice\""));
    CHECK(scene.log.text.contains(fmt::format(
        R"("message":"Tokens synced to microservice successfully","plugin":"token-sync",)"
        R"("tokenExpiry":"{}","userId":"{}")",
        json::text_of(sent, "token_expiry"), scene.user_id())));
    CHECK(count_in_store(scene.host,
                         "SELECT count(*) FROM audit_log WHERE action = 'token_sync.sent'") == 1);
}

TEST_CASE("disconnect deletes the tokens there") {
    Scene scene;
    scene.connect();
    scene.disconnect();
    scene.host.time.advance(1min);
    CHECK(scene.agent.tokens.empty());
    CHECK(scene.agent.requests.back().method == "DELETE");
    CHECK(scene.agent.requests.back().url ==
          fmt::format("{}/api/google-tokens/{}", kAgent, scene.user_id()));
    CHECK(scene.log.text.contains("\"Deleting Google Calendar tokens from microservice\""));
    CHECK(scene.log.text.contains("\"Tokens deleted from microservice successfully\""));
    CHECK(count_in_store(scene.host,
                         "SELECT count(*) FROM audit_log WHERE action = 'token_sync.deleted'") ==
          1);
    scene.connect();
    CHECK(scene.agent.tokens.size() == 1);
}

TEST_CASE("token sync with the service up, absent, down, slow (10 s), answering 400, 404, 500") {
    enum class Then { told, again, dead };
    struct Case {
        const char* service;
        std::function<void(Agent&)> adjust;
        Then then;
    };
    const auto answering = [](int status) {
        return [status](Agent& agent) { agent.status = status; };
    };
    for (const auto& [service, adjust, then] :
         std::vector<Case>{{"up", [](Agent&) {}, Then::told},
                           {"absent", [](Agent& agent) { agent.is_absent = true; }, Then::again},
                           {"down", answering(503), Then::again},
                           {"slow (10 s)",
                            [](Agent& agent) {
                                agent.thinks_for = 11s;
                                agent.status = 200;  // too late for whoever asked
                            },
                            Then::again},
                           {"answering 400", answering(400), Then::dead},
                           {"answering 404", answering(404), Then::dead},
                           {"answering 500", answering(500), Then::again}}) {
        CAPTURE(std::string(service));
        Scene scene;
        adjust(scene.agent);
        scene.connect();  // has succeeded, whatever the service does
        CHECK(scene.agent.tokens.size() == (then == Then::told ? 1 : 0));
        CHECK((scene.agent.requests.size() > 1) == (then == Then::again));
        CHECK(scene.jobs("dead") == (then == Then::dead ? 1 : 0));
    }
}

TEST_CASE("token sync: not configured, it is skipped with a warning") {
    Scene scene(with_sync({}));
    scene.connect();
    scene.disconnect();
    scene.host.time.advance(1min);
    CHECK(scene.agent.requests.empty());
    CHECK(scene.log.text.contains(fmt::format(
        R"("message":"GOOGLE_CALENDAR_MICROSERVICE_URL not configured, skipping token sync",)"
        R"("plugin":"token-sync","userId":"{}")",
        scene.user_id())));
    CHECK(scene.jobs("waiting") + scene.jobs("dead") == 0);
}

TEST_CASE("token sync: a service that is down gets the tokens when it is back") {
    Scene scene;
    scene.agent.is_absent = true;
    scene.connect();
    CHECK(scene.agent.tokens.empty());
    CHECK(scene.agent.requests.size() > 1);
    CHECK(scene.jobs("waiting") == 1);
    CHECK(scene.log.text.contains(
        fmt::format(R"("message":"Failed to sync tokens to microservice","plugin":"token-sync",)"
                    R"("error":"No connection to agent.test:4000: Connection refused.",)"
                    R"("microserviceUrl":"{}","userId":"{}")",
                    kAgent, scene.user_id())));
    scene.agent.is_absent = false;
    scene.host.time.advance(3h);
    CHECK(scene.agent.tokens.size() == 1);
    CHECK(scene.jobs("waiting") == 0);
}

TEST_CASE("token sync: a slow service is given up after ten seconds, and tried again") {
    Scene scene;
    scene.agent.thinks_for = 1h;
    const auto begun = scene.host.time.now();
    CHECK(scene.host.connect(scene.who).headers.get("Location").contains("connected=success"));
    CHECK(scene.host.time.now() - begun < 1s);
    scene.host.time.advance(11s);
    CHECK(scene.log.text.contains("no answer within 10000 ms"));
    scene.agent.thinks_for = 9s;
    scene.host.time.advance(1min);
    CHECK(scene.agent.tokens.size() == 1);
}

TEST_CASE("token sync: what the service answers decides whether it is asked again") {
    struct Case {
        int status;
        bool is_again;
        std::string_view text;
    };
    for (const auto& [status, is_again, text] :
         std::vector<Case>{{400, false, "Bad Request"},
                           {401, false, "Unauthorized"},
                           {404, false, "Not Found"},
                           {302, false, ""},
                           {429, true, "Too Many Requests"},
                           {500, true, "Internal Server Error"},
                           {503, true, "Service Unavailable"}}) {
        CAPTURE(status);
        Scene scene;
        scene.agent.status = status;
        scene.connect();
        CHECK((scene.agent.requests.size() > 1) == is_again);
        CHECK(scene.jobs(is_again ? "waiting" : "dead") == 1);
        CHECK(scene.log.text.contains(fmt::format(R"("details.status":{},)", status)));
        if (!text.empty())
            CHECK(scene.log.text.contains(fmt::format(R"("details.statusText":"{}")", text)));
        CHECK(text_in_store(scene.host, "SELECT last_error FROM jobs WHERE kind = 'hook'") ==
              fmt::format("The service answered {}.", status));
    }
}

TEST_CASE("token sync: tokens that the service does not know are deleted already") {
    Scene scene;
    scene.connect();
    scene.agent.tokens.clear();
    scene.disconnect();
    scene.host.time.advance(1min);
    CHECK(scene.agent.count("DELETE") == 1);
    CHECK(scene.jobs("waiting") + scene.jobs("dead") == 0);
    CHECK(scene.log.text.contains("\"Tokens deleted from microservice successfully\""));
}

TEST_CASE("token sync: a queued connect is dropped by a later disconnect") {
    Scene scene;
    scene.agent.is_absent = true;
    scene.connect();
    scene.disconnect();
    scene.agent.is_absent = false;
    scene.agent.requests.clear();
    scene.host.time.advance(3h);
    CHECK(scene.agent.count("POST") == 0);
    CHECK(scene.agent.count("DELETE") == 1);
    CHECK(scene.agent.tokens.empty());
}

TEST_CASE("token sync: a queued deletion is dropped by a later connect, though the row is new") {
    Scene scene;
    scene.connect();
    scene.agent.status = 503;
    scene.disconnect();
    scene.host.time.advance(1min);
    scene.connect();
    scene.agent.requests.clear();
    scene.agent.status.reset();
    scene.host.time.advance(3h);
    CHECK(scene.agent.count("DELETE") == 0);
    CHECK(scene.agent.tokens.size() == 1);
}

TEST_CASE("token sync: a disconnect while the push is on its way is told after it") {
    Scene scene;
    scene.agent.thinks_for = 5s;
    CHECK(scene.host.connect(scene.who).status == 302);
    scene.host.time.advance(1s);
    REQUIRE(scene.agent.count("POST") == 1);
    scene.disconnect();
    scene.host.time.advance(2s);
    CHECK(scene.agent.count("DELETE") == 0);
    scene.host.time.advance(1min);
    CHECK(scene.agent.count("DELETE") == 1);
    CHECK(scene.agent.tokens.empty());
}

TEST_CASE("token sync: the host dies behind the connect, and the service hears of it anyway") {
    Scene scene;
    scene.agent.is_absent = true;
    Cookies browser;
    const auto target = scene.host.consent(scene.host.authorization_url(scene.who, browser));
    begin_and_crash(
        scene.host,
        scene.host.handle("GET", target, {{"Cookie", TestHost::cookie_header(browser)}}, ""),
        "connect.stored");
    CHECK(scene.agent.tokens.empty());
    scene.agent.is_absent = false;
    scene.host.time.advance(10min);
    CHECK(scene.agent.tokens.size() == 1);
}

TEST_CASE("token sync: refreshed tokens are pushed only when the operator says so") {
    for (const bool is_on : {false, true}) {
        CAPTURE(is_on);
        Scene scene(with_sync({{"url", kAgent}, {"on_refresh", is_on}}));
        scene.connect();
        const auto before = scene.agent.tokens.at(scene.user_id()).at("access_token");
        scene.host.time.advance(2h);
        CHECK(sync_now(scene.host, scene.host.sign_in()).status == 200);
        scene.host.time.advance(1min);
        CHECK(scene.agent.requests.size() == (is_on ? 2 : 1));
        CHECK((scene.agent.tokens.at(scene.user_id()).at("access_token") != before) == is_on);
    }
}

TEST_CASE("token sync: a shared secret signs timestamp, method, path and body") {
    Scene scene(with_sync({{"url", fmt::format("{}/base/", kAgent)}, {"secret", "s3cret-shared"}}));
    scene.agent.status = 200;
    scene.connect();
    const auto& request = scene.agent.requests.at(0);
    const auto path = request.url.substr(kAgent.size());
    CHECK(path == fmt::format("/base/api/users/{}/google-calendar/connect", scene.user_id()));
    const auto stamp = request.headers.get("X-Calhost-Timestamp");
    CHECK(std::stoll(std::string(stamp)) <= to_millis(scene.host.time.now()) / 1000);
    CHECK(std::stoll(std::string(stamp)) >= to_millis(scene.host.time.now()) / 1000 - 120);
    CHECK(request.headers.get("X-Calhost-Signature") ==
          "v1=" +
              hex_encode(crypto::hmac_sha256(
                  "s3cret-shared", fmt::format("{}\nPOST\n{}\n{}", stamp, path, request.body))));
    CHECK_FALSE(scene.log.text.contains("s3cret-shared"));
}

TEST_CASE("token sync: other accounts and other providers are not the service's") {
    Scene scene;
    scene.host.connect(scene.who, kAda, "?account=source");
    scene.host.connect(scene.who, "eve@contoso.example", "?provider=outlook");
    scene.host.time.advance(1min);
    CHECK(count_in_store(scene.host, "SELECT count(*) FROM connections") == 2);
    CHECK(scene.agent.requests.empty());
}

TEST_CASE("token sync: a grant that is withdrawn before the push leaves nothing to push") {
    Scene scene;
    scene.agent.is_absent = true;
    scene.connect();
    control(scene.host, "POST", "/accounts/" + kAda + "/revoke");
    scene.host.time.advance(2h);
    CHECK(sync_now(scene.host, scene.host.sign_in()).status != 200);
    CHECK(state_of(scene.host, scene.host.sign_in()) == "needs_reauth");
    scene.agent.is_absent = false;
    scene.agent.requests.clear();
    scene.host.time.advance(3h);
    CHECK(scene.agent.requests.empty());
    CHECK(scene.jobs("waiting") + scene.jobs("dead") == 0);
}

TEST_CASE("token sync: tokens are in no log, no answer and no job") {
    Scene scene;
    scene.agent.status = 500;
    scene.connect();
    scene.agent.status = 400;
    scene.host.time.advance(3h);
    scene.host.call("GET", "/api/calendar/status", scene.who);
    const auto body = json::parse(scene.agent.requests.at(0).body).value();
    const auto jobs =
        text_in_store(scene.host, "SELECT group_concat(payload || last_error) FROM jobs");
    const auto audit =
        text_in_store(scene.host, "SELECT group_concat(details || subject) FROM audit_log");
    for (const std::string member : {"access_token", "refresh_token"}) {
        const std::string token(json::text_of(body, member));
        REQUIRE_FALSE(token.empty());
        CHECK_FALSE(scene.log.text.contains(token));
        CHECK_FALSE(scene.host.written.contains(token));
        CHECK_FALSE(jobs.contains(token));
        CHECK_FALSE(audit.contains(token));
    }
}

}  // namespace
