// Routes of plugins, on a whole host.
#include <fstream>

#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// A host with one plugin whose routes are these.
struct Routed {
    explicit Routed(std::string_view routes, const std::string& head = "",
                    json::object values = {}) {
        std::filesystem::create_directories(folder.path() / "x");
        std::ofstream(folder.path() / "x/plugin.lua")
            << "local M = { id = \"x\", title = \"X\", api = 1 }\n"
            << head << "\nM.routes = { " << routes << " }\nreturn M\n";
        std::ofstream(folder.path() / "x/schema.lua") << "return { fields = {} }";
        host.emplace(TestHostOptions{.adjust = [&, values](config::Settings& settings) {
            settings.paths.plugins = folder.path();
            settings.plugins["x"].values = values;
        }});
    }
    TempFolder folder;
    std::optional<TestHost> host;
};

constexpr std::string_view kEcho =
    R"({ method = "POST", path = "/plugins/x/echo/{id}", who = "open",
  handler = function(ctx, request) return { status = 201, headers = { ["X-Made-By"] = "x" },
    json = { id = request.params.id, q = request.query.q, body = request.body, raw = request.raw_body,
      type = request.headers["content-type"], path = request.path, method = request.method,
      secret = request.headers.authorization or request.headers.cookie, principal = request.principal } } end })";

TEST_CASE("plugin routes: a handler sees the request and makes the answer, credentials kept back") {
    Routed routed(kEcho);
    const auto answer = routed.host->call("POST", "/plugins/x/echo/a%20b?q=1",
                                          {{"Content-Type", "application/json"},
                                           {"Authorization", "Bearer s3cret"},
                                           {"Cookie", "a=s3cret"}},
                                          R"({"n":1})");
    CHECK(answer.status == 201);
    CHECK(answer.headers.get("X-Made-By") == "x");
    CHECK(answer.headers.get("Content-Type") == "application/json");
    CHECK(TestHost::body(answer) == json::value{{"id", "a b"},
                                                {"q", "1"},
                                                {"body", json::object{{"n", 1}}},
                                                {"raw", R"({"n":1})"},
                                                {"type", "application/json"},
                                                {"path", "/plugins/x/echo/a%20b"},
                                                {"method", "POST"}});
    CHECK(word_of(routed.host->call("GET", "/plugins/x/echo/a")) == "405 method_not_allowed");
    CHECK(word_of(routed.host->call("POST", "/plugins/x/other")) == "404 not_found");
}

TEST_CASE("plugin routes: who may call is held before the script runs") {
    Routed routed(R"({ method = "GET", path = "/plugins/x/me", who = "user",
        handler = function(ctx, request) return { json = request.principal } end },
      { method = "GET", path = "/plugins/x/all", who = "admin",
        handler = function() return { body = "all" } end },
      { method = "GET", path = "/plugins/x/app", who = "application", scope = "bookings:read",
        handler = function() return { body = "app" } end })");
    auto& host = *routed.host;
    const auto who = host.sign_up();
    CHECK(word_of(host.call("GET", "/plugins/x/me")) == "401 unauthorized");
    const auto me = host.call("GET", "/plugins/x/me", who);
    CHECK(me.status == 200);
    CHECK(TestHost::text(me, "role") == "mentor");
    CHECK(TestHost::text(me, "user_id") == text_in_store(host, "SELECT id FROM users"));
    CHECK(word_of(host.call("GET", "/plugins/x/all", who)) == "403 forbidden");
    CHECK(word_of(host.call("GET", "/plugins/x/app", who)) == "403 forbidden");
    change_store(host, "UPDATE users SET role = 'admin'");
    CHECK(host.call("GET", "/plugins/x/all", host.sign_in()).body == "all");
}

TEST_CASE("plugin routes: an expected failure is a problem, a bug is 500 and tells nothing") {
    struct Case {
        std::string_view returns, problem;
    };
    for (const auto& [returns, problem] : std::vector<Case>{
             {"nil, { code = 'not_found', message = 'No such thing.' }",
              "404 not_found: No such thing."},
             {"nil, { code = 'invalid', message = 'Wrong.' }", "422 invalid: Wrong."},
             {"nil, { code = 'rate_limited', message = 'Wait.', retry_after = 7 }",
              "429 rate_limited: Wait."},
             {"nil, { code = 'unavailable', message = 'Later.' }", "503 unavailable: Later."},
             {"error('s3cret')", "500 invalid_response: the plugin x failed; the log says where"},
             {"7", "500 invalid_response: the plugin x returned something wrong: a handler must "},
             {"{ status = 99 }", "500 invalid_response: the plugin x returned something wrong: "},
             {"{ headers = { a = 'b\\r\\nc: d' } }",
              "500 invalid_response: the plugin x returned something wrong: headers must "}}) {
        CAPTURE(returns);
        Routed routed(fmt::format(R"({{ method = "GET", path = "/plugins/x/a", who = "open",
            handler = function() return {} end }})",
                                  returns));
        const auto answer = routed.host->call("GET", "/plugins/x/a");
        CHECK(problem_of(answer).starts_with(problem));
        CHECK_FALSE(answer.body.contains("s3cret"));
        if (answer.status == 429) CHECK(answer.headers.get("Retry-After") == "7");
    }
}

TEST_CASE("plugin routes: a body over the route's limit is refused unread") {
    Routed routed(R"({ method = "POST", path = "/plugins/x/a", who = "open", body_limit = 4,
        handler = function(ctx, request) return { body = request.raw_body } end })");
    CHECK(routed.host->call("POST", "/plugins/x/a", {}, "1234").body == "1234");
    CHECK(word_of(routed.host->call("POST", "/plugins/x/a", {}, "12345")) == "413 too_large");
}

TEST_CASE("plugin routes: a path of its own needs no grant, any other does") {
    const std::string route = R"({ method = "GET", path = "/legacy", who = "open",
        handler = function() return { body = "legacy" } end })";
    const auto reason = [&](const std::string& head, json::object values) {
        try {
            const Routed routed(route, head, std::move(values));
            return routed.host.has_value() ? std::string("ok") : std::string();
        } catch (const std::exception& error) {
            return std::string(error.what());
        }
    };
    CHECK(reason("", {}).contains("number 1 has a path outside /plugins/x/"));
    CHECK(reason("M.needs = { 'routes' }", {}).contains("the plugin needs routes"));
    Routed routed(route, "M.needs = { 'routes' }", {{"grant", json::array{"routes"}}});
    CHECK(routed.host->call("GET", "/legacy").body == "legacy");
}

TEST_CASE("plugin routes: they are in the contract") {
    Routed routed(kEcho);
    const auto contract = TestHost::body(routed.host->call("GET", "/openapi.json"));
    CHECK(contract.at("paths").as_object().contains("/plugins/x/echo/{id}"));
}

TEST_CASE("plugin routes: a path that the host has keeps it from starting, and is named") {
    const auto start = [](std::string_view path) {
        const auto route = fmt::format(
            R"({{ method = "GET", path = "{}", who = "open", handler = function() end }})", path);
        Routed routed(route, "M.needs = { 'routes' }", {{"grant", json::array{"routes"}}});
        return std::string("started");
    };
    CHECK(start("/elsewhere") == "started");
    std::string reason;
    try {
        start("/api/providers");
    } catch (const std::exception& thrown) {
        reason = thrown.what();
    }
    CHECK(reason.contains(
        "The plugin x cannot serve GET /api/providers: the host or another plugin does. "
        "Give its route another path."));
}

TEST_CASE("plugin schedules: what a script does again and again, until the operator turns it off") {
    const std::string head =
        R"(M.schedules = { count = { every = "15m", run = function(ctx)
             return ctx.store:update("runs", function(runs) return (runs or 0) + 1 end) end } })";
    constexpr std::string_view kRoute =
        R"({ method = "GET", path = "/plugins/x/runs", who = "open",
          handler = function(ctx) return { json = { runs = ctx.store:get("runs") or 0 } } end })";
    const auto runs = [&](const json::object& section) {
        Routed routed(kRoute, head, section);
        auto& host = *routed.host;
        host.time.advance(std::chrono::minutes{90});
        host.crash_and_restart();
        host.time.advance(std::chrono::minutes{90});
        const auto answer = TestHost::body(host.call("GET", "/plugins/x/runs"));
        return answer.at("runs").to_number<int>();
    };
    const int usual = runs({});
    CHECK(usual >= 12);
    CHECK(usual <= 14);
    const int hourly = runs({{"schedules", {{"count", "1h"}}}});
    CHECK(hourly >= 3);
    CHECK(hourly <= 4);
    CHECK(runs({{"schedules", {{"count", "off"}}}}) == 0);
}

}  // namespace
