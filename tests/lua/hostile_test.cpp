#include <doctest/doctest.h>

#include <string>

#include "lua/fixture.h"

using namespace calhost;
using namespace std::chrono_literals;
using lua::Overrun;
using test::LuaFixture;

namespace {

enum class End { instructions, memory, deadline, bug, refused, fine };

struct Attack {
    std::string_view name;
    End end;  ///< refused: does not load; fine: returns, with nothing gained
    std::string_view body;
};

End how_it_ended(const lua::Failure& failure) {
    switch (failure.overrun) {
        case Overrun::instructions:
            return End::instructions;
        case Overrun::memory:
            return End::memory;
        case Overrun::deadline:
            return End::deadline;
        case Overrun::none:
            break;
    }
    return End::bug;
}

const Attack kAttacks[] = {
    // Loops that swallow the abort.
    {"a loop", End::instructions, "while true do end"},
    {"goto", End::instructions, "::a:: goto a"},
    {"repeat", End::instructions, "repeat until false"},
    {"pcall swallows", End::instructions,
     "while true do pcall(function() while true do end end) end"},
    {"pcall of pcall", End::instructions,
     "local function f() pcall(f) end while true do pcall(f) end"},
    {"pcall returns the loop", End::instructions,
     "local function f() while true do end end pcall(f) return f()"},
    {"pcall as a chain", End::bug,
     "local function f(n) local ok, e = pcall(f, n + 1) if not ok then error(e, 0) end end f(1)"},
    {"error in error", End::instructions,
     "local t = setmetatable({}, {__tostring = function() error('x') end}) while true do "
     "pcall(error, t) end"},
    {"error object with a hostile __tostring", End::bug,
     "error(setmetatable({}, {__tostring = function() while true do end end}))"},
    {"error object with a hostile __name", End::bug,
     "error(setmetatable({}, {__name = ('x'):rep(1000000)}))"},
    {"error object with __index", End::bug,
     "error(setmetatable({}, {__index = function() while true do end end}))"},
    {"returned error with __index", End::bug,
     "return nil, setmetatable({}, {__index = function() while true do end end})"},
    // Metamethods.
    {"__index loops", End::instructions,
     "return setmetatable({}, {__index = function() while true do end end}).x"},
    {"__index chain", End::bug,
     "local t = {} for i = 1, 3000 do t = setmetatable({}, {__index = t}) end return t.x"},
    {"__newindex loops", End::instructions,
     "setmetatable({}, {__newindex = function() while true do end end}).x = 1"},
    {"__eq loops", End::instructions,
     "local m = {__eq = function() while true do end end} return setmetatable({}, m) == "
     "setmetatable({}, m)"},
    {"__concat recursion", End::bug,
     "local m = {} m.__concat = function(a, b) return a .. b end return setmetatable({}, m) .. "
     "'x'"},
    {"__call recursion", End::bug,
     "local m = {} m.__call = function(self) return (self()) end return setmetatable({}, m)()"},
    {"__pairs loops", End::instructions,
     "for k in pairs(setmetatable({}, {__pairs = function() return function() return 1 end end})) "
     "do end"},
    {"__gc is refused", End::bug, "setmetatable({}, {__gc = function() while true do end end})"},
    {"__close is refused", End::bug,
     "setmetatable({}, {__close = function() while true do end end})"},
    {"__len is refused", End::bug, "setmetatable({}, {__len = function() return 1 << 60 end})"},
    {"__mode is refused", End::bug, "setmetatable({}, {__mode = 'k'})"},
    {"__metatable is refused", End::bug, "setmetatable({}, {__metatable = 'mine'})"},
    {"__close added later", End::instructions,
     "local m = {} local t = setmetatable({}, m) m.__close = function() while true do end end "
     "local x <close> = t while true do end"},
    {"__close that loops on return", End::instructions,
     "local m = {} local t = setmetatable({}, m) m.__close = function() while true do end end "
     "do local x <close> = t end"},
    {"__gc added later never runs", End::fine,
     "local m = {} for i = 1, 100 do setmetatable({}, m) end m.__gc = function() while true do end "
     "end "
     "for i = 1, 20000 do local t = {{}} end"},
    {"a lying __len added later", End::fine,
     "local m = {} local t = setmetatable({1}, m) m.__len = function() return 1 << 60 end "
     "table.insert(t, 2) table.sort(t) return table.concat(t)"},
    // Memory.
    {"doubling a string", End::memory, "local s = 'x' while true do s = s .. s end"},
    {"doubling under pcall", End::memory,
     "local s = 'x' while true do pcall(function() s = s .. s end) end"},
    {"a growing table", End::memory,
     "local t = {} local i = 0 while true do i = i + 1 t[i] = {} end"},
    {"a growing table under pcall", End::memory,
     "local t = {} while true do pcall(function() for i = #t + 1, 1 << 30 do t[i] = {} end end) "
     "end"},
    {"closures", End::memory,
     "local f = function() end while true do local g = f f = function() return g end end"},
    {"many long strings", End::memory,
     "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(1000000) .. i end"},
    {"near the cap", End::memory,
     "local t = {} local i = 1 pcall(function() while true do t[i] = ('x'):rep(1000) .. i i = i + "
     "1 end end) "
     "while true do local s = ('y'):rep(500) .. i i = i + 1 end"},
    {"a string in pieces", End::memory,
     "local t = {} for i = 1, 90000 do t[i] = 'abcdefgh' .. i .. ('x'):rep(4000) end return "
     "table.concat(t)"},
    {"a huge table constructor", End::memory,
     "local t = {} while true do t = {t, t, t, {}, {}, {}, {}, {}} end"},
    {"deep recursion", End::memory, "local function f() return 1 + f() end return f()"},
    {"deep recursion with locals", End::bug,
     "local function f(a) local b, c, d, e = a, a, a, a return (f({b, c, d, e})) end return f(1)"},
    {"recursion by sort", End::bug,
     "local function f() table.sort({1, 2, 3}, function() f() end) end f()"},
    {"recursion by gsub", End::bug, "local function f() return (('x'):gsub('x', f)) end f()"},
    {"tail calls", End::instructions, "local function f() return f() end return f()"},
    // Library functions with huge ranges.
    {"rep of nothing", End::fine, "return (''):rep(1 << 40)"},
    {"rep of nothing, endlessly", End::instructions, "while true do (''):rep(1 << 40) end"},
    {"rep 2^40", End::bug, "return ('x'):rep(1 << 40)"},
    {"rep with separator", End::bug, "return (''):rep(1 << 40, 'x')"},
    {"rep overflows", End::bug, "return ('xx'):rep(math.maxinteger, 'yy')"},
    {"rep in a loop", End::instructions, "while true do local s = ('x'):rep(10000000) end"},
    {"concat huge range", End::bug, "return table.concat({}, 'x', 1, 1 << 40)"},
    {"concat of one long string", End::bug,
     "local s, t = ('x'):rep(1000000), {} for i = 1, 1000 do t[i] = s end return table.concat(t)"},
    {"unpack huge range", End::bug, "return table.unpack({}, 1, 1 << 40)"},
    {"unpack wraps", End::bug, "return table.unpack({}, math.mininteger, math.maxinteger)"},
    {"move huge range", End::bug, "table.move({}, 1, 1 << 40, 2)"},
    {"move over the edge", End::bug, "table.move({}, 1, 2, math.maxinteger)"},
    {"move in a loop", End::instructions,
     "local t = {} for i = 1, 90000 do t[i] = i end while true do table.move(t, 1, 90000, 2, {}) "
     "end"},
    {"insert at the front", End::instructions,
     "local t = {} while true do if #t > 90000 then t = {} end table.insert(t, 1, 1) end"},
    {"remove at the front", End::instructions,
     "local t = {} for i = 1, 90000 do t[i] = i end "
     "while true do t[#t + 1] = 1 table.remove(t, 1) end"},
    {"sort that lies", End::fine,
     "local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function() return true end)"},
    {"sort that loops", End::instructions, "table.sort({1, 2}, function() while true do end end)"},
    {"sort that changes its list", End::fine,
     "local t = {3, 2, 1} table.sort(t, function(a, b) t[1] = nil t[100] = 1 return a < b end)"},
    {"sort of long strings", End::instructions,
     "local s, t = ('x'):rep(8000000), {} local a, b = s .. 'a', s .. 'b' "
     "for i = 1, 90000 do t[i] = i % 2 == 0 and a or b end table.sort(t)"},
    {"sort nil and number", End::bug, "table.sort({1, 'x', {}})"},
    {"pack of many", End::bug,
     "local t = {} for i = 1, 90000 do t[i] = i end "
     "return table.pack(table.unpack(t), table.unpack(t)), string.byte(('x'):rep(10000000), 1, "
     "-1)"},
    {"byte of everything", End::bug, "return string.byte(('x'):rep(10000000), 1, 10000000)"},
    {"format width", End::bug, "return string.format('%99999d', 1)"},
    {"format many", End::bug, "return string.format(('%99d'):rep(1000), 1)"},
    {"format pointer", End::bug, "return string.format('%p', {})"},
    {"format with flags before the pointer", End::bug, "return string.format('%-20p', {})"},
    {"format long", End::bug, "local s = ('x'):rep(9000000) return string.format('%s%s', s, s)"},
    {"format with __tostring", End::instructions,
     "return ('%s'):format(setmetatable({}, {__tostring = function() while true do end end}))"},
    {"utf8.len in a loop", End::instructions,
     "local s = ('x'):rep(10000000) while true do utf8.len(s) end"},
    {"upper in a loop", End::instructions,
     "local s = ('x'):rep(10000000) while true do s:upper() end"},
    {"tonumber of a long string", End::instructions,
     "local s = ('0'):rep(10000000) while true do tonumber(s) tonumber(s, 10) end"},
    // Patterns.
    {"optional bomb", End::instructions,
     "return (('a'):rep(24)):find(('a?'):rep(24) .. ('a'):rep(24))"},
    {"star bomb", End::instructions, "return (('a'):rep(200)):find(('a*'):rep(20) .. 'b')"},
    {"lazy bomb", End::instructions, "return (('a'):rep(200)):match(('.-'):rep(20) .. 'b')"},
    {"bomb under pcall", End::instructions,
     "while true do pcall(string.find, ('a'):rep(200), ('a*'):rep(20) .. 'b') end"},
    {"gmatch bomb", End::instructions,
     "for _ in (('a'):rep(200)):gmatch(('a*'):rep(20) .. 'b') do end"},
    {"gsub bomb", End::instructions, "return (('a'):rep(200)):gsub(('a*'):rep(20) .. 'b', '')"},
    {"balance scan", End::instructions, "return (('('):rep(100000)):find('%b()')"},
    {"long set", End::instructions,
     "return (('a'):rep(10000)):find('[' .. ('b'):rep(10000) .. ']')"},
    {"back reference", End::instructions, "return (('a'):rep(100000)):find('(.-)%1b')"},
    {"plain find in a loop", End::instructions,
     "local s = ('a'):rep(8000000) while true do s:find(('a'):rep(1000) .. 'b', 1, true) end"},
    {"pattern nesting", End::bug, "return ('a'):find(('('):rep(100000))"},
    {"malformed set", End::bug, "return ('a'):find('[a')"},
    {"malformed escape", End::bug, "return ('a'):find('%')"},
    {"gsub grows", End::bug, "return (('x'):rep(10000)):gsub('x', ('y'):rep(10000))"},
    {"gsub callback loops", End::instructions,
     "return ('x'):gsub('x', function() while true do end end)"},
    {"gsub callback raises", End::bug, "return ('x'):gsub('x', function() error('x') end)"},
    {"gsub table with __index", End::instructions,
     "return ('x'):gsub('x', setmetatable({}, {__index = function() while true do end end}))"},
    {"tiny gmatches", End::instructions,
     "local s = ('ab '):rep(1000) while true do for w in s:gmatch('%a+') do end end"},
    // What is not there.
    {"io", End::bug, "return io.open('/etc/passwd')"},
    {"os", End::bug, "return os.exit()"},
    {"debug", End::bug, "return debug.getregistry()"},
    {"package", End::bug, "return package.loadlib('x', 'y')"},
    {"coroutine", End::bug, "return coroutine.wrap(function() end)"},
    {"load", End::bug, "return load('x = 1')"},
    {"loadstring", End::bug, "return loadstring('x = 1')"},
    {"dofile", End::bug, "return dofile('/etc/passwd')"},
    {"loadfile", End::bug, "return loadfile('/etc/passwd')"},
    {"collectgarbage", End::bug, "return collectgarbage('stop')"},
    {"xpcall", End::bug, "return xpcall(error, print)"},
    {"string.dump", End::bug, "return string.dump(function() end)"},
    {"_G", End::bug, "return _G.print"},
    {"_ENV", End::refused, "return _ENV"},
    {"_ENV is const", End::refused, "local _ENV <const> = 11; X = 'hi'"},
    {"math.random", End::bug, "return math.random()"},
    {"require of a file", End::bug, "return require('/etc/passwd')"},
    // Changing what others use.
    {"a new global", End::bug, "leaked = 1"},
    {"replacing a global", End::bug, "print = nil"},
    {"replacing a function", End::bug, "string.format = function() end"},
    {"rawset of a library", End::bug, "rawset(string, 'format', 1)"},
    {"replacing a module's function", End::bug, "require('host.json').decode = print"},
    {"rawset of a module", End::bug, "rawset(require('host.json'), 'decode', print)"},
    {"table.insert into a module", End::bug, "table.insert(require('host.json'), print)"},
    {"metatable of strings", End::bug, "getmetatable('').__index = {}"},
    {"metatable of a module", End::bug, "getmetatable(require('host.json')).__index = {}"},
    {"metatable of a module replaced", End::bug, "setmetatable(require('host.json'), {})"},
    {"metatable of a decoded array", End::bug,
     "getmetatable(require('host.json').decode('[]')).x = 1"},
    {"table.move into a library", End::bug, "table.move({1}, 1, 1, 1, string)"},
    // JSON.
    {"JSON of a table that holds itself", End::fine,
     "local t = {} t.t = t local x, e = require('host.json').encode(t) return e.code"},
    {"JSON of one table many times", End::fine,
     "local t = {} for i = 1, 30 do t = {t, t, t, t} end local x, e = "
     "require('host.json').encode(t) return e.code"},
    {"JSON nested deeply", End::fine,
     "local x, e = require('host.json').decode(('['):rep(100000)) return e.code"},
    {"JSON that grows memory", End::memory,
     "local s = '[' .. ('{},'):rep(2000000) .. '{}]' return require('host.json').decode(s)"},
    {"returned value that holds itself", End::bug, "local t = {} t.t = t return t"},
    // Waiting.
    {"waiting forever", End::deadline, "while true do pcall(require('host.time').sleep, 1000) end"},
    {"waiting between bursts", End::deadline,
     "local n = 0 while true do for i = 1, 1000 do n = n + 1 end require('host.time').sleep(1000) "
     "end"},
};

/// Bytecode starts with ESC and is refused before it reaches the machine.
constexpr std::string_view kBytecode = "\x1bLua\x54\x00\x19\x93\r\n\x1a\n";

}  // namespace

TEST_CASE("hostile: every attack ends as it must, and the state serves others") {
    LuaFixture lua;
    const auto harmless = lua.function("return 'fine'");
    int count = 0;
    for (const Attack& attack : kAttacks) {
        CAPTURE(attack.name);
        ++count;
        const auto loaded = lua.state->load(
            "attack.lua", "return function(...) " + std::string(attack.body) + "\nend");
        if (attack.end == End::refused) {
            CHECK_FALSE(loaded.has_value());
            continue;
        }
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().traceback);
        const bool is_short = attack.end != End::memory;
        const std::uint64_t instructions = is_short ? 5'000'000 : 200'000'000;
        const auto ended = lua.call(*loaded, {.instructions = instructions, .deadline = 60s});
        if (ended) {
            CHECK(attack.end == End::fine);
        } else {
            CHECK_MESSAGE(how_it_ended(ended.error()) == attack.end, ended.error().traceback);
        }
        CHECK(lua.call(harmless).value() == R"("fine")");
    }
    CHECK(count >= 60);
}

TEST_CASE("hostile: an attack in a rule ends the same way without giving others a turn") {
    LuaFixture lua;
    const auto harmless = lua.function("return 'fine'");
    for (const Attack& attack : kAttacks) {
        if (attack.end != End::instructions) continue;
        CAPTURE(attack.name);
        const auto ended = lua.call_now(lua.function(attack.body), {.instructions = 1'000'000});
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().overrun != Overrun::none);
        CHECK(lua.call_now(harmless).value() == R"("fine")");
    }
}

TEST_CASE("hostile: instructions that each walk much data meet the deadline") {
    const SystemClock clock;
    auto state = lua::State::create({.name = "acme"}, clock).value();
    for (const std::string_view body :
         {"local a, b = ('x'):rep(4000000) .. 'a', ('x'):rep(4000000) .. 'b' "
          "local n = 0 while true do if a == b then n = n + 1 end end",
          "local t = {} for i = 1, 90000 do t[i] = i end "
          "local function f(...) while true do select(-1, ...) end end f(table.unpack(t))",
          "local t = {} for i = 1, 100000 do t['k' .. i] = i end "
          "while next(t) do t[next(t)] = nil end while true do end",
          "local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end return f()"}) {
        const auto attack = state->load("a.lua", "return function() " + std::string(body) + " end");
        REQUIRE(attack.has_value());
        const auto ended = state->call_now(*attack, {}, {.deadline = 200ms}, {});
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().overrun == Overrun::deadline);
    }
}

TEST_CASE("hostile: a file is text, of bounded size and work") {
    LuaFixture lua;
    const std::pair<std::string, Overrun> rows[] = {
        {std::string(kBytecode), Overrun::none},
        {"--" + std::string(600UL * 1024, 'x'), Overrun::none},
        {"return " + std::string(100'000, '('), Overrun::none},
        {"while true do end", Overrun::instructions},
        {"local s = 'x' while true do s = s .. s end", Overrun::memory},
        {"return require('host.time').sleep(1)", Overrun::none},
        {"error('x')", Overrun::none},
    };
    for (const auto& [source, overrun] : rows) {
        const auto loaded = lua.state->load("file.lua", source);
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().overrun == overrun);
    }
    CHECK(lua.run("return 1") == "1");
}

TEST_CASE("hostile: what a bomb left does not take a later call's memory") {
    LuaFixture lua;
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(lua.call(lua.function("local function f() return 1 + f() end return f()")));
        CHECK(lua.run("return #('x'):rep(10000000)") == "10000000");
        CHECK(lua.run("local s = ('x'):rep(5000000) return #s:gsub('x', 'y', 1)") == "5000000");
    }
}

TEST_CASE("hostile: memory comes back after an overrun") {
    LuaFixture lua;
    const auto bomb =
        lua.function("local t = {} while true do t[#t + 1] = ('x'):rep(10000) .. #t end");
    for (int i = 0; i < 5; ++i) {
        CHECK_FALSE(lua.call(bomb).has_value());
        // Allocating drives the collector.
        CHECK(lua.run("local n = 0 for i = 1, 200000 do n = n + #{i} end return n") == "200000");
    }
    CHECK(lua.state->memory_used() < (48U << 20U));
}
