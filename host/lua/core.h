/// What the files of this room share about one state. Nobody outside the room includes this.
#pragma once

#include <exception>
#include <lua.hpp>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "lua/blocks.h"
#include "lua/state.h"

namespace calhost::lua {

/// A string longer than this is refused: one instruction may compare or copy a whole string.
inline constexpr std::size_t kLongestString = 16U << 20U;
/// Table functions and argument lists go no further.
inline constexpr lua_Integer kMostItems = 100'000;

/// A host function. Its Lua function owns it; a call that waits keeps its own share of it.
struct HostEntry : std::enable_shared_from_this<HostEntry> {
    std::string name;
    HostFunction at_once;
    WaitingFunction waiting;
};

/// What Lua has allocated. The cap holds only while a script runs: the host's own reading and
/// reporting, which nothing protects, must not meet it.
struct Memory {
    Blocks blocks;
    std::size_t cap = 0;
    std::size_t used = 0;
    std::size_t big = 0;  ///< in blocks that one instruction may take long to walk
    std::size_t since_refusal = 0;
    int tight_refusals = 0;
};

/// The call that a Lua thread is carrying out.
struct Running {
    Budget budget;
    lua_State* thread = nullptr;
    bool may_wait = false;
    Overrun overrun = Overrun::none;  ///< once set, nothing the script does keeps it alive

    std::uint64_t used = 0;
    std::uint64_t owed = 0;         ///< work of host functions, not yet in `used`
    std::uint64_t since_yield = 0;  ///< since other coroutines had their turn
    int interval = 0;               ///< instructions until the hook fires
    std::chrono::nanoseconds deadline{};
    std::chrono::nanoseconds settled_at{};

    int protected_depth = 0;
    std::shared_ptr<HostEntry> parked;     ///< set when the thread yielded to wait
    std::optional<Result<Push>> answer;    ///< of the parked function
    std::optional<std::string> complaint;  ///< raised instead of an answer
};

struct Thread {
    lua_State* state = nullptr;
    int anchor = LUA_NOREF;
};

/// *Ownership*: shared by the State and its suspended calls, which may be destroyed after it.
class Core {
  public:
    Core(StateOptions options, const Clock& clock);
    ~Core() { close(); }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    /// Opens the state with its library. False when there is no memory for it.
    bool open();
    /// Ends the state; suspended calls find out by `is_open`.
    void close();
    [[nodiscard]] bool is_open() const { return main != nullptr; }

    Thread take_thread();
    /// A thread that finished well may serve again; any other is dropped, never reset, because a
    /// reset runs the script's code.
    void give_back(Thread thread, bool is_clean);

    const StateOptions options;
    const Clock& clock;
    Memory memory;
    lua_State* main = nullptr;
    Running* running = nullptr;

  private:
    std::vector<Thread> idle_;
};

/// The Core of a state or of any of its threads.
inline Core& core_of(lua_State* state) { return **static_cast<Core**>(lua_getextraspace(state)); }

/// Makes `running` the current call, and memory capped, for a scope.
class Entered {
  public:
    Entered(Core& core, Running* running) : core_(core), before_(core.running) {
        core_.running = running;
    }
    ~Entered() { core_.running = before_; }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

  private:
    Core& core_;
    Running* before_;
};

/// Restores the height of a stack.
class StackGuard {
  public:
    explicit StackGuard(lua_State* state) : state_(state), top_(lua_gettop(state)) {}
    ~StackGuard() { lua_settop(state_, top_); }
    StackGuard(const StackGuard&) = delete;
    StackGuard& operator=(const StackGuard&) = delete;

  private:
    lua_State* state_;
    int top_;
};

/// Runs `body(state)` as a protected C function with the topmost `arguments`; returns Lua's status
/// and leaves the results or the error value. *Errors*: a std::exception of `body` passes through,
/// around Lua instead of through it, which would swallow it.
template <class Body>
int protect(lua_State* state, int arguments, int results, Body body) {
    struct Frame {
        Body* body;
        std::exception_ptr thrown;
    } frame{&body, nullptr};
    const int base = lua_gettop(state) - arguments;
    lua_checkstack(state, 4);
    lua_pushcfunction(state, [](lua_State* inner) -> int {
        auto* called = static_cast<Frame*>(lua_touserdata(inner, -1));
        lua_pop(inner, 1);
        try {
            return (*called->body)(inner);
        } catch (const std::exception&) {
            called->thrown = std::current_exception();
        }
        return 0;
    });
    lua_insert(state, base + 1);
    lua_pushlightuserdata(state, &frame);
    const int status = lua_pcall(state, arguments + 1, results, 0);
    if (frame.thrown) {
        lua_settop(state, base);
        std::rethrow_exception(frame.thrown);
    }
    return status;
}

}  // namespace calhost::lua
