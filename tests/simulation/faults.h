/// What goes wrong between host and provider.
#pragma once

#include <optional>
#include <string_view>

#include "simulation/dice.h"

namespace calhost::simulation {

struct Fault {
    enum class Kind {
        none,
        slow,        ///< the answer takes a while, sometimes longer than anybody waits
        reset,       ///< nothing arrives, nothing happens
        reply_lost,  ///< the effect stays, the answer does not arrive
        truncated,   ///< half of the answer arrives
        status,      ///< an answer of `status`, nothing happens
    };
    Kind kind = Kind::none;
    int status = 0;
    std::optional<std::chrono::seconds> retry_after;
    milliseconds delay{0};
};

/// A name for the trace.
std::string_view to_string(Fault::Kind kind);

/// *Thread*: one.
class Faults {
  public:
    /// `percent` of the requests meet one.
    Faults(Dice& dice, std::uint64_t percent) : dice_(&dice), percent_(percent) {}

    /// For the next request. Only calls with an access token can be answered with 401.
    Fault next(bool has_access_token);
    /// From now on all is well.
    void heal() { percent_ = 0; }

  private:
    Fault status_fault(bool has_access_token);

    Dice* dice_;
    std::uint64_t percent_;
};

}  // namespace calhost::simulation
