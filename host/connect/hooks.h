/// Telling plugins what happens to connections: jobs, enqueued in the transaction in which it
/// happens.
#pragma once

#include "connect/services.h"
#include "storage/connections.h"

namespace calhost::connect {

/// The jobs of a hook about a connection; none without a plugin that has the hook. What concerns a
/// person's account (`connection.…`) is told in its order, also over a disconnect and a new
/// connect. `about` is added to the event.
std::vector<storage::Job> hook_jobs(Services& services, std::string_view hook,
                                    const storage::Connection& connection,
                                    const boost::json::object& about = {});

Result<void> enqueue_all(storage::Sql& sql, const std::vector<storage::Job>& jobs);

}  // namespace calhost::connect
