/// No call for a connection whose grant is gone, until the person reconnects.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

class QuietUntilReconnected final : public Invariant {
  public:
    using Invariant::Invariant;
    void sent(const Sent& request) override {
        if (request.connection && request.connection->state == "needs_reauth")
            violated("quiet until reconnected: " + request.method + " " + request.path +
                     " for a connection that needs the person");
    }
};

}  // namespace calhost::simulation
