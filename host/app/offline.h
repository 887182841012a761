/// The store without a host: for commands when none is running.
#pragma once

#include <functional>

#include "app/host.h"
#include "connect/services.h"

namespace calhost::app {

/// No command talks to a provider.
class NoTransport final : public net::Transport {
  public:
    Task<Result<net::ClientResponse>> send(net::ClientRequest /*request*/) override {
        co_return fail(ErrorCode::unavailable, "A command does not call providers.");
    }
};

/// Opens the store of `options`, runs `work` on this thread and closes it again.
/// *Errors*: those of opening (a host that runs holds the store) and of `work`.
Result<boost::json::object> with_store(
    const HostOptions& options,
    const std::function<Task<Result<boost::json::object>>(connect::Services&)>& work);

}  // namespace calhost::app
