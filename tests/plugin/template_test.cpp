// host.template: places for values, parts that may be left out, and nothing that runs.
#include "plugin/bench.h"
#include "plugin/modules.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct Press {
    Press() {
        state = std::move(*lua::State::create({.name = "press"}, time));
        plugin::add_modules(*state, time);
        auto loaded = state->load("press.lua", "return require('host.template').render");
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().traceback);
        render = *loaded;
    }
    /// The text, or "code: message".
    std::string operator()(std::string_view text, const boost::json::value& values = kValues) {
        std::string rendered;
        const std::vector<lua::Push> arguments{[&](lua::Writer& writer) { writer.string(text); },
                                               [&](lua::Writer& writer) { writer.json(values); }};
        const auto done = state->call_now(
            render, arguments, {}, [&](std::span<const lua::Reader> results) -> Result<void> {
                rendered = results.front().string();
                return {};
            });
        if (done) return rendered;
        return fmt::format(
            "{}: {}", to_string(done.error().error.code),
            done.error().is_bug ? done.error().traceback : done.error().error.message);
    }
    static const boost::json::value kValues;
    boost::asio::io_context context;
    VirtualTime time{context};
    std::unique_ptr<lua::State> state;
    lua::Ref render;
};

const boost::json::value Press::kValues{{"title", "Algebra"},
                                        {"price", 40},
                                        {"half", 0.5},
                                        {"is_new", true},
                                        {"is_old", false},
                                        {"nothing", nullptr},
                                        {"empty", ""},
                                        {"zero", 0},
                                        {"sly", "{{title}}"},
                                        {"list", {1, 2}},
                                        {"html", "<b>&</b>"},
                                        {"wide", "Zoë – 数"},
                                        {"other", {{"name", "Bo"}, {"place", {{"city", "Oslo"}}}}}};

TEST_CASE("template: values stand where their names are") {
    Press press;
    for (const auto& [text, wanted] : std::vector<std::pair<std::string, std::string>>{
             {"", ""},
             {"plain } text } {", "plain } text } {"},
             {"{{title}} with {{ other.name }}, {{other.place.city}}", "Algebra with Bo, Oslo"},
             {"{{price}} {{half}} {{zero}} {{is_new}} {{is_old}}", "40 0.5 0 true false"},
             {"[{{missing}}{{nothing}}{{other.missing.deep}}{{title.x}}{{empty}}]", "[]"},
             {"{{sly}} {{html}} {{wide}}", "{{title}} <b>&</b> Zoë – 数"},
         }) {
        CAPTURE(text);
        CHECK(press(text) == wanted);
    }
    CHECK(press("{{x}}", {{"x", 2.0}}) == "2");
    CHECK(press("{{x}}", {{"x", 1e100}}) == "1e+100");
}

TEST_CASE("template: parts are left out where there is no value") {
    Press press;
    for (const auto& [text, wanted] : std::vector<std::pair<std::string, std::string>>{
             {"{{#if price}}costs {{price}}{{/if}}!", "costs 40!"},
             {"{{#if missing}}a{{/if}}{{#if nothing}}b{{/if}}{{#if is_old}}c{{/if}}{{#if empty}}d"
              "{{/if}}",
              ""},
             {"{{#if zero}}a{{/if}}{{#if other}}b{{/if}}{{#if other.name}}c{{/if}}", "abc"},
             {"{{#if price}}1{{#if missing}}2{{#if price}}3{{/if}}4{{/if}}5{{/if}}6", "156"},
             {"{{#if missing}}{{list}}{{/if}}ok", "ok"},
             // A line of its own leaves none.
             {"a\n{{#if price}}\nb\n{{/if}}\nc\n", "a\nb\nc\n"},
             {"a\n  {{#if missing}}  \nb\n\t{{/if}}\nc\n", "a\nc\n"},
             {"a\r\n{{#if price}}\r\nb\r\n{{/if}}\r\nc", "a\r\nb\r\nc"},
             {"{{#if price}}\nb\n{{/if}}", "b\n"},
             {"  {{#if price}}\n  b\n  {{/if}}  ", "  b\n"},
             {"a {{#if price}}\nb{{/if}}\nc", "a \nb\nc"},
             {"{{#if price}}{{#if price}}\nb{{/if}}{{/if}}", "\nb"},
             {"{{title}} {{#if price}}\n{{/if}}", "Algebra \n"},
         }) {
        CAPTURE(text);
        CHECK(press(text) == wanted);
    }
}

TEST_CASE("template: a mistake is told with its line, also where nothing is shown") {
    Press press;
    const std::string deep = [] {
        std::string text;
        for (int i = 0; i < 17; ++i) text += "{{#if price}}";
        return text;
    }();
    for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
             {"a\n{{title", "line 2: {{ has no }} on its line"},
             {"a\n{{title\n}}", "line 2: {{ has no }} on its line"},
             {"{{}}", "line 1: {{}} is not the name of a value"},
             {"\n\n{{title or 1}}", "line 3: {{title or 1}} is not the name of a value"},
             {"{{other..name}}", "line 1: {{other..name}} is not the name"},
             {"{{.a}}{{a.}}", "line 1: {{.a}} is not the name"},
             {"{{#if missing}}\n{{os.exit()}}{{/if}}", "line 2: {{os.exit()}} is not the name"},
             {"{{#if price}}a{{else}}b{{/if}}", "line 1: {{else}} is not the name"},
             {"{{#each list}}{{/each}}", "line 1: {{#each list}} is neither {{#if name}} nor"},
             {"{{#if}}{{/if}}", "line 1: {{#if}} is neither"},
             {"{{#if price}}\n{{#if price}}\n{{/if}}\nx", "line 1: {{#if}} has no {{/if}}"},
             {"{{#if price}}\nx\n{{/if}}\n{{/if}}", "line 4: {{/if}} has no {{#if}}"},
             {"\n{{other}}", "line 2: {{other}} is neither a text nor a number"},
             {"{{list}}", "line 1: {{list}} is neither a text nor a number"},
             {deep, "line 1: {{#if}} is nested too deeply"},
             {"{{a.b.c.d.e.f.g.h.i.j}}", "is not the name of a value"},
         }) {
        CAPTURE(text);
        const auto said = press(text);
        CHECK_MESSAGE(said.starts_with("invalid: "), said);
        CHECK_MESSAGE(said.contains(reason), said);
    }
}

TEST_CASE("template: what it takes and makes is bounded") {
    Press press;
    std::string many(60000, 'x');
    for (int i = 0; i < 10; ++i) many += "{{long}}";
    const boost::json::value values{{"long", std::string(50000, 'y')}};
    CHECK(press(many, values) == "invalid: line 1: the text is over 262144 bytes");
    CHECK(press("{{#if long}}" + std::string(60000, '{') + "}}", values).starts_with("invalid: "));
    CHECK(press(std::string(65537, 'x')).contains("a template has 64 KiB at most"));
    CHECK(press("x", "values").contains("a table of values is expected"));
    CHECK(press(std::string(65536, 'x')).size() == 65536);
}

}  // namespace
