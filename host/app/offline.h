/// The store without a host: for commands when none is running.
#pragma once

#include <functional>

#include "app/host.h"
#include "connect/services.h"

namespace calhost::app {

/// Most commands do not talk to a provider.
class NoTransport final : public net::Transport {
  public:
    Task<Result<net::ClientResponse>> send(net::ClientRequest /*request*/) override {
        co_return fail(ErrorCode::unavailable, "A command does not call providers.");
    }
};

using OfflineWork = std::function<Task<Result<boost::json::object>>(connect::Services&)>;

/// Opens the store of `options`, runs `work` on this thread and closes it again.
/// *Errors*: those of opening (a host that runs holds the store) and of `work`.
Result<boost::json::object> with_store(const HostOptions& options, const OfflineWork& work);

/// The same for work that calls providers. *Errors*: misconfigured, when one cannot be loaded.
Result<boost::json::object> with_providers(const HostOptions& options, const OfflineWork& work);

}  // namespace calhost::app
