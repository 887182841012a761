/// Who a verified token or key was, so that a second look costs a hash and not a signature and a
/// read.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "accounts/accounts.h"
#include "crypto/keyed_hash.h"

namespace calhost::accounts {

/// Holds keyed hashes, never tokens; at most `capacity` of them. Nobody outside knows the key, so
/// nobody can make a token that meets another's hash, or learn anything from how long a look takes.
/// *Thread*: one worker's.
class TokenCache {
  public:
    explicit TokenCache(Random& random, std::size_t capacity = 10'000)
        : hash_(random), capacity_(capacity) {}

    /// Nothing when the token was not seen, or expired (`now` includes the skew).
    std::optional<Principal> find(std::string_view token, Timestamp now);
    void store(std::string_view token, Principal principal, Timestamp now);
    /// Forgets every token of the user.
    void drop_user(std::string_view user_id);
    void drop_key(std::string_view key_id);
    void drop_application(std::string_view application_id);
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct FirstWord {
        std::size_t operator()(const crypto::KeyedHash::Value& hash) const { return hash[0]; }
    };

    crypto::KeyedHash hash_;
    std::size_t capacity_;
    std::unordered_map<crypto::KeyedHash::Value, Principal, FirstWord> entries_;
};

}  // namespace calhost::accounts
