/// The parts of the simulated provider, put together.
#pragma once

#include "sandbox/google.h"
#include "sandbox/oauth.h"
#include "sandbox/world.h"

namespace calhost::sandbox {

struct Google::Impl {
    Impl(GoogleOptions options, const Clock& clock, Timers& timers, Random& random)
        : world(std::move(options), clock, timers, random), oauth(world) {}

    World world;
    OAuth oauth;

    /// Answers without faults and latency.
    net::Response answer(const net::Request& request);
};

/// Turns events of the calendar room into the account's own. Gives how many were stored.
int import_events(World& world, Account& account, const std::vector<calendar::Event>& events);

/// Serves the control API.
Task<net::Response> serve_control(Google& google, Google::Impl& impl, net::Request& request);

}  // namespace calhost::sandbox
