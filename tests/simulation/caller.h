/// What people do: calls to the host, as programs and browsers make them.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

/// Each function is one thing that a person does, from beginning to end, and keeps book of what the
/// host promised. A crash ends it in the middle: nothing was promised then.
/// *Thread*: one. *Ownership*: outlives the host.
class Caller {
  public:
    Caller(Scene& scene, Trace& trace, Invariants& invariants)
        : scene_(&scene), trace_(&trace), invariants_(&invariants) {}

    /// Registers until the host says so, then signs in.
    Task<> sign_in(Person& person);
    /// Through the provider's consent page; gives the callback a second try when asked to.
    Task<> connect(Person& person, Slot& slot, std::string account);
    Task<> disconnect(Person& person, Slot& slot);
    Task<> sync(Person& person, std::string query);
    /// The application sends a version of the booking.
    Task<> book(std::size_t lesson, std::int64_t version, json::object booking);
    /// Any call that changes nothing.
    Task<> look(Person& person, std::string path);

  private:
    Task<net::Response> call(Person& person, std::string method, std::string target,
                             net::Headers headers, std::string body = {});
    Task<std::string> consent(std::string url, std::string account);

    Scene* scene_;
    Trace* trace_;
    Invariants* invariants_;
};

}  // namespace calhost::simulation
