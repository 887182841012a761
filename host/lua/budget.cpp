#include "lua/budget.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace calhost::lua {
namespace {

using std::chrono::nanoseconds;

/// From this size a block counts as big.
constexpr std::size_t kBig = 64U << 10U;
/// Time is charged too, far above what an instruction takes, for what no count sees.
constexpr nanoseconds kInstructionTime{200};
/// Collections in a row that freed next to nothing before the call is ended: each one walks the
/// whole heap, and no hook fires meanwhile.
constexpr int kTightRefusals = 8;

const char kKilled = 0;

void on_count(lua_State* state, lua_Debug* /*where*/);

/// Lua walks every active function to set a hook: only when it changes something.
void arm(Running& running, int interval) {
    if (running.interval == interval) return;
    running.interval = interval;
    lua_sethook(running.thread, on_count, LUA_MASKCOUNT, interval);
}

/// One instruction can walk one big block, so the more there is, the sooner we look at the clock.
int next_interval(const Core& core, const Running& running) {
    const std::uint64_t wanted = running.budget.slice / (1 + core.memory.big / kBig);
    // In powers of two, so that it seldom changes.
    return static_cast<int>(std::bit_floor(std::clamp<std::uint64_t>(wanted, 256, 1U << 24U)));
}

void settle(const Core& core, Running& running, std::uint64_t instructions) {
    const nanoseconds now = core.clock.monotonic();
    const auto by_time = static_cast<std::uint64_t>(
        std::max<std::int64_t>((now - running.settled_at) / kInstructionTime, 0));
    const std::uint64_t units = std::max(instructions + running.owed, by_time);
    running.settled_at = now;
    running.owed = 0;
    running.used += units;
    running.since_yield += units;
    if (running.overrun != Overrun::none) return;
    if (now > running.deadline) running.overrun = Overrun::deadline;
    if (running.used > running.budget.instructions) running.overrun = Overrun::instructions;
}

void on_count(lua_State* state, lua_Debug* /*where*/) {
    Core& core = core_of(state);
    if (core.running == nullptr) return;
    Running& running = *core.running;
    settle(core, running, static_cast<std::uint64_t>(running.interval));
    if (running.overrun != Overrun::none) kill(state, running.overrun);
    arm(running, next_interval(core, running));
    const bool is_its_turn_over = running.since_yield >= running.budget.slice;
    if (running.may_wait && is_its_turn_over && lua_isyieldable(state) != 0) {
        running.since_yield = 0;
        lua_yield(state, 0);
    }
}

/// Lua answers a refusal with a full collection and asks again; near the cap that becomes a
/// standstill.
void note_refusal(Core& core) {
    Memory& memory = core.memory;
    const bool is_tight = memory.since_refusal < memory.cap / 16;
    memory.tight_refusals = is_tight ? memory.tight_refusals + 1 : 0;
    memory.since_refusal = 0;
    if (memory.tight_refusals < kTightRefusals) return;
    core.running->overrun = Overrun::memory;
    arm(*core.running, 1);
}

bool is_refused(Core& core, const void* block, std::size_t tag, std::size_t growth,
                std::size_t new_size) {
    if (core.running == nullptr) return false;
    const bool is_long_string = block == nullptr && tag == LUA_TSTRING && new_size > kLongestString;
    if (is_long_string) return true;
    if (core.memory.used + growth <= core.memory.cap) return false;
    note_refusal(core);
    return true;
}

/// Copying costs what it copies.
void charge_copy(Running& running, std::size_t bytes) {
    running.owed += bytes / 128;
    if (running.owed >= running.budget.slice) arm(running, 1);
}

}  // namespace

void begin_budget(Core& core, Running& running) {
    running.deadline = core.clock.monotonic() + running.budget.deadline;
    core.memory.tight_refusals = 0;
    core.memory.since_refusal = core.memory.cap;
    arm(running, next_interval(core, running));
}

void resume_budget(Core& core, Running& running) {
    running.settled_at = core.clock.monotonic();
    if (running.settled_at > running.deadline) running.overrun = Overrun::deadline;
}

void spend(lua_State* state, std::uint64_t units) {
    Core& core = core_of(state);
    if (core.running == nullptr) return;
    Running& running = *core.running;
    running.owed += units;
    if (running.owed < running.budget.slice) return;
    settle(core, running, 0);
    if (running.overrun != Overrun::none) kill(state, running.overrun);
    if (running.since_yield >= running.budget.slice) arm(running, 1);
}

void make_room(lua_State* state, std::size_t bytes) {
    const Memory& memory = core_of(state).memory;
    if (memory.used + bytes <= memory.cap) return;
    spend(state, memory.used / 64);
    lua_gc(state, LUA_GCCOLLECT);
}

void kill(lua_State* state, Overrun why) {
    Core& core = core_of(state);
    if (core.running != nullptr) {
        core.running->overrun = why;
        arm(*core.running, 1);
    }
    // No allocation on this way: it also ends calls that are out of memory.
    lua_pushlightuserdata(state, const_cast<char*>(&kKilled));
    lua_error(state);
    std::abort();
}

bool is_killed(lua_State* state) {
    const Running* running = core_of(state).running;
    return running != nullptr && running->overrun != Overrun::none;
}

void* allocate(void* data, void* block, std::size_t old_size, std::size_t new_size) {
    Core& core = *static_cast<Core*>(data);
    Memory& memory = core.memory;
    // For a new block Lua says what it will be instead of a size.
    const std::size_t before = block == nullptr ? 0 : old_size;
    const std::size_t growth = new_size > before ? new_size - before : 0;
    if (growth > 0 && is_refused(core, block, old_size, growth, new_size)) return nullptr;
    // Free blocks of one size do not serve another: twice the cap is what the worst script takes.
    const bool may_take_more = core.running == nullptr || memory.blocks.taken() < 2 * memory.cap;
    block = memory.blocks.resize(block, before, new_size, may_take_more);
    if (block == nullptr && new_size > 0) return nullptr;
    memory.used += new_size - before;
    memory.since_refusal += growth;
    if (before >= kBig) memory.big -= before;
    if (new_size >= kBig) {
        memory.big += new_size;
        if (core.running != nullptr) charge_copy(*core.running, new_size);
    }
    return block;
}

}  // namespace calhost::lua
