/// Signed webhooks as the Standard Webhooks specification has them: headers `webhook-id`,
/// `webhook-timestamp` (Unix seconds) and `webhook-signature` ("v1,<base64>", several with spaces
/// between), HMAC-SHA256 of "<id>.<timestamp>.<body>".
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"
#include "net/message.h"

namespace calhost::api {

/// How far a message's own time may be off, either way.
inline constexpr std::chrono::minutes kWebhookAge{5};

struct WebhookHeaders {
    std::string id;
    std::string timestamp;
    std::string signatures;
};
/// *Errors*: unauthorized, for a header that is missing or a time that is too far off.
Result<WebhookHeaders> read_webhook_headers(const net::Request& request, Timestamp now);

/// `key` is what stands behind "whsec_", decoded. In constant time for each signature.
bool is_signed(const WebhookHeaders& headers, std::string_view body, const Secret& key);

}  // namespace calhost::api
