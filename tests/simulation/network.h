/// The wire between host and provider: carries every request, breaks some, and lets the invariants
/// look on.
#pragma once

#include "simulation/faults.h"
#include "simulation/invariant.h"

namespace calhost::simulation {

/// *Thread*: one. *Ownership*: outlives the host that it carries for.
class Network {
  public:
    using Answer = test::SandboxTransport::Answer;

    Network(Scene& scene, Faults& faults, Trace& trace, Invariants& invariants)
        : scene_(&scene), faults_(&faults), trace_(&trace), invariants_(&invariants) {}

    /// The whole way there and back.
    Task<std::optional<Answer>> carry(net::ClientRequest& request);

  private:
    Task<Answer> exchange(const net::ClientRequest& request, const Sent& sent);
    Task<Answer> break_it(const net::ClientRequest& request, const Sent& sent, const Fault& fault);
    Task<Answer> ask(const net::ClientRequest& request, const Sent& sent);
    Sent describe(const net::ClientRequest& request);

    Scene* scene_;
    Faults* faults_;
    Trace* trace_;
    Invariants* invariants_;
};

}  // namespace calhost::simulation
