// A plugin is told: what its hook can do, and what its failure means for the job.
#include <fmt/format.h>

#include "base/log.h"
#include "plugin/plugin_bench.h"
#include "storage/audit.h"

using namespace calhost;
using namespace calhost::test;

namespace {

constexpr std::string_view kSchema = R"(return { fields = {
  { name = "url", type = "url" }, { name = "secret", type = "string", secret = true } } })";

struct HookBench : PluginBench {
    /// `body` is that of the hook connection.created(ctx, event).
    explicit HookBench(std::string_view body, json::object values = {},
                       std::string_view head = "") {
        if (!values.contains("url")) values["url"] = "https://service.example/base";
        add("x",
            fmt::format(
                "{}\nM.hooks = {{ ['connection.created'] = function(ctx, event)\n{}\nend }}", head,
                body),
            {.values = std::move(values)}, kSchema);
        const auto outcome = load();
        REQUIRE_MESSAGE(outcome == "ok", outcome);
    }
    std::string tell(json::object event = {}) {
        const auto jobs = plugins->hook_jobs("connection.created", "s", "u1", event);
        return outcome_of(time.wait(plugins->run_hook(jobs.at(0))));
    }
};

TEST_CASE("hooks: the event comes as it was told, with its name, time and user") {
    HookBench bench(
        R"(return nil, { code = "invalid", message = event.hook .. " " .. event.at .. " " ..
        event.user_id .. " " .. event.connection.id })");
    CHECK(bench.tell({{"connection", json::object{{"id", "c1"}}}}) ==
          "invalid: connection.created 2026-11-20T09:00:00Z u1 c1");
}

TEST_CASE("hooks: what the script returns decides whether the job runs again") {
    struct Case {
        std::string body, outcome;
        bool is_transient;
    };
    for (const auto& [body, outcome, transient] : std::vector<Case>{
             {"", "ok", false},
             {"return true", "ok", false},
             {"return false, 'whatever'", "ok", false},
             {"return nil", "ok", false},
             {"return nil, { code = 'unavailable', message = 'down' }", "unavailable: down", true},
             {"return nil, { code = 'invalid', message = 'no' }", "invalid: no", false},
             {"return nil, { code = 'invalid', message = 'soon', retry_after = 5 }",
              "unavailable: soon", true},
             {"return nil, { code = 'rate_limited', message = 'slow', retry_after = 5 }",
              "rate_limited: slow", true},
             {"error('s3cret')", "invalid: the plugin x failed; the log says where", false},
             {"return nil, 'text'", "invalid: the plugin x failed; the log says where", false},
             {"while true do end",
              "invalid: the plugin x did more work than one call may; the log says where",
              false}}) {
        CAPTURE(body);
        HookBench bench(body);
        const auto result = bench.tell();
        CHECK(result == outcome);
        const auto code = parse_error_code(result.substr(0, result.find(':')));
        CHECK((code && is_transient(*code)) == transient);
    }
}

TEST_CASE("hooks: a hook that is gone has nothing to do, and a plugin that is gone is told of") {
    HookBench bench("error('told')");
    auto job = bench.plugins->hook_jobs("connection.created", "s", "u1", {}).at(0);
    bench.add("x", "");
    REQUIRE(bench.load() == "ok");
    CHECK(outcome_of(bench.time.wait(bench.plugins->run_hook(job))) == "ok");
    bench.settings.plugins.clear();
    REQUIRE(bench.load() == "ok");
    CHECK(outcome_of(bench.time.wait(bench.plugins->run_hook(job)))
              .starts_with("misconfigured: The plugin x is not active any more."));
}

TEST_CASE("hooks: requests go to the addresses of the configuration and nowhere else") {
    struct Case {
        std::string_view url, outcome;
    };
    for (const auto& [url, outcome] :
         std::vector<Case>{{"https://service.example/a?b=c", "ok"},
                           {"https://service.example:443/a", "ok"},
                           {"https://api.other.example/x", "ok"},
                           {"http://service.example/a",
                            "forbidden: plugin x may not call service.example; the "
                            "operator can name it under plugins.x.hosts"},
                           {"https://service.example:444/", "forbidden: "},
                           {"https://service.example.evil/", "forbidden: "},
                           {"https://evil.example/?https://service.example", "forbidden: "},
                           {"https://service.example@evil.example/", "invalid: "},
                           {"/path", "invalid: "},
                           {"file:///etc/passwd", "invalid: "}}) {
        CAPTURE(url);
        HookBench bench(fmt::format("return ctx.http:get('{}')", url),
                        {{"hosts", json::array{"api.other.example"}}});
        CHECK(bench.tell().starts_with(outcome));
        CHECK(bench.transport.requests.size() == (outcome == "ok" ? 1 : 0));
    }
}

TEST_CASE("hooks: one request is one attempt of ten seconds, unless the script says otherwise") {
    HookBench bench(R"(
        local answer = ctx.http:post(config.url, { json = { a = 1 } })
        if answer.status ~= 503 then error("status") end
        ctx.http:delete(config.url, { timeout = 2.5, headers = { ["X-A"] = "b" } })
        ctx.http:request({ method = "PUT", url = config.url, body = "raw" }))");
    bench.transport.answers = {net::ClientResponse{503, {}, ""}};
    CHECK(bench.tell() == "ok");
    const auto& requests = bench.transport.requests;
    REQUIRE(requests.size() == 3);
    CHECK(requests[0].method == "POST");
    CHECK(requests[0].body == R"({"a":1})");
    CHECK(requests[0].timeout == std::chrono::seconds{10});
    CHECK(requests[0].headers.get("Authorization").empty());
    CHECK(requests[1].timeout == milliseconds{2500});
    CHECK(requests[1].headers.get("X-A") == "b");
    CHECK(requests[2].body == "raw");
}

TEST_CASE("hooks: the store keeps values between calls, and forgets them when their time is over") {
    HookBench bench(R"(
        local seen = ctx.store:get("seen")
        if not seen then
          ctx.store:put("seen", { count = 1, list = { "a" } })
          ctx.store:put("short", true, { ttl = 60 })
          return
        end
        local after = ctx.store:update("seen", function(value) value.count = value.count + 1 return value end)
        ctx.store:update("seen", function() end)
        local count = ctx.store:get("seen").count
        if count == 3 then ctx.store:delete("seen") end
        return nil, { code = "invalid", message = count .. " " .. after.count .. " " .. seen.list[1] .. " " ..
          table.concat(ctx.store:list(""), ",") .. " " .. #ctx.store:list("sh") }
    )");
    CHECK(bench.tell() == "ok");
    CHECK(bench.tell() == "invalid: 2 2 a seen,short 1");
    bench.time.advance(std::chrono::minutes{2});
    CHECK(bench.tell() == "invalid: 3 3 a  0");
    CHECK(bench.tell() == "ok");
}

TEST_CASE("hooks: one plugin's keys are not another's") {
    PluginBench bench;
    for (const std::string name : {"a", "b"})
        bench.add(name,
                  "M.hooks = { ['sync.failed'] = function(ctx)\n"
                  "if ctx.store:get('k') then error('found') end\n"
                  "ctx.store:put('k', M.id) end }");
    REQUIRE(bench.load() == "ok");
    for (const auto& job : bench.plugins->hook_jobs("sync.failed", "s", "u", {}))
        CHECK(outcome_of(bench.time.wait(bench.plugins->run_hook(job))) == "ok");
}

TEST_CASE("hooks: log fields are flat, in order, and name the plugin") {
    HookBench bench(
        R"(ctx.log:warning("look", { b = 2, a = "x\ny", details = { status = 500, ok = true } }))");
    CHECK(bench.tell() == "ok");
    CHECK(bench.log_text.contains(
        R"(look plugin="x" a="x\ny" b=2 details.ok=true details.status=500)"));
}

TEST_CASE("hooks: a secret signs, and the script never sees it") {
    HookBench bench(R"(
        if config.secret or ctx.config.secret then error("seen") end
        return nil, { code = "invalid", message = tostring(ctx.secrets:has("secret")) .. " " ..
          tostring(ctx.secrets:has("url")) .. " " .. ctx.secrets:hmac_sha256("secret", "what do ya want for nothing?") })",
                    {{"secret", "Jefe"}});
    // RFC 4231 section 4.3
    CHECK(bench.tell() ==
          "invalid: true false 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("hooks: what was not granted is not there") {
    constexpr std::string_view kBody = R"(
        local there = {}
        for _, name in ipairs({ "tokens", "users", "connections" }) do
          if ctx[name] then there[#there + 1] = name end
        end
        return nil, { code = "invalid", message = table.concat(there, " ") })";
    CHECK(HookBench(kBody).tell() == "invalid: ");
    CHECK(HookBench(kBody, {{"grant", json::array{"tokens"}}}, "M.needs = { 'tokens' }").tell() ==
          "invalid: tokens");
    CHECK(HookBench(kBody, {{"grant", json::array{"users", "connections"}}},
                    "M.needs = { 'users', 'connections' }")
              .tell() == "invalid: users connections");
}

TEST_CASE("hooks: with the grant a script gets tokens, people and connections") {
    HookBench bench(R"(
        local tokens = ctx.tokens:of("c1")
        local none, err = ctx.tokens:of("c2")
        return nil, { code = "invalid", message = table.concat({ tokens.access_token, tokens.refresh_token,
          tokens.expires_at, tokens.scope, tostring(none), err.code, ctx.users:get("u1").id,
          tostring(ctx.users:get("u2")), ctx.users:find_by_email("ann@example.org").id,
          ctx.connections:get("c1").id, #ctx.connections:list("u1"), #ctx.connections:list("u2") }, " ") })",
                    {{"grant", json::array{"tokens", "users", "connections"}}},
                    "M.needs = { 'tokens', 'users', 'connections' }");
    CHECK(bench.tell() ==
          "invalid: s3cret-access s3cret-refresh 1970-01-01T00:00:00Z a b nil not_found u1 nil u1 "
          "c1 1 0");
    CHECK(bench.powers.asked == 2);
}

TEST_CASE("hooks: the audit log gets the plugin's own words") {
    HookBench bench("return ctx.audit:write('sent', { user_id = 'u1', subject = 'c1' })");
    CHECK(bench.tell() == "ok");
    const auto entries = must(storage::list_audit(bench.store.database().reader(), {}, 10));
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].action == "x.sent");
    CHECK(entries[0].actor == "host");
    CHECK(entries[0].user_id == "u1");
    CHECK(entries[0].subject == "c1");
    CHECK(entries[0].at == bench.time.now());
}

}  // namespace
