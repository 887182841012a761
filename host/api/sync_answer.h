/// Syncing a person's connections and the answer that applications get.
#pragma once

#include "api/context.h"
#include "base/json_text.h"

namespace calhost::api {

/// Syncs each connection on its home worker and writes `sync_result`: the counts, and the events of
/// the next 30 days. *Errors*: the first fault, when no connection could be synced; what was
/// written is to be dropped then.
Task<Result<void>> sync_all(Context& context, std::vector<storage::Connection> connections,
                            json::TextWriter& out);

inline constexpr std::chrono::days kAnswerWindow{30};

}  // namespace calhost::api
