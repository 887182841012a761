#include "lua/patterns.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <lua.hpp>
#include <random>
#include <string>

#include "lua/fixture.h"

using namespace calhost;
using lua::patterns::Matcher;

namespace {

/// Stock Lua's own answer: [begin, end) and captures as text, "no match" or "error".
class Stock {
  public:
    Stock() : state_(luaL_newstate()) { luaL_openlibs(state_); }
    ~Stock() { lua_close(state_); }
    Stock(const Stock&) = delete;
    Stock& operator=(const Stock&) = delete;

    std::string find(std::string_view subject, std::string_view pattern) {
        lua_settop(state_, 0);
        lua_getglobal(state_, "string");
        lua_getfield(state_, -1, "find");
        lua_pushlstring(state_, subject.data(), subject.size());
        lua_pushlstring(state_, pattern.data(), pattern.size());
        if (lua_pcall(state_, 2, LUA_MULTRET, 0) != LUA_OK) return "error";
        if (lua_isnil(state_, 2)) return "no match";
        std::string answer;
        for (int i = 2; i <= lua_gettop(state_); ++i) {
            std::size_t size = 0;
            const bool is_number = lua_type(state_, i) == LUA_TNUMBER;
            const char* text = lua_tolstring(state_, i, &size);
            answer += (is_number ? "#" : "=") + std::string(text, size) + ";";
        }
        return answer;
    }

  private:
    lua_State* state_;
};

std::string own_find(std::string_view subject, std::string_view pattern, std::uint64_t steps) {
    if (lua::patterns::is_plain(pattern)) {
        const auto at = subject.find(pattern);
        if (at == std::string_view::npos) return "no match";
        return fmt::format("#{};#{};", at + 1, at + pattern.size());
    }
    const bool is_anchored = pattern.starts_with('^');
    if (is_anchored) pattern.remove_prefix(1);
    Matcher matcher(subject, pattern, steps);
    for (std::size_t begin = 0; begin <= subject.size(); ++begin) {
        const auto end = matcher.match(begin);
        if (!end) return end.error().is_out_of_steps ? "steps" : "error";
        if (*end) {
            std::string answer =
                "#" + std::to_string(begin + 1) + ";#" + std::to_string(**end) + ";";
            for (int i = 0; i < matcher.capture_count(); ++i) {
                const auto capture = matcher.capture(i, begin, **end);
                if (!capture) return "error";
                answer += capture->is_position ? "#" + std::to_string(capture->begin + 1)
                                               : "=" + std::string(capture->text);
                answer += ";";
            }
            return answer;
        }
        if (is_anchored) break;
    }
    return "no match";
}

std::string pick(std::mt19937& random, const std::vector<std::string_view>& parts, int most) {
    std::string text;
    for (int n = static_cast<int>(random() % static_cast<unsigned>(most)); n > 0; --n)
        text += parts[random() % parts.size()];
    return text;
}

}  // namespace

TEST_CASE("patterns: the same answers as stock Lua, on random subjects and patterns") {
    using namespace std::string_view_literals;
    const std::vector<std::string_view> letters = {"a", "b", "c", "A",    "1",  " ",    "(",  ")",
                                                   "]", "-", "%", "\0"sv, "\n", "\xe9", "aa", "_"};
    const std::vector<std::string_view> items = {
        "a",    "b",     "c",    "1",    ".",     "%a",     "%D",      "%s", "%w",  "%p",
        "%x",   "%c",    "%g",   "%l",   "%U",    "%z",     "%%",      "%]", "%-",  "[ab]",
        "[^a]", "[a-c]", "[]]",  "[^]]", "[%a_]", "[a-]",   "[%d-%x]", "[",  "]",   "(",
        ")",    "()",    "(a*)", "(.)",  "(.-)",  "*",      "+",       "-",  "?",   "?",
        "^",    "$",     "%b()", "%bab", "%b",    "%f[%a]", "%f[^%w]", "%f", "%1",  "%2",
        "%0",   "%",     "\0"sv, "\xe9", "a*",    "b-",     ".*",      ".-", "%a+", "(%w+)"};
    std::mt19937 random(20261120);
    Stock stock;
    int matched = 0;
    int errors = 0;
    int differences = 0;
    for (int i = 0; i < 250'000 && differences < 5; ++i) {
        const std::string subject = pick(random, letters, 12);
        const std::string pattern = pick(random, items, 7);
        const std::string expected = stock.find(subject, pattern);
        const std::string own = own_find(subject, pattern, 1'000'000);
        matched += expected.starts_with('#') ? 1 : 0;
        errors += expected == "error" ? 1 : 0;
        if (own == expected) continue;
        ++differences;
        FAIL_CHECK("'", subject, "' with '", pattern, "': stock ", expected, ", own ", own);
    }
    CHECK(matched > 50'000);
    CHECK(errors > 10'000);
}

TEST_CASE("patterns: nesting ends at the same depth as stock Lua") {
    Stock stock;
    for (const int depth : {150, 195, 196, 197, 198, 199, 200, 201, 202, 250}) {
        std::string optional;
        std::string stars;
        for (int i = 0; i < depth; ++i) optional += "a?";
        for (int i = 0; i < depth; ++i) stars += "b*";
        const std::string subject(static_cast<std::size_t>(depth), 'a');
        CHECK(own_find(subject, optional, 1'000'000) == stock.find(subject, optional));
        CHECK(own_find(subject, stars, 1'000'000) == stock.find(subject, stars));
    }
}

TEST_CASE("patterns: the library functions answer as stock Lua's") {
    test::LuaFixture lua;
    lua_State* stock = luaL_newstate();
    luaL_openlibs(stock);
    const std::string_view bodies[] = {
        "return ('hello world'):gsub('o', '0', 1)",
        "return ('hello world'):gsub('(%w+)', '<%1>')",
        "return ('hello'):gsub('', '-')",
        "return ('abc'):gsub('%w', '%0%0')",
        "return ('abc'):gsub('()', '%1')",
        "return ('abc'):gsub('b', '%%')",
        "return ('$name is $x'):gsub('%$(%w+)', {name = 'Bo'})",
        "return ('a b c'):gsub('%a', function(c) if c == 'b' then return 'B' end end)",
        "return ('abc'):gsub('^a', 'x')",
        "return ('abc abc'):gsub('^abc', 'x')",
        "local s = '' for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do s = s .. k .. v end return "
        "s",
        "local s = '' for p in ('aaa'):gmatch('()') do s = s .. p end return s",
        "local s = '' for w in ('one two'):gmatch('%a*') do s = s .. '[' .. w .. ']' end return s",
        "local s = '' for w in ('one two three'):gmatch('%a+', 4) do s = s .. w end return s",
        "local s = '' for w in ('^a^a'):gmatch('^a') do s = s .. w end return s",
        "return ('abc'):find('b', -1)",
        "return ('abc'):find('', 10)",
        "return ('abc'):find('', 4)",
        "return ('a.b'):find('.', 2, true)",
        "return ('a+b'):find('+', 1, true)",
        "return ('abc'):match('.', -2)",
        "return ('abc'):match('^(b)', 2)",
        "return ('  trim  '):match('^%s*(.-)%s*$')",
        "return ('THE (quick) fox'):find('%((%a+)%)')",
        "return ('x'):rep(3, ',')",
        "return ('%5.2f|%-5s|%q|%x|%i'):format(3.14159, 'ab', 'a\\nb', 255, 3)",
        "return table.concat({1, 2, 'x'}, ', ', 2)",
        "local t = {5, 2, 8, 1} table.sort(t) return table.concat(t, ' ')",
        "local t = {5, 2, 8, 1} table.sort(t, function(a, b) return a > b end) return "
        "table.concat(t, ' ')",
        "local t = {1, 2, 3} table.insert(t, 2, 9) return table.concat(t, ' ') .. table.remove(t, "
        "1) .. table.remove(t)",
        "return table.concat(table.move({1, 2, 3}, 1, 3, 2), ' ')",
        "return table.concat(table.move({1, 2, 3}, 2, 3, 1), ' ')",
        "return select('#', table.unpack({1, nil, 3}, 1, 3)) .. table.pack(1, nil).n",
        "return tostring(nil) .. tostring(1.5) .. tostring(10 // 1) .. tostring(true)",
        "return ('aBc'):upper() .. ('aBc'):lower() .. ('abc'):reverse() .. ('abc'):sub(-2) .. "
        "#('abc')",
        "return ('abc'):byte(2) .. string.char(104, 105)",
        "return utf8.len('h\\u{e9}') .. utf8.char(233) .. utf8.codepoint('\\u{e9}') .. "
        "utf8.offset('\\u{e9}x', 2)",
        "return tostring(tonumber('0x10')) .. tostring(tonumber('z', 36)) .. "
        "tostring(tonumber('x'))",
    };
    for (const auto body : bodies) {
        const std::string source = "return (function() " + std::string(body) + " end)()";
        REQUIRE(luaL_dostring(stock, source.c_str()) == LUA_OK);
        const auto expected = lua::json_text(lua::Reader(stock, 1));
        lua_settop(stock, 0);
        CHECK_MESSAGE(lua.run(body) == expected.value(), body);
    }
    lua_close(stock);
}

TEST_CASE("patterns: steps are counted over all attempts") {
    const std::string subject(10'000, 'a');
    CHECK(own_find(subject, ".-b", 10'000) == "steps");
    CHECK(own_find(subject, "b", 100'000) == "no match");
}
