/// What was answered is so, also after a crash: registered people are there, connected calendars
/// too, disconnected ones are not.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

class PromisesKept final : public Invariant {
  public:
    using Invariant::Invariant;
    void restarted() override { compare(); }
    void at_rest() override { compare(); }

  private:
    void compare();
    void compare_slot(const Person& person, const Slot& slot,
                      const std::vector<StoredConnection>& rows);
};

}  // namespace calhost::simulation
