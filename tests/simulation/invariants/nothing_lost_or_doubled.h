/// At rest the host's events are the provider's: none lost, none twice, none as it was.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

class NothingLostOrDoubled final : public Invariant {
  public:
    using Invariant::Invariant;
    void at_rest() override;

  private:
    using Lines = std::vector<std::string>;
    [[nodiscard]] Lines events_of_host(const storage::Connection& connection) const;
    [[nodiscard]] Lines events_of_provider(const std::string& account) const;
    [[nodiscard]] calendar::Window window() const;
    void compare(const storage::Connection& connection);
};

}  // namespace calhost::simulation
