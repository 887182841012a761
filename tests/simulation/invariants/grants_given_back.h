/// The grant of a disconnected calendar is gone at the provider, too, unless somebody is connected
/// to that account again: a provider ends the new grant together with the old one.
#pragma once

#include <set>

#include "simulation/invariant.h"
#include "simulation/provider_reader.h"

namespace calhost::simulation {

class GrantsGivenBack final : public Invariant {
  public:
    using Invariant::Invariant;
    void at_rest() override {
        std::set<std::string> connected;
        for (const auto& row : stored_connections(host())) connected.insert(row.email);
        for (const auto number : scene_->people.given_back) {
            const auto& grant = scene_->known.grant(number);
            if (connected.contains(grant.account)) continue;
            if (is_live_at_provider(host(), grant.refresh_token))
                violated("grants given back: " + grant.account +
                         " was disconnected, and the provider still honours the grant");
        }
    }
};

}  // namespace calhost::simulation
