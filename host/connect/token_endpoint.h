/// The provider's token endpoint: code exchange, refresh, revocation (RFC 6749, 7009, 7636).
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "connect/services.h"
#include "plugin/provider_info.h"

namespace calhost::connect {

/// A grant as the token endpoint answered.
struct Grant {
    Secret access_token;
    Secret refresh_token;  ///< may be empty
    std::optional<Timestamp> expires_at;
    std::string scopes;  ///< space separated; empty: as asked (RFC 6749 section 5.1)
};

/// *Errors*, the same for both: needs_reauth (`invalid_grant`: the code or refresh token is no
/// good), misconfigured (`invalid_client` and its like: the operator's fault), rate_limited with
/// `retry_after`, unavailable (5xx, network), timeout, invalid_response. Never retried here.
Task<Result<Grant>> exchange_code(Services& services, const plugin::ProviderInfo& provider,
                                  const std::string& redirect_uri, const Secret& code,
                                  const Secret& verifier);
Task<Result<Grant>> refresh_grant(Services& services, const plugin::ProviderInfo& provider,
                                  const Secret& refresh_token);

/// Revokes where the provider can. True also when the token was gone already.
Task<Result<void>> revoke_token(Services& services, const plugin::ProviderInfo& provider,
                                const Secret& token);

}  // namespace calhost::connect
