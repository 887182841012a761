// Plugins: found, held against their schema and the author API, rendering, told of what happened.
#include "plugin/plugins.h"

#include <fmt/format.h>

#include <map>

#include "base/log.h"
#include "plugin/plugin_bench.h"

using namespace calhost;
using namespace calhost::test;

namespace {

constexpr std::string_view kSchema = R"(return { fields = {
  { name = "url", type = "url" },
  { name = "token", type = "string", secret = true },
  { name = "people", type = "map", values = { type = "string" } },
  { name = "places", type = "map", values = { type = "map", fields = {
      { name = "at", type = "url" } } } },
} })";

std::string rendered(const Result<std::optional<json::object>>& result) {
    if (!result) return outcome_of(result);
    if (!*result) return "nothing";
    // A script's table has no order.
    std::map<std::string, json::value> sorted;
    for (const auto& member : **result) sorted[member.key()] = member.value();
    std::string text;
    for (const auto& [name, value] : sorted)
        text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", name, json::serialize(value));
    return "{" + text + "}";
}

TEST_CASE("plugins: active is what the YAML names, and only that") {
    PluginBench bench;
    bench.add("one", "function M.hooks() end");  // would not load
    bench.settings.plugins.clear();
    CHECK(bench.load() == "ok");
    CHECK(bench.plugins->find("one") == nullptr);
    bench.add("two", "");
    CHECK(bench.load() == "ok");
    CHECK(bench.plugins->find("two") != nullptr);
}

TEST_CASE("plugins: what the operator's folders lack is the host's, and his own wins") {
    PluginBench bench;
    const TempFolder shipped;
    bench.settings.paths.shipped = shipped.path();
    const auto write = [&](const std::string& file, std::string_view text) {
        std::filesystem::create_directories((shipped.path() / file).parent_path());
        std::ofstream(shipped.path() / file) << text;
    };
    for (const std::string name : {"mine", "theirs"}) {
        write("plugins/" + name + "/plugin.lua",
              fmt::format("return {{ id = '{}', title = 'Shipped', api = 1 }}", name));
        write("plugins/" + name + "/schema.lua", "return { fields = {} }");
    }
    write("scripts/a.lua", "-- shipped");
    write("scripts/b.lua", "-- shipped");
    write("providers/acme/provider.lua", "-- shipped");
    write("providers/acme/schema.lua", "return { fields = {} }");
    const TempFolder own;
    std::ofstream(own.path() / "a.lua") << "-- own";
    bench.settings.paths.scripts = own.path();
    bench.settings.rules = {"a.lua", "b.lua"};
    bench.add("mine", "");
    bench.name_section("theirs", {});

    const auto installed = plugin::discover(bench.settings, bench.time);
    CHECK(installed.complaints.empty());
    REQUIRE(installed.plugins.size() == 2);
    CHECK(installed.plugins[0].source.code.contains("title = \"Test\""));
    CHECK(installed.plugins[1].source.code.contains("Shipped"));
    REQUIRE(installed.rules.size() == 2);
    CHECK(installed.rules[0].code == "-- own");
    CHECK(installed.rules[1].code == "-- shipped");
    REQUIRE(installed.providers.size() == 1);
    CHECK(installed.providers[0].source.name == "acme");
}

TEST_CASE("plugins: each complaint about the YAML names file, line and key") {
    struct Case {
        json::object values;
        std::string_view body, complaint;
    };
    const std::map<std::string, int> lines{{"url", 41},         {"grant", 42},
                                           {"grant[0]", 43},    {"hosts[0]", 44},
                                           {"places.a.at", 45}, {"schedules.tidy", 46}};
    for (const auto& [values, body, complaint] : std::vector<Case>{
             {{}, "", ""},
             {{{"url", "nowhere"}}, "", "calhost.yaml:41: plugins.x.url: must be a url\n"},
             {{{"surprise", 1}},
              "",
              "calhost.yaml:40: plugins.x.surprise: is not a key of this section; see its "
              "schema.lua\n"},
             {{{"people", json::object{{"a", 7}}}},
              "",
              "calhost.yaml:40: plugins.x.people.a: must be a string\n"},
             {{{"places", json::object{{"a", json::object{{"at", "here"}}}}}},
              "",
              "calhost.yaml:45: plugins.x.places.a.at: must be a url\n"},
             {{{"grant", "tokens"}},
              "",
              "calhost.yaml:42: plugins.x.grant: must be a list, such as [a, b]\n"},
             {{{"grant", json::array{"token"}}},
              "",
              "calhost.yaml:43: plugins.x.grant[0]: is nothing that can be granted; did you mean "
              "tokens?\n"},
             {{{"grant", json::array{"tokens"}}},
              "",
              "calhost.yaml:42: plugins.x.grant: the plugin needs no tokens; take it out\n"},
             {{},
              "M.needs = { 'tokens' }",
              "calhost.yaml:42: plugins.x.grant: the plugin needs tokens; write tokens here if you "
              "let it\n"},
             {{{"grant", json::array{"tokens"}}}, "M.needs = { 'tokens' }", ""},
             {{{"grant", json::array{"mail"}}},
              "M.needs = { 'mail' }",
              "calhost.yaml:40: plugins.x: sends mail, and there is no mail server; set mail.url "
              "and mail.from\n"},
             {{{"schedules", json::object{{"tidy", "soon"}}}},
              "M.schedules = { tidy = { every = '15m', run = function() end } }",
              "calhost.yaml:46: plugins.x.schedules.tidy: must be a number with a unit, such as "
              "90s, 15m, 2h or 1d, or off\n"},
             {{{"schedules", json::object{{"tidi", "1h"}}}},
              "M.schedules = { tidy = { every = '15m', run = function() end } }",
              "calhost.yaml:40: plugins.x.schedules.tidi: there is no such one; did you mean "
              "tidy?\n"},
             {{{"schedules", json::object{{"tidy", "1h"}}}},
              "",
              "calhost.yaml:46: plugins.x.schedules.tidy: the plugin has no schedules\n"},
             {{{"schedules", json::array{"tidy"}}},
              "",
              "calhost.yaml:40: plugins.x.schedules: must be a map, such as {digest: 1h}\n"},
             {{{"hosts", json::array{"api.example/x"}}},
              "",
              "calhost.yaml:44: plugins.x.hosts[0]: must be the name of a host, such as "
              "api.example.com\n"}}) {
        CAPTURE(complaint);
        PluginBench bench;
        bench.add("x", body, {.values = values, .lines = lines}, kSchema);
        CHECK(bench.complaints() == complaint);
    }
    PluginBench bench;
    bench.name_section("gone", {});
    CHECK(bench.complaints().starts_with(
        "calhost.yaml:40: plugins.gone: there is no plugin 'gone' in "));
}

TEST_CASE("plugins: each mistake in a script is told with its line, and keeps it from loading") {
    struct Case {
        std::string_view body, complaint;
    };
    for (const auto& [body, complaint] : std::vector<Case>{
             {"M.hooks = {\n  ['connection.create'] = function() end }",
              "plugins/x/plugin.lua:5: hooks.connection.create: there is no such one; did you mean "
              "connection.created?"},
             {"M.hooks = { ['sync.failed'] = 7 }",
              "plugins/x/plugin.lua:4: hooks.sync.failed: must be a function"},
             {"M.hooks = 'x'", "plugins/x/plugin.lua:4: hooks: must be a table of functions"},
             {"M.templates = { letter = function() end }",
              "plugins/x/plugin.lua:4: templates.letter: there is no such one; known are booking"},
             {"M.schedules = {\n  tidy = { every = '5s', run = function() end } }",
              "plugins/x/plugin.lua:5: schedules.tidy: every must lie between 1m and 30d"},
             {"M.schedules = { tidy = { every = '1h' } }",
              "plugins/x/plugin.lua:4: schedules.tidy: needs a function `run`"},
             {"M.schedules = { tidy = { evry = '1h', run = function() end } }",
              "plugins/x/plugin.lua:4: schedules.tidy: has the unknown member evry; did you mean "
              "every?"},
             {"M.schedules = { tidy = function() end }",
              "plugins/x/plugin.lua:4: schedules.tidy: must be { every"},
             {"M.schedules = { ['tidy up'] = { every = '1h', run = function() end } }",
              "plugins/x/plugin.lua:4: schedules.tidy up: must be named with letters"},
             {"M.needs = { 'everything' }",
              "plugins/x/plugin.lua:4: needs: 'everything' is nothing that can be granted"},
             {"M.hook = {}",
              "plugins/x/plugin.lua:4: hook: is not known here; did you mean hooks?"},
             {"M.id = 'y'", "plugins/x/plugin.lua:2: id: must be \"x\", as the folder is named"},
             {"M.title = nil", "plugins/x/plugin.lua:2: title: is missing"},
             {"M.api = 2", "plugins/x/plugin.lua:3: api: must be 1"},
             {"local x = ", "plugins/x/plugin.lua:5: "}}) {
        CAPTURE(body);
        PluginBench bench;
        bench.add("x", body);
        CHECK(bench.complaints().starts_with(complaint));
        CHECK(bench.load().contains("plugins/x/plugin.lua"));
    }
}

TEST_CASE("plugins: the script sees its section without what is secret") {
    PluginBench bench;
    bench.add("x",
              "M.templates = { booking = function() return { title = tostring(config.people.a), "
              "location = tostring(config.token) } end }",
              {.values = {{"token", "s3cret"}, {"people", json::object{{"a", "Ann"}}}}}, kSchema);
    REQUIRE(bench.load() == "ok");
    CHECK(rendered(bench.plugins->render("booking", {})) == R"({"location":"nil","title":"Ann"})");
}

TEST_CASE("plugins: the first answer of a template wins, by the plugins' names") {
    PluginBench bench;
    bench.add(
        "a",
        "M.templates = { booking = function(b) if b.own then return { title = 'a' } end end }");
    bench.add("b", "M.templates = { booking = function(b, p) return { title = p.name } end }");
    REQUIRE(bench.load() == "ok");
    CHECK(rendered(bench.plugins->render("booking",
                                         {json::object(), {{"name", "Bo"}}, json::object()})) ==
          R"({"title":"Bo"})");
    CHECK(rendered(bench.plugins->render(
              "booking", {{{"own", true}}, json::object(), json::object()})) == R"({"title":"a"})");
    CHECK(rendered(bench.plugins->render("letter", {})) == "nothing");
}

TEST_CASE("plugins: a template that fails is an error with its line, logged") {
    struct Case {
        std::string_view body, complaint;
    };
    for (const auto& [body, complaint] : std::vector<Case>{
             {"local x = b.missing.name", "plugins/x/plugin.lua:4: attempt to index a nil value"},
             {"while true do end", "plugins/x/plugin.lua:4: it "},
             {"return 'title'", "a template must return a table"},
             {"return { title = 7 }", "title must be a text"}}) {
        CAPTURE(body);
        PluginBench bench;
        bench.add("x", fmt::format("M.templates = {{ booking = function(b) {} end }}", body));
        REQUIRE(bench.load() == "ok");
        const auto result = bench.plugins->render("booking", std::vector<json::object>(3));
        CHECK(outcome_of(result).starts_with(fmt::format("invalid_response: {}", complaint)));
        CHECK(bench.log_text.contains("plugin failed"));
    }
}

TEST_CASE("plugins: a template that overruns three times rests, and says so") {
    PluginBench bench;
    bench.add("x", "M.templates = { booking = function() while true do end end }");
    REQUIRE(bench.load() == "ok");
    for (int i = 0; i < 3; ++i) CHECK_FALSE(bench.plugins->render("booking", {}).has_value());
    CHECK(outcome_of(bench.plugins->render("booking", {})).starts_with("unavailable: "));
}

TEST_CASE("plugins: a hook becomes one job for each plugin that has it") {
    PluginBench bench;
    bench.add("a",
              "M.hooks = { ['connection.created'] = function() end,\n"
              "  ['connection.deleted'] = function() end }");
    bench.add("b", "M.hooks = { ['sync.failed'] = function() end }");
    REQUIRE(bench.load() == "ok");
    const auto jobs =
        bench.plugins->hook_jobs("connection.created", "u1/google/primary", "u1", {{"n", 1}});
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].kind == "hook");
    CHECK(jobs[0].target == "a/connection/u1/google/primary");
    CHECK(jobs[0].user_id.empty());  // else it would go with the user
    CHECK(jobs[0].lane == "plugins/a");
    CHECK(jobs[0].run_at == bench.time.now());
    const auto payload = must(json::parse(jobs[0].payload));
    CHECK(payload.at("event").at("hook") == "connection.created");
    CHECK(payload.at("event").at("user_id") == "u1");
    CHECK(payload.at("event").at("n") == 1);
    const auto gone = bench.plugins->hook_jobs("connection.deleted", "u1/google/primary", "u1", {});
    CHECK(gone.at(0).target == jobs[0].target);  // so that the newest waits
}

TEST_CASE("plugins: requests may go where the section's addresses and its hosts lead") {
    PluginBench bench;
    bench.add(
        "x", "",
        {.values = {{"url", "http://localhost:4000/base"},
                    {"places", json::object{{"a", json::object{{"at", "https://a.example/x"}}}}},
                    {"hosts", json::array{"b.example", "http://c.example:81"}}}},
        kSchema);
    const auto installed = plugin::discover(bench.settings, bench.time);
    CHECK(installed.plugins.at(0).origins ==
          std::set<std::string>{"http://localhost:4000", "https://a.example:443",
                                "https://b.example:443", "http://c.example:81"});
}

}  // namespace
