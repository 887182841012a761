#include "lua/core.h"

#include "lua/budget.h"
#include "lua/library.h"

namespace calhost::lua {
namespace {

constexpr std::size_t kIdleThreads = 8;

}  // namespace

Core::Core(StateOptions given, const Clock& given_clock)
    : options(std::move(given)), clock(given_clock) {
    memory.cap = options.memory_bytes;
}

bool Core::open() {
    main = lua_newstate(allocate, this);
    if (main == nullptr) return false;
    *static_cast<Core**>(lua_getextraspace(main)) = this;
    lua_gc(main, LUA_GCGEN, 0, 0);
    const int status = protect(main, 0, 0, [](lua_State* state) {
        open_library(state);
        return 0;
    });
    if (status != LUA_OK) close();
    return status == LUA_OK;
}

void Core::close() {
    if (main == nullptr) return;
    idle_.clear();
    lua_State* closing = std::exchange(main, nullptr);
    lua_close(closing);
}

Thread Core::take_thread() {
    if (!idle_.empty()) {
        const Thread thread = idle_.back();
        idle_.pop_back();
        return thread;
    }
    Thread thread;
    const int status = protect(main, 0, 0, [&](lua_State* state) {
        thread.state = lua_newthread(state);
        thread.anchor = luaL_ref(state, LUA_REGISTRYINDEX);
        return 0;
    });
    if (status == LUA_OK) return thread;
    lua_pop(main, 1);
    throw std::bad_alloc();
}

void Core::give_back(Thread thread, bool is_clean) {
    if (!is_open() || thread.state == nullptr) return;
    if (is_clean && idle_.size() < kIdleThreads) {
        lua_settop(thread.state, 0);
        lua_sethook(thread.state, nullptr, 0, 0);
        idle_.push_back(thread);
        return;
    }
    luaL_unref(main, LUA_REGISTRYINDEX, thread.anchor);
}

}  // namespace calhost::lua
