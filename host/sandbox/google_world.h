/// What the simulated Google has beside what every provider shares.
#pragma once

#include "sandbox/channels.h"
#include "sandbox/world.h"

namespace calhost::sandbox {

/// *Thread*: one.
struct GoogleWorld : World {
    using World::World;
    Channels channels;
};

}  // namespace calhost::sandbox
