/// What a start puts right before anything is served.
#pragma once

#include "app/worker.h"

namespace calhost::app {

/// Ends the sync runs and the leases that a crash left, and plans the polls and schedules that are
/// missing.
Task<Result<void>> recover(Worker& chief, const config::Settings& settings);

}  // namespace calhost::app
