/// Named places where a test ends the host, to show that what was acknowledged is still there.
#pragma once

#include <string_view>

#include "base/task.h"

namespace calhost {

/// *Thread*: the worker's own. The real host's points do nothing.
class CrashPoints {
  public:
    virtual ~CrashPoints() = default;
    /// Returns at once, or never: the simulation throws the whole host away here, and
    /// `calhost serve --sandbox` with CALHOST_CRASH_AT=<name> kills the process with SIGKILL.
    virtual Task<> reach(std::string_view name) = 0;
};

/// Passes every point.
class NoCrashPoints final : public CrashPoints {
  public:
    Task<> reach(std::string_view /*name*/) override { co_return; }
};

}  // namespace calhost
