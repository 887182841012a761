/// The whole host as one worker on virtual time, the simulated Google and Graph beside it: real
/// rooms, real store, no sockets. Include it only where the app room is linked.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "app/recovery.h"
#include "app/worker.h"
#include "base/json.h"
#include "jobs/runner.h"
#include "sandbox/google.h"
#include "sandbox/graph.h"
#include "support/mailbox.h"
#include "support/sandbox_transport.h"
#include "support/seeded_random.h"
#include "support/test_store.h"
#include "support/virtual_time.h"

namespace calhost::test {

/// Crash points that a test listens to; the coroutine that reaches a chosen one never goes on.
class TestCrashPoints final : public CrashPoints {
  public:
    Task<> reach(std::string_view name) override {
        reached.emplace_back(name);
        if (!should_crash || !should_crash(name)) co_return;
        is_crashed = true;
        Signal never;
        co_await never.wait();
    }
    std::function<bool(std::string_view name)> should_crash;
    std::vector<std::string> reached;
    bool is_crashed = false;
};

struct TestHostOptions {
    std::uint64_t seed = 1;
    std::function<void(config::Settings&)> adjust;         ///< the last word on the settings
    std::optional<std::vector<plugin::RuleSource>> rules;  ///< instead of scripts/redirect.lua
    bool runs_jobs = true;
    std::shared_ptr<accounts::Hasher> hasher;  ///< instead of Argon2id
};

inline constexpr std::string_view kHostUrl = "http://host.test";

/// A browser's memory: cookies by name.
using Cookies = std::map<std::string, std::string>;

/// *Thread*: one. `crash_and_restart` throws the host away in the middle and opens the store again.
class TestHost {
  public:
    explicit TestHost(TestHostOptions options = {})
        : options_(std::move(options)),
          random(options_.seed),
          sandbox_random(options_.seed + 1'000'000),
          graph_random(options_.seed + 2'000'000),
          loop_(std::make_unique<boost::asio::io_context>()),
          time(*loop_),
          google(provider_options(kSandboxOrigin, "google"), time, time, sandbox_random),
          graph(provider_options(kGraphOrigin, "outlook"), time, time, graph_random),
          transport(google, time) {
        transport.add(kGraphOrigin, graph);
        google.add_account("ada@gmail.example", "Ada", "Europe/Berlin");
        google.add_account("bob@gmail.example", "Bob", "America/New_York");
        graph.add_account("eve@contoso.example", "Eve", "Europe/Berlin");
        graph.add_account("max@outlook.example", "Max", "Europe/Berlin");
        open();
    }
    ~TestHost() { close(); }
    TestHost(const TestHost&) = delete;

    // What the host is made of; in the order of construction.
  private:
    TestHostOptions options_;

  public:
    SeededRandom random;
    SeededRandom sandbox_random;
    SeededRandom graph_random;

  private:
    std::unique_ptr<boost::asio::io_context> loop_;

  public:
    VirtualTime time;
    sandbox::Google google;
    sandbox::Graph graph;
    SandboxTransport transport;
    TestCrashPoints crash_points;
    Mailbox mailbox;
    TempFolder folder;

    app::Worker& worker() { return *worker_; }
    storage::Sql& sql() { return worker_->database().reader(); }
    crypto::Keys& keys() { return *keys_; }
    jobs::Runner& runner() { return *runner_; }

    /// One request to the host, run until it is answered. What else waits, waits on.
    net::Response call(std::string method, std::string target, net::Headers headers = {},
                       std::string body = {}) {
        return time.wait(
            handle(std::move(method), std::move(target), std::move(headers), std::move(body)));
    }
    /// The same as a coroutine, for several at once.
    Task<net::Response> handle(std::string method, std::string target, net::Headers headers,
                               std::string body) {
        net::Request request;
        request.method = std::move(method);
        request.target = std::move(target);
        const auto question = request.target.find('?');
        request.path = percent_decode(request.target.substr(0, question)).value();
        if (question != std::string::npos)
            request.query = net::Query::parse(request.target.substr(question + 1)).value();
        request.headers = std::move(headers);
        request.body = std::move(body);
        request.client_address = "192.0.2.1";
        request.request_id = "test";
        auto response = co_await worker_->handle(request);
        written += response.body;
        for (const auto& [name, value] : response.headers) written += name + ": " + value + "\n";
        co_return response;
    }

    /// A new user's bearer header.
    net::Headers sign_up(const std::string& email = "ada@example.org",
                         const std::string& role = "mentor") {
        const json::object user{
            {"email", email}, {"password", "a long enough password"}, {"role", role}};
        const auto made = call("POST", "/auth/register", {{"Content-Type", "application/json"}},
                               json::serialize(user));
        if (made.status != 201) throw std::runtime_error(made.body);
        return sign_in(email);
    }
    net::Headers sign_in(const std::string& email = "ada@example.org") {
        const json::object user{{"email", email}, {"password", "a long enough password"}};
        const auto token = call("POST", "/auth/token", {{"Content-Type", "application/json"}},
                                json::serialize(user));
        if (token.status != 200) throw std::runtime_error(token.body);
        return {{"Authorization", "Bearer " + text(token, "access_token")}};
    }

    /// Begins a flow by JSON and gives the authorization URL; the browser remembers the cookie.
    std::string authorization_url(const net::Headers& who, Cookies& browser,
                                  const std::string& query = "") {
        const auto begun = call("GET", "/api/calendar/auth-url" + query, who);
        if (begun.status != 200) throw std::runtime_error(begun.body);
        remember(begun, browser);
        return text(begun, "authorization_url");
    }
    /// The consent page, answered; gives the callback's target on the host
    /// ("/api/calendar/callback/…").
    std::string consent(const std::string& authorization_url,
                        const std::string& account = "ada@gmail.example",
                        const std::string& answer = "allow") {
        net::ClientRequest request;
        request.url =
            authorization_url + "&auto=" + answer + "&login_hint=" + percent_encode(account);
        auto page = time.wait(transport.send(request));
        if (!page || page->status != 302)
            throw std::runtime_error(page ? page->body : page.error().message);
        return std::string(page->headers.get("Location")).substr(kHostUrl.size());
    }
    /// Back at the host, with the browser's cookies.
    net::Response come_back(const std::string& target, const Cookies& browser,
                            const std::string& accept = "application/json") {
        return call("GET", target, {{"Accept", accept}, {"Cookie", cookie_header(browser)}});
    }
    /// The whole of it.
    net::Response connect(const net::Headers& who, const std::string& account = "ada@gmail.example",
                          const std::string& query = "") {
        Cookies browser;
        return come_back(consent(authorization_url(who, browser, query), account), browser,
                         "text/html");
    }

    /// The host is gone in this moment; what was acknowledged must be in the store that is opened
    /// next.
    void crash_and_restart() {
        close();
        crash_points.is_crashed = false;
        loop_ = std::make_unique<boost::asio::io_context>();
        time.use(*loop_);
        open();
    }

    static json::value body(const net::Response& response) {
        auto parsed = json::parse(response.body);
        if (!parsed) throw std::runtime_error("not JSON: " + response.body);
        return *parsed;
    }
    static std::string text(const net::Response& response, std::string_view member) {
        return std::string(json::text_of(body(response), member));
    }
    static void remember(const net::Response& response, Cookies& browser) {
        for (const auto& [name, value] : response.headers) {
            if (name != "Set-Cookie") continue;
            const auto equals = value.find('=');
            browser[value.substr(0, equals)] =
                value.substr(equals + 1, value.find(';') - equals - 1);
        }
    }
    static std::string cookie_header(const Cookies& browser) {
        std::string header;
        for (const auto& [name, value] : browser)
            header += (header.empty() ? "" : "; ") + name + "=" + value;
        return header;
    }

    std::string written;  ///< every answer so far, for the hunt for canaries

  private:
    static sandbox::Options provider_options(std::string_view origin, std::string_view name) {
        sandbox::Options options;
        options.issuer = std::string(origin);
        options.redirect_uris = {fmt::format("{}/api/calendar/callback/{}", kHostUrl, name)};
        return options;
    }

    config::Settings settings() const {
        config::Settings settings;
        settings.server.public_url = kHostUrl;
        settings.server.frontend_url = kHostUrl;
        settings.server.requests_per_second = 0;
        settings.auth.jwt_secret = Secret("0123456789abcdef0123456789abcdef");
        settings.paths.providers = std::filesystem::path(CALHOST_SOURCE_DIR) / "providers";
        settings.paths.scripts = std::filesystem::path(CALHOST_SOURCE_DIR) / "scripts";
        settings.paths.plugins = std::filesystem::path(CALHOST_SOURCE_DIR) / "plugins";
        settings.rules = {"redirect.lua", "reminders.lua"};
        settings.sync.interval = std::chrono::seconds{0};
        const std::string origin(kSandboxOrigin);
        auto& google_section = settings.providers["google"].values;
        google_section = {{"client_id", "sandbox-client"},
                          {"client_secret", "sandbox-secret"},
                          {"endpoints",
                           {{"authorize", origin + "/o/oauth2/v2/auth"},
                            {"token", origin + "/token"},
                            {"revoke", origin + "/revoke"},
                            {"userinfo", origin + "/v1/userinfo"},
                            {"api", origin + "/calendar/v3"},
                            {"issuer", origin}}}};
        const std::string graph_origin(kGraphOrigin);
        settings.providers["outlook"].values = {
            {"client_id", "sandbox-client"},
            {"client_secret", "sandbox-secret"},
            {"endpoints",
             {{"authorize", graph_origin + "/common/oauth2/v2.0/authorize"},
              {"token", graph_origin + "/common/oauth2/v2.0/token"},
              {"userinfo", graph_origin + "/oidc/userinfo"},
              {"api", graph_origin + "/v1.0"}}}};
        if (options_.adjust) options_.adjust(settings);
        return settings;
    }

    void open() {
        store_ = must(storage::Store::open(
            {.file = folder.path() / "calhost.db", .is_inline = true, .is_durable = false}));
        if (!keys_) {
            auto ring = crypto::KeyRing::create({{"k1", Secret(std::string(32, 'k'))}}, "k1");
            keys_ = std::make_unique<crypto::Keys>(must(std::move(ring)));
        }
        installed_ = plugin::discover(settings(), time);
        if (options_.rules) installed_.rules = *options_.rules;
        shared_ = std::make_unique<app::Shared>(app::Shared{settings(), *store_, *keys_, installed_,
                                                            *hasher_, throttle_, metrics_, "test"});
        homes_ = std::make_unique<sync::Homes>();
        worker_ = must(app::Worker::create(time.executor(), *shared_,
                                           {transport, time, time, random, crash_points, &mailbox},
                                           *homes_));
        homes_->add(worker_->home());
        runner_ = std::make_unique<jobs::Runner>(worker_->database(), time, time, random,
                                                 jobs::RunnerOptions{});
        worker_->run_jobs_with(*runner_);
        worker_->set_wake([this] { runner_->wake(); });
        must(time.wait(app::recover(*worker_, shared_->settings)));
        if (options_.runs_jobs)
            boost::asio::co_spawn(*loop_, runner_->run(), boost::asio::detached);
    }

    void close() {
        loop_.reset();  // first: what waits in it refers to everything below
        runner_.reset();
        homes_.reset();
        worker_.reset();
        shared_.reset();
        store_.reset();
    }

    std::shared_ptr<accounts::Hasher> hasher_ =
        options_.hasher ? options_.hasher : accounts::make_inline_hasher();
    accounts::Throttle throttle_{time};
    api::Metrics metrics_;
    plugin::Installed installed_;
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<crypto::Keys> keys_;
    std::unique_ptr<app::Shared> shared_;
    std::unique_ptr<sync::Homes> homes_;
    std::unique_ptr<app::Worker> worker_;
    std::unique_ptr<jobs::Runner> runner_;
};

}  // namespace calhost::test
