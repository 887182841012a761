#include "lua/bridge.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/log.h"
#include "lua/budget.h"

namespace calhost::lua {
namespace {

using Share = std::shared_ptr<HostEntry>;

const HostEntry& entry_of(lua_State* state) {
    return **static_cast<const Share*>(lua_touserdata(state, lua_upvalueindex(1)));
}

int drop_share(lua_State* state) {
    std::destroy_at(static_cast<Share*>(lua_touserdata(state, 1)));
    return 0;
}

/// Pushes a value that holds a share of `entry` until Lua collects it. What may raise comes first.
void push_share(lua_State* state, const Share& entry) {
    if (luaL_newmetatable(state, "host function") != 0) {
        lua_pushcfunction(state, drop_share);
        lua_setfield(state, -2, "__gc");
    }
    std::construct_at(static_cast<Share*>(lua_newuserdatauv(state, sizeof(Share), 0)), entry);
    lua_insert(state, -2);
    lua_setmetatable(state, -2);
}

/// Host functions work on their whole arguments, where no hook fires.
void charge_arguments(lua_State* state) {
    std::uint64_t units = 20;
    for (int i = lua_gettop(state); i > 0; --i)
        if (lua_type(state, i) == LUA_TSTRING) units += lua_rawlen(state, i) / 8;
    spend(state, units);
}

int call_at_once(lua_State* state) {
    const HostEntry& entry = entry_of(state);
    charge_arguments(state);
    std::string complaint;
    // Only std::exception: Lua's own errors are exceptions too and must pass.
    try {
        HostCall call(state, true);
        entry.at_once(call);
        return call.result_count();
    } catch (const Refusal& refusal) {
        complaint = describe(state, entry, refusal);
    } catch (const std::exception& bug) {
        complaint = describe_bug(core_of(state), entry, bug);
    }
    return luaL_error(state, "%s", complaint.c_str());
}

void push_error(lua_State* state, const Error& error) {
    Writer writer(state);
    writer.nil();
    writer.begin_table(0, 3);
    writer.field("code", to_string(error.code));
    writer.field("message", error.message);
    if (!error.retry_after) return;
    writer.number(static_cast<double>(error.retry_after->count()) / 1000.0);
    writer.set_field("retry_after");
}

/// Goes on in a thread whose parked function has its answer.
int after_wait(lua_State* state, int /*status*/, lua_KContext /*context*/) {
    Running& running = *core_of(state).running;
    const auto complaint = std::exchange(running.complaint, std::nullopt);
    if (complaint) return luaL_error(state, "%s", complaint->c_str());
    const Result<Push> answer = *std::exchange(running.answer, std::nullopt);
    if (!answer) {
        push_error(state, answer.error());
        return 2;
    }
    std::string problem;
    try {
        push_one(state, *answer);
        return 1;
    } catch (const std::exception& bug) {
        problem = describe_bug(core_of(state), entry_of(state), bug);
    }
    return luaL_error(state, "%s", problem.c_str());
}

int call_waiting(lua_State* state) {
    Running* running = core_of(state).running;
    const HostEntry& entry = entry_of(state);
    if (running == nullptr || !running->may_wait || lua_isyieldable(state) == 0)
        return luaL_error(state,
                          "%s waits, and nothing can wait here: not while a file loads, in a "
                          "rule, in a table.sort comparison or in a gsub function",
                          entry.name.c_str());
    charge_arguments(state);
    running->parked = std::const_pointer_cast<HostEntry>(entry.shared_from_this());
    return lua_yieldk(state, 0, 0, after_wait);
}

}  // namespace

HostCall::HostCall(lua_State* state, bool may_give)
    : state_(state), arguments_(lua_gettop(state)), may_give_(may_give) {
    lua_checkstack(state, LUA_MINSTACK);
    lua_pushnil(state);
}

Reader HostCall::argument(int index) const {
    const bool is_there = index >= 1 && index <= arguments_;
    return {state_, is_there ? index : arguments_ + 1};
}

void HostCall::give(const Push& push) {
    if (!may_give_) throw std::logic_error("a waiting function returns its result");
    push_one(state_, push);
    ++results_;
}

void HostCall::give_error(const Error& error) {
    if (!may_give_) throw std::logic_error("a waiting function returns its error");
    luaL_checkstack(state_, 4, "too many results");
    push_error(state_, error);
    results_ += 2;
}

void HostCall::refuse(int index, std::string_view what) { throw Refusal(index, what); }

void push_one(lua_State* state, const Push& push) {
    luaL_checkstack(state, LUA_MINSTACK, "too many values");
    const int top = lua_gettop(state);
    Writer writer(state);
    push(writer);
    if (lua_gettop(state) != top + 1) throw std::logic_error("it did not write exactly one value");
}

std::string describe(lua_State* state, const HostEntry& entry, const Refusal& refusal) {
    lua_Debug info{};
    bool is_method = false;
    if (lua_getstack(state, 0, &info) != 0 && lua_getinfo(state, "n", &info) != 0)
        is_method = std::string_view(info.namewhat) == "method";
    const int position = refusal.index() - (is_method ? 1 : 0);
    if (position == 0) return fmt::format("{}: {} (call it with ':')", entry.name, refusal.what());
    return fmt::format("bad argument #{} to '{}' ({})", position, entry.name, refusal.what());
}

std::string describe_bug(const Core& core, const HostEntry& entry, const std::exception& bug) {
    log::error("a host function failed",
               {{"plugin", core.options.name}, {"function", entry.name}, {"reason", bug.what()}});
    return fmt::format("{} failed inside the host", entry.name);
}

void TableBuilder::function(std::string_view name, HostFunction function) {
    add(name, std::move(function), nullptr);
}

void TableBuilder::waiting(std::string_view name, WaitingFunction function) {
    add(name, nullptr, std::move(function));
}

void TableBuilder::add(std::string_view name, HostFunction at_once, WaitingFunction waiting) {
    auto entry = std::make_shared<HostEntry>();
    entry->name = name_.empty() ? std::string(name) : fmt::format("{}.{}", name_, name);
    entry->at_once = std::move(at_once);
    entry->waiting = std::move(waiting);
    value(name, [&](Writer& writer) {
        push_share(writer.state(), entry);
        lua_pushcclosure(writer.state(), entry->waiting ? call_waiting : call_at_once, 1);
    });
}

void TableBuilder::value(std::string_view name, const Push& push) {
    const int status = protect(core_.main, 0, 0, [&](lua_State* state) {
        lua_rawgeti(state, LUA_REGISTRYINDEX, anchor_);
        lua_pushlstring(state, name.data(), name.size());
        push_one(state, push);
        lua_rawset(state, -3);
        return 0;
    });
    if (status == LUA_OK) return;
    lua_pop(core_.main, 1);
    throw std::bad_alloc();
}

}  // namespace calhost::lua
