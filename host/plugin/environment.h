/// The worker's things that providers and plugins use.
#pragma once

#include "base/random.h"
#include "base/time.h"
#include "net/message.h"

namespace calhost::plugin {

struct Environment {
    net::Transport& transport;
    const Clock& clock;
    Timers& timers;
    Random& random;
};

}  // namespace calhost::plugin
