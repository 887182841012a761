/// Who a verified token was, so that a second look costs a hash and not a signature and a read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "accounts/accounts.h"

namespace calhost::accounts {

/// Holds SHA-256 digests, never tokens; at most `capacity` of them. *Thread*: one worker's.
class TokenCache {
  public:
    explicit TokenCache(std::size_t capacity = 10'000) : capacity_(capacity) {}

    /// Nothing when the token was not seen, or expired (`now` includes the skew).
    std::optional<Principal> find(std::string_view token, Timestamp now);
    void store(std::string_view token, Principal principal, Timestamp now);
    /// Forgets every token of the user.
    void drop_user(std::string_view user_id);
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        std::string digest;
        Principal principal;
    };

    std::size_t capacity_;
    // By the first eight bytes of the digest; the whole of it is compared, in constant time.
    std::unordered_map<std::uint64_t, Entry> entries_;
};

}  // namespace calhost::accounts
