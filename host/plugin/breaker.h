/// Puts a plugin that overruns its budget into back-off, and lets it try again later.
#pragma once

#include <map>
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

/// The breakers of one provider: what a person's own server answers may use up budgets, and sets
/// only that account aside. *Thread*: one worker's.
class Breakers {
  public:
    Breakers(std::string plugin, const Clock& clock) : plugin_(std::move(plugin)), clock_(&clock) {}

    /// `account` is the connection's id, or empty for what all accounts of a service share.
    /// *Errors*: as above.
    Result<void> admit(const std::string& account) const;
    void report(const std::string& account, lua::Overrun overrun);

  private:
    std::string plugin_;
    const Clock* clock_;
    std::map<std::string, Breaker> breakers_;  ///< of those whose last call overran
};

}  // namespace calhost::plugin
