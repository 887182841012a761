/// The author API: what a script may `require`. plugins/README.md and providers/README.md describe
/// it for authors; every function says there whether it waits.
#pragma once

#include "lua/state.h"

namespace calhost::plugin {

/// host.json, host.event, host.time, host.crypto, host.log.
/// *Ownership*: the clock outlives the state.
void add_modules(lua::State& state, const Clock& clock);

}  // namespace calhost::plugin
