/// The grant of a disconnected calendar is gone at the provider, too.
#pragma once

#include "simulation/invariant.h"
#include "simulation/provider_reader.h"

namespace calhost::simulation {

class GrantsGivenBack final : public Invariant {
  public:
    using Invariant::Invariant;
    void at_rest() override {
        for (const auto number : scene_->people.given_back) {
            const auto& grant = scene_->known.grant(number);
            if (is_live_at_provider(host(), grant.refresh_token))
                violated("grants given back: " + grant.account +
                         " was disconnected, and the provider still honours the grant");
        }
    }
};

}  // namespace calhost::simulation
