/// One call of a Lua function, from its arguments to its results. Nobody outside the room includes
/// this.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "lua/core.h"

namespace calhost::lua {

/// *Ownership*: its Lua thread; destroying it before the end drops the thread.
class Run {
  public:
    enum class Step { finished, waits, turn_over, failed };
    using Read = std::function<Result<void>(std::span<const Reader>)>;

    Run(std::shared_ptr<Core> core, const Budget& budget, bool may_wait);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    /// Pushes the function (a registry slot) and its arguments, and begins.
    Step start(int function, std::span<const Push> arguments);
    /// Goes on after waits or turn_over.
    Step go_on();

    [[nodiscard]] Core& core() { return *core_; }
    [[nodiscard]] Running& running() { return running_; }

    /// After finished: an expected failure, or what `read` says.
    std::expected<void, Failure> finish(const Read& read);
    /// After finished: the first result, in a registry slot; LUA_NOREF when it is nil.
    int keep_result();
    /// After failed.
    Failure failure();

  private:
    Step resume(int arguments);
    std::optional<Failure> expected_failure(std::span<const Reader> results);

    std::shared_ptr<Core> core_;
    Thread thread_;
    Running running_;
    int status_ = LUA_OK;
    bool is_clean_ = false;
};

/// A bug as callers see it, with `details` for the log.
Failure make_bug(const Core& core, std::string details);

/// The overrun in words, else the text of the error value on top of `thread`; and where it was.
/// Runs no script code.
std::string describe_error(Core& core, lua_State* thread, Overrun overrun);

}  // namespace calhost::lua
