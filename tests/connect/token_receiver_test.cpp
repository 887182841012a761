// plugins/token-receiver, spoken to by hand and by the token-sync of another host.
#include "crypto/crypto.h"
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kReceiver = "http://receiver.test";
constexpr std::string_view kShared = "s3cret-shared";

TestHostOptions receiving(const std::string& their_id = "their-1") {
    return {.adjust = [their_id](config::Settings& settings) {
        settings.plugins["token-receiver"].values = {
            {"secret", kShared},
            {"users", json::object{{their_id, "ada@example.org"}}},
            {"grant", json::array{"connections", "users", "routes"}}};
    }};
}

/// A host that receives, and a grant that its Google gave somebody else for the same client.
struct Receiver {
    explicit Receiver(TestHostOptions options = receiving())
        : host(std::move(options)), who(host.sign_up()) {
        // The person granted it to the client elsewhere: connected here, read, and forgotten
        // without a word to Google.
        const auto other = host.sign_up("sender@example.org");
        host.connect(other);
        tokens = stored_tokens();
        change_store(host, "DELETE FROM connections");
    }

    json::object stored_tokens() {
        std::string id, user, access, refresh;
        must(host.sql().query(
            "SELECT id, user_id, sealed_access_token, sealed_refresh_token FROM connections", {},
            [&](const storage::Row& row) {
                id = row.string(0);
                user = row.string(1);
                access = row.string(2);
                refresh = row.string(3);
            }));
        const auto open = [&](const std::string& sealed, std::string_view column) {
            const crypto::Place place{"connections", column, id, user};
            return std::string(must(host.keys().current()->open(sealed, place)).expose());
        };
        return {{"access_token", open(access, "sealed_access_token")},
                {"refresh_token", open(refresh, "sealed_refresh_token")},
                {"token_expiry", "2026-11-20T10:00:00Z"},
                {"scope", text_in_store(host, "SELECT scopes FROM connections")}};
    }

    net::Headers signature(const std::string& method, const std::string& path,
                           const std::string& body, std::chrono::seconds age = 0s) {
        const auto stamp = std::to_string(to_millis(host.time.now() - age) / 1000);
        const auto text = fmt::format("{}\n{}\n{}\n{}", stamp, method, path, body);
        return {{"X-Calhost-Timestamp", stamp},
                {"X-Calhost-Signature", "v1=" + hex_encode(crypto::hmac_sha256(kShared, text))}};
    }
    net::Response push(const json::object& body, const std::string& user = "their-1") {
        const auto path = "/api/users/" + user + "/google-calendar/connect";
        const auto text = json::serialize(body);
        return host.call("POST", path, signature("POST", path, text), text);
    }
    net::Response take_back(const std::string& user = "their-1") {
        const auto path = "/api/google-tokens/" + user;
        return host.call("DELETE", path, signature("DELETE", path, ""));
    }
    std::int64_t connections() { return count_in_store(host, "SELECT count(*) FROM connections"); }

    LogSink log;
    TestHost host;
    net::Headers who;
    json::object tokens;
};

TEST_CASE("token receiver: pushed tokens become a sealed connection that syncs") {
    Receiver receiver;
    const auto answer = receiver.push(receiver.tokens);
    CHECK(answer.status == 200);
    CHECK(TestHost::body(answer) ==
          json::value{{"success", true},
                      {"message", "Google Calendar connected successfully"},
                      {"user_id", "their-1"},
                      {"token_expiry", "2026-11-20T10:00:00Z"}});
    const auto connection = connection_of(receiver.host, receiver.who);
    CHECK(json::text_of(connection, "account") == "received");
    CHECK(json::text_of(connection, "email") == kAda);
    CHECK(text_in_store(receiver.host, "SELECT sealed_refresh_token FROM connections")
              .starts_with("v1:"));
    receiver.host.time.advance(1min);
    CHECK(sync_now(receiver.host, receiver.who).status == 200);
    for (const std::string name : {"access_token", "refresh_token"}) {
        const std::string token(json::text_of(receiver.tokens, name));
        CHECK_FALSE(receiver.log.text.contains(token));
        CHECK_FALSE(receiver.host.written.contains(token));
    }
}

TEST_CASE("token receiver: what is missing or wrong is 400, and stores nothing") {
    struct Case {
        std::string_view field;
        json::value value;
        std::string_view problem;
    };
    for (const auto& [field, value, problem] : std::vector<Case>{
             {"access_token", nullptr, "400 invalid: access_token is missing."},
             {"refresh_token", "", "400 invalid: refresh_token is missing."},
             {"token_expiry", "tomorrow", "400 invalid: token_expiry must be an RFC 3339 time."},
             {"scope", 7, "400 invalid: scope is missing."},
             {"refresh_token", "another client's", "400 invalid: The provider does not refresh"}}) {
        CAPTURE(field);
        Receiver receiver;
        auto body = receiver.tokens;
        body[field] = value;
        CHECK(problem_of(receiver.push(body)).starts_with(problem));
        CHECK(receiver.connections() == 0);
    }
}

TEST_CASE("token receiver: a user who is not in the configuration is nobody") {
    Receiver receiver;
    const auto own =
        text_in_store(receiver.host, "SELECT id FROM users WHERE email = 'ada@example.org'");
    for (const std::string& user : {std::string("their-2"), own, std::string("ada@example.org")}) {
        CAPTURE(user);
        CHECK(word_of(receiver.push(receiver.tokens, user)) == "400 unknown_user");
        CHECK(word_of(receiver.take_back(user)) == "404 not_found");
    }
    CHECK(receiver.connections() == 0);
}

TEST_CASE("token receiver: without a good and fresh signature nothing is looked at") {
    Receiver receiver;
    const std::string path = "/api/users/their-1/google-calendar/connect";
    const auto body = json::serialize(receiver.tokens);
    const auto call = [&](net::Headers headers) {
        return word_of(receiver.host.call("POST", path, std::move(headers), body));
    };
    CHECK(call({}) == "401 unauthorized");
    CHECK(call(receiver.signature("DELETE", path, body)) == "401 unauthorized");
    CHECK(call(receiver.signature("POST", path + "x", body)) == "401 unauthorized");
    CHECK(call(receiver.signature("POST", path, body + " ")) == "401 unauthorized");
    CHECK(call(receiver.signature("POST", path, body, 301s)) == "401 unauthorized");
    CHECK(call(receiver.signature("POST", path, body, -301s)) == "401 unauthorized");
    auto other_time = receiver.signature("POST", path, body);
    other_time.set("X-Calhost-Timestamp", "1");
    CHECK(call(other_time) == "401 unauthorized");
    CHECK(receiver.connections() == 0);
    CHECK(call(receiver.signature("POST", path, body, 299s)) == "200");
}

TEST_CASE("token receiver: tokens are taken back once, and the sender's grant lives on") {
    Receiver receiver;
    REQUIRE(receiver.push(receiver.tokens).status == 200);
    const auto answer = receiver.take_back();
    CHECK(answer.status == 200);
    CHECK(TestHost::body(answer) ==
          json::value{{"success", true},
                      {"message", "Google Calendar disconnected successfully"},
                      {"user_id", "their-1"}});
    CHECK(receiver.connections() == 0);
    receiver.host.time.advance(1min);
    CHECK(word_of(receiver.take_back()) == "404 not_found");
    CHECK(effects_of(receiver.host, "token.revoke") == 0);
    CHECK(receiver.push(receiver.tokens).status == 200);
}

TEST_CASE("token receiver: a message that is repeated by whoever overheard it does nothing") {
    Receiver receiver;
    auto& host = receiver.host;
    const std::string path = "/api/users/their-1/google-calendar/connect";
    const auto body = json::serialize(receiver.tokens);
    const auto overheard = receiver.signature("POST", path, body);
    const auto first = host.call("POST", path, overheard, body);
    CHECK(first.status == 200);
    host.time.advance(1min);
    const auto second = host.call("POST", path, overheard, body);
    CHECK(second.status == 200);
    CHECK(TestHost::body(second) == TestHost::body(first));
    CHECK(effects_of(host, "token.refresh") == 1);
    CHECK(receiver.take_back().status == 200);
    CHECK(word_of(host.call("POST", path, overheard, body)) == "409 older_message");
    CHECK(receiver.connections() == 0);
}

TEST_CASE("token receiver: what the sender says again in the same second is done again") {
    Receiver receiver;
    for (int i = 0; i < 2; ++i) {
        CHECK(receiver.push(receiver.tokens).status == 200);
        CHECK(receiver.connections() == 1);
        CHECK(receiver.take_back().status == 200);
        CHECK(receiver.connections() == 0);
    }
}

TEST_CASE("token receiver: a provider that is down is 500, and the sender tries again") {
    Receiver receiver;
    receiver.host.transport.before =
        [](net::ClientRequest& request) -> Task<std::optional<SandboxTransport::Answer>> {
        if (!request.url.ends_with("/token")) co_return std::nullopt;
        co_return net::ClientResponse{503, {}, ""};
    };
    CHECK(receiver.push(receiver.tokens).status == 500);
    receiver.host.transport.before = nullptr;
    CHECK(receiver.push(receiver.tokens).status == 200);
}

TEST_CASE("token receiver: without a secret nothing is received") {
    Receiver receiver({.adjust = [](config::Settings& settings) {
        settings.plugins["token-receiver"].values = {
            {"grant", json::array{"connections", "users", "routes"}}};
    }});
    CHECK(word_of(receiver.push(receiver.tokens)) == "500 misconfigured");
}

/// Brings what a host sends to the receiver to the other host, whose Google is the sender's.
struct Chain {
    Chain()
        : sender({.adjust = [](config::Settings& settings) {
              settings.plugins["token-sync"].values = {
                  {"url", kReceiver}, {"secret", kShared}, {"grant", json::array{"tokens"}}};
          }}) {
        who = sender.sign_up();
        receiver.emplace(receiving(
            text_in_store(sender, "SELECT id FROM users WHERE email = 'ada@example.org'")));
        receiver->sign_up();
        sender.transport.before = [this](net::ClientRequest& request) { return carry(request); };
        receiver->transport.before = [this](net::ClientRequest& request) { return lend(request); };
    }

    using Answer = std::optional<SandboxTransport::Answer>;
    Task<Answer> carry(net::ClientRequest& request) {
        if (!request.url.starts_with(kReceiver)) co_return std::nullopt;
        const auto answer = receiver->call(request.method, request.url.substr(kReceiver.size()),
                                           request.headers, request.body);
        co_return net::ClientResponse{answer.status, answer.headers, answer.body};
    }
    /// Both hosts have the same client at one Google: the sender's.
    Task<Answer> lend(net::ClientRequest& request) {
        if (!request.url.starts_with(kSandboxOrigin)) co_return std::nullopt;
        co_return co_await sender.transport.ask(request);
    }

    std::int64_t received() {
        return count_in_store(*receiver, "SELECT count(*) FROM connections WHERE state = 'active'");
    }

    TestHost sender;
    net::Headers who;
    std::optional<TestHost> receiver;
};

TEST_CASE(
    "token chain: a calendar connected at one host is connected at the other, until it is not") {
    Chain chain;
    CHECK(chain.sender.connect(chain.who).status == 302);
    chain.sender.time.advance(1min);
    REQUIRE(chain.received() == 1);
    CHECK(count_in_store(chain.sender, "SELECT count(*) FROM jobs WHERE kind = 'hook'") == 0);
    CHECK(chain.sender.call("DELETE", "/api/calendar/disconnect", chain.who).status == 200);
    chain.sender.time.advance(1min);
    CHECK(chain.received() == 0);
    CHECK(count_in_store(chain.sender, "SELECT count(*) FROM jobs WHERE kind = 'hook'") == 0);
}

}  // namespace
