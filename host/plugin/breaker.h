/// Puts a plugin that overruns its budget into back-off, and lets it try again later.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "lua/state.h"

namespace calhost::plugin {

/// Three budget overruns in a row open it for a minute, doubling to an hour; the first call after
/// that decides (half open). Bugs (`error()`) never count. *Thread*: one worker's.
class Breaker {
  public:
    Breaker(std::string plugin, const Clock& clock) : plugin_(std::move(plugin)), clock_(&clock) {}

    /// *Errors*: unavailable, with when it will be tried again.
    Result<void> admit() const;
    /// How a call ended.
    void report(lua::Overrun overrun);

  private:
    std::string plugin_;
    const Clock* clock_;
    int overruns_ = 0;
    std::chrono::nanoseconds open_until_{0};
    std::chrono::minutes pause_{1};
};

}  // namespace calhost::plugin
