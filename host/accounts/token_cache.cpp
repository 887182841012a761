#include "accounts/token_cache.h"

namespace calhost::accounts {

std::optional<Principal> TokenCache::find(std::string_view token, Timestamp now) {
    const auto found = entries_.find(hash_(token));
    if (found == entries_.end()) return std::nullopt;
    if (found->second.expires_at < now) {
        entries_.erase(found);
        return std::nullopt;
    }
    return found->second;
}

void TokenCache::store(std::string_view token, Principal principal, Timestamp now) {
    if (entries_.size() >= capacity_)
        std::erase_if(entries_, [&](const auto& each) { return each.second.expires_at < now; });
    // Full of living tokens: starting over costs each of them one signature, once.
    if (entries_.size() >= capacity_) entries_.clear();
    entries_.insert_or_assign(hash_(token), std::move(principal));
}

void TokenCache::drop_user(std::string_view user_id) {
    std::erase_if(entries_, [&](const auto& each) { return each.second.user_id == user_id; });
}

void TokenCache::drop_key(std::string_view key_id) {
    std::erase_if(entries_, [&](const auto& each) { return each.second.key_id == key_id; });
}

void TokenCache::drop_application(std::string_view application_id) {
    std::erase_if(entries_,
                  [&](const auto& each) { return each.second.application_id == application_id; });
}

}  // namespace calhost::accounts
