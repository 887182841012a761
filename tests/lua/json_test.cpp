#include "lua/json.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "lua/fixture.h"

using namespace calhost;
using test::LuaFixture;

namespace {

std::string decode(LuaFixture& lua, std::string_view text) {
    const auto again =
        lua.call(lua.function("local json = require('host.json') local v, e = json.decode(...) "
                              "if e then return 'refused: ' .. e.code end return v"),
                 {}, {[text](lua::Writer& w) { w.string(text); }});
    REQUIRE_MESSAGE(again.has_value(), again.error().traceback);
    return *again;
}

}  // namespace

TEST_CASE("json: what is decoded encodes to the same text") {
    LuaFixture lua;
    for (const std::string_view text :
         {R"({})", R"([])", R"([[],{}])", R"([1,-2,9223372036854775807])", R"(1.5)", R"("")",
          R"("a\"b\\c\n\u0001é")", R"([null,true,false])", R"({"a":{"b":[{"c":null}]}})",
          R"([1,null,3])"})
        CHECK(decode(lua, text) == text);
    CHECK(decode(lua, R"("\u00e9\ud83d\ude00")") == "\"\xc3\xa9\xf0\x9f\x98\x80\"");
    CHECK(decode(lua, R"({"a":1,"b":2,"a":3})").find(R"("a":3)") != std::string::npos);
}

TEST_CASE("json: what is not JSON is an error and no value") {
    LuaFixture lua;
    const std::string deep = std::string(33, '[') + std::string(33, ']');
    for (const char* text : {"", "{", "[1,]", "{'a':1}", "nul", "1e400", "[1] x", "\"\xff\"",
                             "\"\\ud800\"", "NaN", deep.c_str()})
        CHECK_MESSAGE(decode(lua, text) == R"("refused: invalid")", text);
    CHECK(decode(lua, std::string(32, '[') + std::string(32, ']')).size() == 64);
}

TEST_CASE("json: what JSON cannot say is an error") {
    LuaFixture lua;
    for (const std::string_view value :
         {"print", "{1, x = 2}", "{[1.5] = 1}", "{[true] = 1}", "1 / 0", "0 / 0", "'\\xff'",
          "{['\\xff'] = 1}", "require('host.json')"}) {
        const std::string body =
            "local v, e = require('host.json').encode(" + std::string(value) + ") return e.code";
        CHECK_MESSAGE(lua.run(body) == R"("invalid")", value);
    }
}

TEST_CASE("json: an empty table is an object unless it is marked") {
    LuaFixture lua;
    CHECK(lua.run("return {}") == "{}");
    CHECK(lua.run("return require('host.json').array{}") == "[]");
    CHECK(lua.run("return {a = require('host.json').null}") == R"({"a":null})");
}

TEST_CASE("json: readers give boost values and writers take them") {
    LuaFixture lua;
    const auto value = json::parse(R"({"a":[1,2.5,"x",null,true,{}],"b":[]})").value();
    boost::json::value again;
    const auto done =
        lua.state->call_now(lua.function("return ..."), {[&](lua::Writer& w) { w.json(value); }},
                            {}, [&](std::span<const lua::Reader> results) -> Result<void> {
                                auto read = results[0].json();
                                if (!read) return fail(read.error());
                                again = std::move(*read);
                                return {};
                            });
    REQUIRE(done.has_value());
    CHECK(again == value);
}

TEST_CASE("value: readers use raw access and see null as nil") {
    LuaFixture lua;
    const auto table = lua.state->load(
        "t.lua",
        "local null = require('host.json').null "
        "return setmetatable({id = 'x', n = 3.0, f = 1.5, yes = true, gone = null, 10, 20}, "
        "{__index = function() error('never') end})");
    REQUIRE(table.has_value());
    lua.state->look(*table, [](const lua::Reader& reader) {
        CHECK(reader.string_field("id") == "x");
        CHECK(reader.string_field("absent") == "");
        CHECK(reader.string_field("n") == "");
        CHECK(reader.integer_field("n") == 3);
        CHECK(reader.integer_field("f") == std::nullopt);
        CHECK(reader.boolean_field("yes"));
        CHECK(reader.size() == 2);
        reader.with_field("gone", [](const lua::Reader& gone) { CHECK(gone.is_nil()); });
        std::int64_t sum = 0;
        reader.each_item([&](std::int64_t i, const lua::Reader& r) { sum += i * *r.integer(); });
        CHECK(sum == 50);
        int names = 0;
        reader.each_field([&](std::string_view, const lua::Reader&) { ++names; });
        CHECK(names == 5);
    });
}

namespace {

/// What stays of the text without its `items`, then the items.
std::string apart(LuaFixture& lua, std::string_view text) {
    const auto again = lua.call(
        lua.function("local json = require('host.json') local body, items = json.decode(..., "
                     "'items') if body == nil then return 'refused: ' .. items.code end "
                     "local all = { body } for item in items do all[#all + 1] = item end "
                     "return all"),
        {}, {[text](lua::Writer& w) { w.string(text); }});
    return again ? *again : "error";
}

}  // namespace

TEST_CASE("json: the items of a member come one by one") {
    LuaFixture lua;
    const std::pair<std::string_view, std::string_view> cases[] = {
        {R"({"items":[1,{"a":[2]},"x"]})", R"([{"items":[]},1,{"a":[2]},"x"])"},
        {R"( {"items" : [ 1 , null ] } )", R"([{"items":[]},1,null])"},
        {R"({"items":[ ]})", R"([{"items":[]}])"},
        {R"({"items":["]\"\\",["}"]]})", R"([{"items":[]},"]\"\\",["}"]])"},
        // Only the outermost member counts, and only when it is an array.
        {R"({"a":{"items":[1]}})", R"([{"a":{"items":[1]}}])"},
        {R"({"a":"items"})", R"([{"a":"items"}])"},
        {R"({"items":7})", R"([{"items":7}])"},
        {R"({"items":[1]} x)", R"("refused: invalid")"},
        {R"({"items":[1)", R"("refused: invalid")"},
        {"", R"("refused: invalid")"},
        {R"({"items":[1 2]})", "error"},
        {R"({"items":[1,]})", "error"},
        {R"({"items":[,1]})", "error"},
        {R"({"items":[{]}]})", R"("refused: invalid")"},
    };
    for (const auto& [text, wanted] : cases) CHECK_MESSAGE(apart(lua, text) == wanted, text);
    CHECK(apart(lua, R"({"n":1,"items":[3],"m":2})").ends_with(",3]"));
}

TEST_CASE("json: of items only the members that are wanted are made") {
    LuaFixture lua;
    CHECK(lua.run("local json = require('host.json') local _, items = json.decode("
                  "'{\"items\":[{\"no\":{\"a\":[2,{}]},\"b\":{\"no\":3},\"x\":\"y\"},"
                  "{\"x\":null,\"no\":[[]]},[{\"no\":4}],5,{\"a\":\"\\\\n\",\"no\":\"\\\\n\"}]}', "
                  "'items', { 'a', 'b' }) local all = {} "
                  "for item in items do all[#all + 1] = item end return all") ==
          R"([{"b":{"no":3}},{},[{"no":4}],5,{"a":"\n"}])");
}

TEST_CASE("json: items share the names of members, not their values") {
    LuaFixture lua;
    // "aab" and "aba" meet in the place where one is remembered.
    CHECK(lua.run("local json = require('host.json') local _, items = json.decode("
                  "'{\"items\":[{\"aab\":1,\"aba\":2},{\"aba\":4,\"aab\":5,\"\":6},"
                  "{\"aab\":7,\"aab\":8}]}', 'items') local out = {} "
                  "for item in items do out[#out + 1] = (item.aab or '-') .. (item.aba or '-') .. "
                  "(item[''] or '-') end return table.concat(out, ' ')") == R"("12- 546 8--")");
}
