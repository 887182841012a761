/// A grant on its way into the store.
#pragma once

#include "connect/oauth_flow.h"

namespace calhost::connect {

/// Everything that a connection needs, in memory or sealed in `pending_grants`.
struct OauthFlow::Received {
    std::string user_id, provider, account, purpose, return_to;
    Grant grant;
    plugin::Identity identity;
    std::string request_id{};  ///< of the call that stores it; not sealed
};

/// As JSON for sealing, and back. *Errors*: invalid.
Secret write_received(const OauthFlow::Received& received);
Result<OauthFlow::Received> read_received(const Secret& text);

}  // namespace calhost::connect
