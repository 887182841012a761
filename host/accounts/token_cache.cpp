#include "accounts/token_cache.h"

#include <cstring>

#include "crypto/crypto.h"

namespace calhost::accounts {
namespace {

std::uint64_t index_of(std::string_view digest) {
    std::uint64_t index = 0;
    std::memcpy(&index, digest.data(), sizeof index);
    return index;
}

}  // namespace

std::optional<Principal> TokenCache::find(std::string_view token, Timestamp now) {
    const auto digest = crypto::sha256(token);
    const auto found = entries_.find(index_of(digest));
    if (found == entries_.end() || !crypto::equal(found->second.digest, digest))
        return std::nullopt;
    if (found->second.principal.expires_at < now) {
        entries_.erase(found);
        return std::nullopt;
    }
    return found->second.principal;
}

void TokenCache::store(std::string_view token, Principal principal, Timestamp now) {
    if (entries_.size() >= capacity_)
        std::erase_if(entries_,
                      [&](const auto& each) { return each.second.principal.expires_at < now; });
    // Full of living tokens: starting over costs each of them one signature, once.
    if (entries_.size() >= capacity_) entries_.clear();
    auto digest = crypto::sha256(token);
    const auto index = index_of(digest);
    entries_.insert_or_assign(index, Entry{std::move(digest), std::move(principal)});
}

void TokenCache::drop_user(std::string_view user_id) {
    std::erase_if(entries_,
                  [&](const auto& each) { return each.second.principal.user_id == user_id; });
}

}  // namespace calhost::accounts
