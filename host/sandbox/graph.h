/// A simulated Microsoft: identity platform v2 and the calendar of Graph v1.0 as an authoritative
/// state machine. What it answers is what the real one documents; what it is told to break it
/// breaks.
#pragma once

#include "sandbox/provider.h"

namespace calhost::sandbox {

/// Paths are below the mount: /{tenant}/oauth2/v2.0/authorize, /{tenant}/oauth2/v2.0/token,
/// /oidc/userinfo, /v1.0/me/…, /v1.0/subscriptions. Accounts are work accounts until the control
/// API says otherwise. *Thread*: as Provider.
class Graph final : public Provider {
  public:
    using Send = std::function<Task<Result<net::ClientResponse>>(net::ClientRequest)>;

    Graph(Options options, const Clock& clock, Timers& timers, Random& random);

    /// A new subscription is validated through `send`, as the real one calls the receiver before
    /// it answers; without one every receiver is believed.
    void on_validation(Send send);
};

}  // namespace calhost::sandbox
