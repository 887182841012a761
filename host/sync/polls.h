/// Polls: a connection that works is synced again and again, whatever became of its last poll.
#pragma once

#include "sync/pull.h"

namespace calhost::sync {

/// Plans a poll within the next interval for every active connection that has none, or whose poll
/// was set aside; called at start and after every interval. A poll is set aside when it failed too
/// often, or when the host ended three times in a row while it ran; the calendar would then stay as
/// it is until somebody looks.
Task<Result<void>> plan_missing_polls(connect::Services& services, SyncOptions options);

}  // namespace calhost::sync
