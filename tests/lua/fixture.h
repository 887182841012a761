/// A Lua state on virtual time, and short ways to call it.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "lua/json.h"
#include "lua/state.h"
#include "support/virtual_time.h"

namespace calhost::test {

struct LuaFixture {
    explicit LuaFixture(lua::StateOptions options = {.name = "acme"}) {
        options.timers = &time;
        auto made = lua::State::create(options, time);
        REQUIRE(made.has_value());
        state = std::move(*made);
        state->add_module("host.json", lua::fill_json);
        state->add_module("host.time", [this](lua::Table& table) {
            table.waiting("sleep", [this](lua::Call& call) { return sleep(call); });
        });
    }

    /// Host function: waits `argument 1` milliseconds and answers "slept"; -1 is an error.
    Task<Result<lua::Push>> sleep(lua::Call& call) {
        const auto wait = call.argument(1).integer();
        if (!wait) call.refuse(1, "milliseconds are expected");
        if (*wait < 0) co_return fail({ErrorCode::rate_limited, "later", milliseconds{1500}});
        co_await time.sleep(milliseconds{*wait});
        co_return [](lua::Writer& writer) { writer.string("slept"); };
    }

    /// Compiles `return function(...) <body> end`, line 1 being the body's first.
    lua::Ref function(std::string_view body) {
        auto loaded =
            state->load("test.lua", "return function(...) " + std::string(body) + "\nend");
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().traceback);
        return *loaded;
    }

    /// Calls the function; its first result as JSON text, or how it failed.
    std::expected<std::string, lua::Failure> call(const lua::Ref& ref, lua::Budget budget = {},
                                                  std::vector<lua::Push> arguments = {}) {
        std::string text;
        auto done = time.wait(state->call(ref, std::move(arguments), budget, reading(text)));
        if (!done) return std::unexpected(done.error());
        return text;
    }
    std::expected<std::string, lua::Failure> call_now(const lua::Ref& ref,
                                                      lua::Budget budget = {}) {
        std::string text;
        auto done = state->call_now(ref, {}, budget, reading(text));
        if (!done) return std::unexpected(done.error());
        return text;
    }
    std::string run(std::string_view body) {
        const auto text = call(function(body));
        REQUIRE_MESSAGE(text.has_value(), text.error().traceback);
        return *text;
    }

    static std::function<Result<void>(std::span<const lua::Reader>)> reading(std::string& text) {
        return [&text](std::span<const lua::Reader> results) -> Result<void> {
            auto json = results.empty() ? Result<std::string>("none") : lua::json_text(results[0]);
            if (!json) return fail(json.error());
            text = *json;
            return {};
        };
    }

    boost::asio::io_context context;
    VirtualTime time{context};
    std::unique_ptr<lua::State> state;
};

}  // namespace calhost::test
