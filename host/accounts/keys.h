/// API keys: what they look like, what they may, and making one.
#pragma once

#include <span>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"
#include "storage/api_keys.h"

namespace calhost::accounts {

/// The scopes of an application's key (http-api section 2).
std::span<const std::string_view> application_scopes();
/// The scopes of a user's own key: `user` is all that its user may, except making keys; `admin`
/// is the calls of the role, while the user has it; the others are single kinds of calls.
std::span<const std::string_view> user_scopes();
inline constexpr std::string_view kUserScope = "user";
inline constexpr std::string_view kAdminScope = "admin";
inline constexpr std::string_view kAdminRole = "admin";

/// Whether the text has the form of a key ("calhost_" and 43 characters of base64url), whose hash
/// is worth looking up; a token of this host never has it.
bool is_api_key(std::string_view text);

/// What a new key is for; `id`, `hash` and `created_at` of the row are made.
struct NewKey {
    storage::ApiKey row;
    Secret secret;  ///< the key itself, which nobody can read again
};
NewKey make_key(storage::ApiKey row, Timestamp now, Random& random);

}  // namespace calhost::accounts
