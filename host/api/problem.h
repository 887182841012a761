/// Every error answer of the host has one shape and comes from here (RFC 9457, http-api section 1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accounts/accounts.h"
#include "net/message.h"

namespace calhost::api {

/// The Retry-After of a 503 whose end nobody knows, in seconds: a full disk waits for a person.
inline constexpr std::string_view kRetryLater = "30";

/// `code` is the stable snake_case word, `detail` a sentence for people.
net::Response problem(int status, std::string_view code, std::string_view detail,
                      std::string_view request_id);

/// 422 with `errors`.
net::Response invalid_fields(const std::vector<accounts::FieldError>& errors,
                             std::string_view request_id, std::string_view code = "invalid");

/// A fault of the store or of the host itself: `unavailable` is 503.
net::Response host_problem(const Error& error, std::string_view request_id);

/// A fault on the provider's side: 502 (`unavailable`, `invalid_response`), 504, 503 with
/// Retry-After
/// (`rate_limited`), 409 (`needs_reauth`), 500 (`misconfigured`).
net::Response provider_problem(const Error& error, std::string_view request_id);

}  // namespace calhost::api
