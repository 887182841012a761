/// An answer as bytes.
#pragma once

#include <string>
#include <string_view>

#include "net/message.h"

namespace calhost::net {

/// What the server knows about an answer besides the answer.
struct ResponseContext {
    std::string_view request_id;
    std::string_view date;  ///< IMF-fixdate
    bool is_http_1_0 = false;
    bool keep_alive = true;
    bool is_secure = false;
};

/// True for a status that has no body and no Content-Length (RFC 9110 section 8.6).
constexpr bool is_bodiless(int status) { return status < 200 || status == 204 || status == 304; }

/// True when status and fields can be sent as they are: no line break has crept in.
bool is_sendable(const Response& response);

/// Appends status line, fields and the empty line. The security fields are added unless the
/// handler set them; what is the server's business is taken from `context` only.
void write_head(std::string& out, const Response& response, const ResponseContext& context);

}  // namespace calhost::net
