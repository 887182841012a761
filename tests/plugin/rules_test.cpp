// The operator's rules: pure, short, and never in the way.
#include "plugin/rules.h"

#include "base/log.h"
#include "plugin/bench.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct House {
    explicit House(std::vector<plugin::RuleSource> sources) {
        log::set_sink([this](std::string_view line) { log_text += line; });
        auto loaded = plugin::Rules::load(sources, time);
        if (loaded)
            rules = std::move(*loaded);
        else
            complaint = loaded.error().message;
    }
    ~House() { log::set_sink({}); }
    std::string redirect(const std::string& role = "mentor") {
        REQUIRE_MESSAGE(rules != nullptr, complaint);
        return rules->connection_redirect({{"role", role}}, {{"provider", "google"}}, {})
            .value_or("none");
    }
    boost::asio::io_context context;
    VirtualTime time{context};
    std::unique_ptr<plugin::Rules> rules;
    std::string complaint, log_text;
};

plugin::RuleSource rule(const std::string& body, const std::string& name = "r.lua") {
    return {name,
            "rule:on('connection.redirect', function(user, connection, flow) " + body + " end)"};
}

TEST_CASE("rules: the first answer wins, in the order of the list") {
    House house({rule("if user.role == 'admin' then return '/admin' end", "a.lua"),
                 rule("return '/b?p=' .. connection.provider", "b.lua"),
                 rule("return '/c'", "c.lua")});
    CHECK(house.redirect("admin") == "/admin");
    CHECK(house.redirect() == "/b?p=google");
    CHECK(House({}).redirect() == "none");
    CHECK(House({rule("return nil")}).redirect() == "none");
}

TEST_CASE("rules: one that fails is logged and passed over") {
    for (const std::string body :
         {"error('no')", "while true do end", "return 7", "return {}", "return true",
          "return 'https://evil.example'", "return '//evil.example'", "return 'dashboard'",
          "return ''", "return '/\\\\evil.example'", "return ('x'):rep(1e9)",
          "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
          "return user.missing.member", "coroutine.yield('/x')",
          "return (('a'):rep(5000)):find(('a?'):rep(5000) .. 'b')"}) {
        CAPTURE(body);
        House house({rule(body, "bad.lua"), rule("return '/good'", "good.lua")});
        CHECK(house.redirect() == "/good");
        CHECK(house.log_text.contains("bad.lua"));
        CHECK(house.redirect() == "/good");
    }
}

TEST_CASE("rules: a script that does not load, or names a rule that is none, stops the start") {
    for (const std::string code :
         {"rule:on(", "rule:on('connection.redirekt', function() end)",
          "rule:on('connection.redirect')", "error('x')", "while true do end",
          "io.open('/etc/passwd')", "require('os')"}) {
        CAPTURE(code);
        House house({{"x.lua", code}});
        CHECK(house.rules == nullptr);
        CHECK(house.complaint.contains("scripts/x.lua does not load"));
    }
    CHECK(House({{"x.lua", "rule:on('connection.redirekt', function() end)"}})
              .complaint.contains("connection.redirect"));
}

TEST_CASE("rules: one script cannot change another") {
    House house({{"a.lua", R"(
        pcall(function() string.format = nil end)
        pcall(function() x = 1 end)
        rule:on("connection.redirect", function() return nil end))"},
                 rule(R"(
        local is_seen, seen = pcall(function() return x end)
        return string.format("/%s", is_seen and seen and "dirty" or "clean"))")});
    CHECK(house.redirect() == "/clean");
}

}  // namespace
