/// Syncing a person's connections and the answer that applications get.
#pragma once

#include "api/context.h"

namespace calhost::api {

/// Syncs each connection of a user (one at least) on its home worker and answers with `sign: true`,
/// a message and `sync_result`: the counts, and the events of the next 30 days.
/// *Errors*: the first fault, when no connection could be synced.
Task<Result<net::Response>> sync_all(Context& context, std::vector<storage::Connection> connections,
                                     std::string_view sign);

inline constexpr std::chrono::days kAnswerWindow{30};

}  // namespace calhost::api
