/// GET /readyz and GET /metrics, served on `server.ops_listen` only.
#pragma once

#include "api/context.h"
#include "api/metrics.h"

namespace calhost::api {

/// *Ownership*: both outlive the handler. *Thread*: the worker's whose context it is.
net::Handler operations_handler(Context& context, Metrics& metrics);

}  // namespace calhost::api
