/// One lease a job, none waits for a connection that does not work or is paused for one that does;
/// at rest each job waits, or is dead and says why, and every connection that
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
