/// One lease a job; at rest each job waits, or is dead and says why, and every connection that
/// works has its next poll.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

class JobsInOrder final : public Invariant {
  public:
    using Invariant::Invariant;
    void looked() override;
    void at_rest() override;
};

}  // namespace calhost::simulation
