#include "accounts/keys.h"

#include <algorithm>
#include <array>

#include "crypto/crypto.h"

namespace calhost::accounts {
namespace {

constexpr std::string_view kMark = "calhost_";
constexpr std::size_t kRandomCharacters = 43;  // 256 bits as base64url

constexpr std::array<std::string_view, 6> kApplicationScopes{"bookings:read",     "bookings:write",
                                                             "availability:read", "tokens:lease",
                                                             "tokens:receive",    "users:manage"};
constexpr std::array<std::string_view, 4> kUserScopes{kUserScope, kAdminScope, "bookings:read",
                                                      "availability:read"};

bool is_base64url(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

}  // namespace

std::span<const std::string_view> application_scopes() { return kApplicationScopes; }
std::span<const std::string_view> user_scopes() { return kUserScopes; }

bool is_api_key(std::string_view text) {
    return text.size() == kMark.size() + kRandomCharacters && text.starts_with(kMark) &&
           std::ranges::all_of(text.substr(kMark.size()), is_base64url);
}

NewKey make_key(storage::ApiKey row, Timestamp now, Random& random) {
    NewKey made{std::move(row), Secret(std::string(kMark) + new_token(random))};
    made.row.id = new_id(random);
    made.row.hash = crypto::token_hash(made.secret);
    made.row.created_at = now;
    return made;
}

}  // namespace calhost::accounts
