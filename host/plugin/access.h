/// What a provider's call may do in a person's name, without ever seeing the token.
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "base/time.h"

namespace calhost::plugin {

/// Implemented by `connect`. *Thread*: the connection's home worker.
class Access {
  public:
    virtual ~Access() = default;
    /// A token that is good now. `was_refused`: the last one was answered with 401, so get a new
    /// one. *Errors*: needs_reauth, unavailable, timeout, misconfigured.
    virtual Task<Result<Secret>> token(bool was_refused) = 0;
    /// No call before this moment: the provider said so.
    [[nodiscard]] virtual std::optional<Timestamp> blocked_until() const = 0;
    /// The provider's Retry-After; stored before anything else happens.
    virtual Task<> block_until(Timestamp when) = 0;
    /// For the log.
    [[nodiscard]] virtual const std::string& connection_id() const = 0;
};

}  // namespace calhost::plugin
