/// What a provider's call may do in a person's name, without ever seeing the token.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <string>

#include "base/secret.h"
#include "base/task.h"
#include "base/time.h"

namespace calhost::plugin {

/// Where an account lives whose service is at an address that a person entered (kinds basic, form).
struct Account {
    std::string url;  ///< "https://cloud.example/dav/": paths are on its origin
    /// Origins that the credentials may go to: "https://cloud.example", or
    /// "https://*.icloud.com" for every host below that name.
    std::set<std::string> origins;
    boost::json::object data;  ///< what `discover` gave; `ctx.account` shows it with `url`
};

/// Implemented by `connect`. *Thread*: the connection's home worker.
class Access {
  public:
    virtual ~Access() = default;
    /// A token that is good now, or for the kind `basic` "user:password". `was_refused`: the last
    /// one was answered with 401, so get a new one. *Errors*: needs_reauth, unavailable, timeout,
    /// misconfigured.
    virtual Task<Result<Secret>> token(bool was_refused) = 0;
    /// No call before this moment: the provider said so.
    [[nodiscard]] virtual std::optional<Timestamp> blocked_until() const = 0;
    /// The provider's Retry-After; stored before anything else happens.
    virtual Task<> block_until(Timestamp when) = 0;
    /// Nothing for a service whose addresses the provider and the operator name.
    [[nodiscard]] virtual const Account* account() const { return nullptr; }
    /// For the log.
    [[nodiscard]] virtual const std::string& connection_id() const = 0;
};

}  // namespace calhost::plugin
