/// `calhost keys list` and `calhost keys rotate`.
#pragma once

#include <boost/json/object.hpp>

#include "app/host.h"
#include "connect/services.h"

namespace calhost::app {

/// How many sealed values name each key: `{"k1": 12, …}`.
Result<boost::json::object> count_keys(storage::Sql& sql, const crypto::KeyRing& ring);

/// Reads the keys again, uses them from now on, and reseals in small batches; a token that is
/// refreshed meanwhile is already under the active key. Answers `{active, resealed, unreadable}`.
/// *Errors*: misconfigured: the new keys do not work, or a key that is still needed is missing
/// (with the count); nothing is changed then.
Task<Result<boost::json::object>> rotate_keys(const HostOptions& options,
                                              connect::Services& services);

}  // namespace calhost::app
