/// Syncing a person's connections and the answer that applications get.
#pragma once

#include <boost/json/object.hpp>

#include "api/context.h"

namespace calhost::api {

/// Syncs each connection on its home worker and gives `sync_result`: the counts, and the events of
/// the next 30 days. *Errors*: the first fault, when no connection could be synced.
Task<Result<boost::json::object>> sync_all(Context& context,
                                           std::vector<storage::Connection> connections);

inline constexpr std::chrono::days kAnswerWindow{30};

}  // namespace calhost::api
