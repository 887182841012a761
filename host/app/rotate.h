/// `calhost keys rotate`: everything sealed comes under the active key, while the host serves.
#pragma once

#include <boost/json/object.hpp>

#include "app/host.h"
#include "connect/services.h"

namespace calhost::app {

/// Reads the keys again, uses them from now on, and reseals in small batches; a token that is
/// refreshed meanwhile is already under the active key. Answers `{active, resealed, unreadable}`.
/// *Errors*: misconfigured: the new keys do not work, or a key that is still needed is missing
/// (with the count); nothing is changed then.
Task<Result<boost::json::object>> rotate_keys(const config::LoadOptions& load,
                                              const HostOptions& options, crypto::Keys& keys,
                                              connect::Services& services);

}  // namespace calhost::app
