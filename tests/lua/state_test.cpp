#include "lua/state.h"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "lua/fixture.h"

using namespace calhost;
using namespace std::chrono_literals;
using test::LuaFixture;

namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("state: a call takes arguments and gives results") {
    LuaFixture lua;
    const auto sum = lua.function("local a, b = ... return a + b.n");
    const auto text = lua.call(sum, {},
                               {[](lua::Writer& w) { w.integer(2); },
                                [](lua::Writer& w) {
                                    w.begin_table(0, 1);
                                    w.field("n", 40);
                                    w.end_table();
                                }});
    CHECK(text.value() == "42");
    CHECK(lua.call_now(lua.function("return {1, 'x', true}")).value() == R"([1,"x",true])");
}

TEST_CASE("state: nil and a table with a code is the code's error") {
    LuaFixture lua;
    const auto failed = lua.call(
        lua.function("return nil, {code = 'rate_limited', message = 'slow', retry_after = 1.5}"));
    REQUIRE(!failed);
    CHECK(failed.error().error.code == ErrorCode::rate_limited);
    CHECK(failed.error().error.message == "slow");
    CHECK(failed.error().error.retry_after == 1500ms);
    CHECK_FALSE(failed.error().is_bug);

    const auto unknown = lua.call(lua.function("return nil, {code = 'sideways'}"));
    REQUIRE(!unknown);
    CHECK(unknown.error().is_bug);
    CHECK(lua.call(lua.function("return nil")).value() == "null");
}

TEST_CASE("state: an error is a bug with its line, and callers do not see its text") {
    LuaFixture lua;
    const auto failed = lua.call(lua.function("\nlocal t = nil\nerror('secret_name')"));
    REQUIRE(!failed);
    CHECK(failed.error().is_bug);
    CHECK(failed.error().overrun == lua::Overrun::none);
    CHECK(failed.error().error.code == ErrorCode::invalid_response);
    CHECK(contains(failed.error().traceback, "test.lua:3:"));
    CHECK(contains(failed.error().traceback, "secret_name"));
    CHECK_FALSE(contains(failed.error().error.message, "secret_name"));
}

TEST_CASE("state: a file that does not parse says where") {
    LuaFixture lua;
    const auto failed = lua.state->load("broken.lua", "local x =\nreturn )");
    REQUIRE(!failed);
    CHECK(failed.error().is_bug);
    CHECK(contains(failed.error().traceback, "broken.lua:2:"));
}

TEST_CASE("state: a waiting function resumes with its result, its error or its refusal") {
    LuaFixture lua;
    CHECK(lua.run("return require('host.time').sleep(1000)") == R"("slept")");
    CHECK(lua.run("local ok, e = require('host.time').sleep(-1) "
                  "return e.code .. e.message .. e.retry_after") == R"("rate_limitedlater1.5")");
    const auto refused = lua.call(lua.function("\nreturn require('host.time').sleep('x')"));
    REQUIRE(!refused);
    CHECK(contains(refused.error().traceback,
                   "test.lua:2: bad argument #1 to 'host.time.sleep' (milliseconds are expected)"));
}

TEST_CASE("state: waiting works inside pcall, iterators and metamethods") {
    LuaFixture lua;
    CHECK(lua.run("local sleep = require('host.time').sleep "
                  "local ok, a = pcall(sleep, 5) "
                  "local mt = {__index = function(_, k) return sleep(5) .. k end} "
                  "local t = setmetatable({}, mt) "
                  "local list = {} "
                  "for x in function(_, last) if not last then return sleep(5) end end do "
                  "  list[1] = x end "
                  "return {ok, a, t.key, list[1]}") == R"([true,"slept","sleptkey","slept"])");
    CHECK(lua.run("local sleep = require('host.time').sleep "
                  "local ok, e = pcall(function() sleep(5) error('after') end) "
                  "return {ok, sleep(5)}") == R"([false,"slept"])");
}

TEST_CASE("state: waiting where nothing can wait is the author's error") {
    LuaFixture lua;
    for (const std::string_view body :
         {"table.sort({2, 1}, function() return require('host.time').sleep(1) end)",
          "('x'):gsub('x', function() return require('host.time').sleep(1) end)"}) {
        const auto failed = lua.call(lua.function(body));
        REQUIRE_MESSAGE(!failed, body);
        CHECK(contains(failed.error().traceback, "nothing can wait here"));
    }
    const auto rule = lua.call_now(lua.function("return require('host.time').sleep(1)"));
    REQUIRE(!rule);
    CHECK(contains(rule.error().traceback, "nothing can wait here"));
    CHECK(lua.call(lua.function("return 1")).value() == "1");
}

TEST_CASE("state: a heavy call lets others go on, and still ends") {
    LuaFixture lua;
    const auto heavy = lua.function("local n = 0 for i = 1, 1000000 do n = n + 1 end return n");
    std::string text;
    bool is_heavy_done = false;
    int turns = 0;
    auto run_heavy = [&]() -> Task<> {
        auto done = co_await lua.state->call(heavy, {}, {}, LuaFixture::reading(text));
        CHECK(done.has_value());
        is_heavy_done = true;
    };
    auto count_turns = [&]() -> Task<> {
        while (!is_heavy_done) {
            ++turns;
            co_await boost::asio::post(lua.context, use_task);
        }
    };
    boost::asio::co_spawn(lua.context, run_heavy(), boost::asio::detached);
    boost::asio::co_spawn(lua.context, count_turns(), boost::asio::detached);
    lua.time.run();
    CHECK(text == "1000000");
    CHECK(turns > 10);
}

TEST_CASE("state: a cancelled call goes no further, and the state serves others") {
    LuaFixture lua;
    bool went_on = false;
    lua.state->add_module("probe", [&](lua::Table& table) {
        table.function("mark", [&](lua::Call&) { went_on = true; });
    });
    const auto slow =
        lua.function("pcall(require('host.time').sleep, 60000) require('probe').mark()");
    boost::asio::cancellation_signal cancel;
    bool is_aborted = false;
    auto body = [&]() -> Task<> {
        auto done = co_await lua.state->call(slow, {}, {.deadline = 10min}, {});
        static_cast<void>(done);
    };
    boost::asio::co_spawn(
        lua.context, body(),
        boost::asio::bind_cancellation_slot(
            cancel.slot(), [&](std::exception_ptr thrown) { is_aborted = thrown != nullptr; }));
    lua.time.advance(1s);
    cancel.emit(boost::asio::cancellation_type::terminal);
    lua.time.run();
    CHECK(is_aborted);
    CHECK_FALSE(went_on);
    CHECK(lua.run("return require('host.time').sleep(1)") == R"("slept")");
}

TEST_CASE("state: a call that waits while its state goes is told so") {
    LuaFixture lua;
    const auto slow = lua.function("return require('host.time').sleep(60000)");
    std::optional<ErrorCode> code;
    auto body = [&]() -> Task<> {
        auto done = co_await lua.state->call(slow, {}, {.deadline = 10min}, {});
        if (!done) code = done.error().error.code;
    };
    boost::asio::co_spawn(lua.context, body(), boost::asio::detached);
    lua.time.advance(1s);
    lua.state.reset();
    lua.time.run();
    CHECK(code == ErrorCode::cancelled);
}

TEST_CASE("state: the deadline counts waiting, and cuts the wait") {
    LuaFixture lua;
    const auto began = lua.time.now();
    const auto late = lua.call(lua.function("pcall(require('host.time').sleep, 3600000) return 1"),
                               {.deadline = 5s});
    REQUIRE(!late);
    CHECK(late.error().overrun == lua::Overrun::deadline);
    CHECK(lua.time.now() - began < 6s);
}

TEST_CASE("state: kept functions, members and tables outlive their call") {
    LuaFixture lua;
    lua::Ref kept;
    lua.state->add_global("rule", [&](lua::Table& table) {
        table.function("on", [&](lua::Call& call) {
            CHECK(call.argument(2).string() == "event");
            CHECK(call.argument(4).is_nil());
            kept = lua.state->keep(call.argument(3));
        });
    });
    const auto loaded = lua.state->load("a.lua",
                                        "rule:on('event', function() return 7 end) "
                                        "return {id = 'x', f = function() return 8 end}");
    REQUIRE(loaded.has_value());
    CHECK(lua.call_now(kept).value() == "7");
    CHECK(lua.call_now(lua.state->member(*loaded, "f")).value() == "8");
    CHECK_FALSE(lua.state->member(*loaded, "g").is_set());
    std::string id;
    lua.state->look(*loaded, [&](const lua::Reader& reader) { id = reader.string_field("id"); });
    CHECK(id == "x");
}

TEST_CASE("state: an object is an argument like any value, and cannot be changed") {
    LuaFixture lua;
    const auto http = lua.state->make_table([](lua::Table& table) {
        table.function("get", [](lua::Call& call) {
            const std::string path(call.argument(2).string());
            if (path.empty()) call.refuse(2, "a path is expected");
            call.give([&](lua::Writer& w) { w.string("GET " + path); });
        });
    });
    const auto pushed = [&](lua::Writer& w) { lua.state->push(w, http); };
    CHECK(lua.call(lua.function("local h = ... return h:get('/x')"), {}, {pushed}).value() ==
          R"("GET /x")");
    const auto changed = lua.call(lua.function("local h = ... h.get = print"), {}, {pushed});
    CHECK(!changed);
    const auto refused = lua.call(lua.function("local h = ... h:get()"), {}, {pushed});
    REQUIRE(!refused);
    CHECK(contains(refused.error().traceback, "bad argument #1 to 'get'"));
}

TEST_CASE("state: objects made for calls go when nobody has them, and their functions with them") {
    LuaFixture lua;
    const auto held = std::make_shared<int>(0);
    for (int i = 0; i < 1000; ++i)
        (void)lua.state->make_table(
            [&](lua::Table& table) { table.function("get", [held](lua::Call&) {}); });
    lua.run("for i = 1, 100000 do local garbage = {} end return 1");
    CHECK(held.use_count() < 500);
    lua.state.reset();
    CHECK(held.use_count() == 1);
}

TEST_CASE("state: an exception of a host function is Lua's error, not the host's end") {
    LuaFixture lua;
    lua.state->add_module("bad", [](lua::Table& table) {
        table.function("now", [](lua::Call&) { throw std::runtime_error("inside"); });
        table.waiting("later", [](lua::Call&) -> Task<Result<lua::Push>> {
            throw std::runtime_error("inside");
            co_return fail(ErrorCode::invalid, "");
        });
    });
    CHECK(lua.run("local ok, e = pcall(require('bad').now) return {ok, e}") ==
          R"([false,"bad.now failed inside the host"])");
    CHECK(lua.run("local ok, e = pcall(require('bad').later) return {ok, e}") ==
          R"([false,"bad.later failed inside the host"])");
}

TEST_CASE("state: results of the wrong kind are the plugin's fault") {
    LuaFixture lua;
    const auto failed = lua.state->call_now(
        lua.function("return 1"), {}, {}, [](std::span<const lua::Reader>) -> Result<void> {
            return fail(ErrorCode::invalid, "a table is expected");
        });
    REQUIRE(!failed);
    CHECK(failed.error().is_bug);
    CHECK(contains(failed.error().error.message, "a table is expected"));
}

TEST_CASE("state: a host function may call the state again") {
    LuaFixture lua;
    const auto inner = lua.function("return 5");
    lua.state->add_module("again", [&](lua::Table& table) {
        table.function("run", [&](lua::Call& call) {
            const auto text = lua.call_now(inner);
            call.give([&](lua::Writer& w) { w.string(text.value_or("failed")); });
        });
    });
    CHECK(lua.run("return require('again').run() .. require('again').run()") == R"("55")");
}
