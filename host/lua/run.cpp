#include "lua/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/encoding.h"
#include "lua/bridge.h"
#include "lua/budget.h"
#include "lua/library.h"

namespace calhost::lua {
namespace {

constexpr std::size_t kLongestMessage = 4096;
constexpr double kLongestRetrySeconds = 24 * 3600;

std::string_view word_for(Overrun overrun) {
    switch (overrun) {
        case Overrun::instructions:
            return "did more work than one call may";
        case Overrun::memory:
            return "needed more memory than it may have";
        case Overrun::deadline:
            return "took longer than one call may";
        case Overrun::none:
            break;
    }
    return "failed";
}

Failure make_overrun(const Core& core, Overrun overrun, std::string details) {
    return {
        .error = {ErrorCode::invalid_response, fmt::format("the plugin {} {}; the log says where",
                                                           core.options.name, word_for(overrun))},
        .overrun = overrun,
        .is_bug = false,
        .traceback = std::move(details)};
}

std::string printable(std::string_view text) {
    text = text.substr(0, 1000);
    while (!text.empty() && !is_utf8(text) && text.size() > 996) text.remove_suffix(1);
    return is_utf8(text) ? std::string(text) : std::string("(a message that is not UTF-8)");
}

std::optional<milliseconds> retry_after(const Reader& table) {
    std::optional<milliseconds> wait;
    table.with_field("retry_after", [&](const Reader& member) {
        const auto seconds = member.number();
        if (!seconds || !std::isfinite(*seconds) || *seconds < 0) return;
        wait = milliseconds(std::llround(std::min(*seconds, kLongestRetrySeconds) * 1000));
    });
    return wait;
}

}  // namespace

Failure make_bug(const Core& core, std::string details) {
    return {.error = {ErrorCode::invalid_response,
                      fmt::format("the plugin {} failed; the log says where", core.options.name)},
            .overrun = Overrun::none,
            .is_bug = true,
            .traceback = std::move(details)};
}

std::string describe_error(Core& core, lua_State* thread, Overrun overrun) {
    std::string text = "out of memory";
    const int status = protect(core.main, 0, 0, [&](lua_State* state) {
        lua_checkstack(thread, 4);
        if (overrun != Overrun::none || lua_gettop(thread) == 0) {
            text = fmt::format("it {}", word_for(overrun));
        } else if (lua_type(thread, -1) == LUA_TSTRING) {
            text = Reader(thread, -1).string().substr(0, kLongestMessage);
        } else {
            text = fmt::format("error() was called with a {}", luaL_typename(thread, -1));
        }
        luaL_traceback(state, thread, text.c_str(), 0);
        text = Reader(state, -1).string().substr(0, 2 * kLongestMessage);
        return 0;
    });
    if (status != LUA_OK) lua_pop(core.main, 1);
    return text;
}

Run::Run(std::shared_ptr<Core> core, const Budget& budget, bool may_wait)
    : core_(std::move(core)), thread_(core_->take_thread()) {
    running_.budget = budget;
    running_.may_wait = may_wait;
    running_.thread = thread_.state;
}

Run::~Run() { core_->give_back(thread_, is_clean_); }

Run::Step Run::start(int function, std::span<const Push> arguments) {
    begin_budget(*core_, running_);
    {
        const Entered entered(*core_, &running_);
        status_ = protect(thread_.state, 0, LUA_MULTRET, [&](lua_State* state) {
            lua_rawgeti(state, LUA_REGISTRYINDEX, function);
            for (const Push& push : arguments) push_one(state, push);
            return lua_gettop(state);
        });
    }
    if (status_ != LUA_OK) return Step::failed;
    return resume(static_cast<int>(arguments.size()));
}

Run::Step Run::go_on() { return resume(0); }

Run::Step Run::resume(int arguments) {
    resume_budget(*core_, running_);
    if (running_.overrun != Overrun::none) return Step::failed;
    lua_State* from = core_->running != nullptr ? core_->running->thread : nullptr;
    const Entered entered(*core_, &running_);
    int results = 0;
    status_ = lua_resume(thread_.state, from, arguments, &results);
    if (status_ == LUA_YIELD) return running_.parked ? Step::waits : Step::turn_over;
    if (running_.overrun != Overrun::none) return Step::failed;
    if (status_ != LUA_OK) return Step::failed;
    is_clean_ = true;
    return Step::finished;
}

std::optional<Failure> Run::expected_failure(std::span<const Reader> results) {
    if (results.size() < 2 || !results[0].is_nil() || results[1].is_nil()) return std::nullopt;
    const auto code = parse_error_code(results[1].string_field("code"));
    if (!code)
        return make_bug(*core_, fmt::format("{}: the second result after nil must be a table with "
                                            "a known code",
                                            core_->options.name));
    Failure failure;
    failure.error = {*code, printable(results[1].string_field("message")), retry_after(results[1])};
    return failure;
}

std::expected<void, Failure> Run::finish(const Read& read) {
    std::vector<Reader> results;
    const int count = lua_gettop(thread_.state);
    for (int i = 1; i <= count; ++i) results.emplace_back(thread_.state, i);
    if (auto failure = expected_failure(results)) return std::unexpected(std::move(*failure));
    const Result<void> outcome = read ? read(results) : Result<void>();
    if (outcome) return {};
    Failure failure = make_bug(*core_, outcome.error().message);
    failure.error.message = fmt::format("the plugin {} returned something wrong: {}",
                                        core_->options.name, outcome.error().message);
    return std::unexpected(std::move(failure));
}

int Run::keep_result() {
    if (lua_gettop(thread_.state) == 0 || lua_isnil(thread_.state, 1)) return LUA_NOREF;
    lua_pushvalue(thread_.state, 1);
    lua_xmove(thread_.state, core_->main, 1);
    return luaL_ref(core_->main, LUA_REGISTRYINDEX);
}

Failure Run::failure() {
    if (status_ == LUA_ERRMEM) running_.overrun = Overrun::memory;
    std::string details = describe_error(*core_, thread_.state, running_.overrun);
    if (running_.overrun == Overrun::none) return make_bug(*core_, std::move(details));
    return make_overrun(*core_, running_.overrun, std::move(details));
}

}  // namespace calhost::lua
