// Grants outlive the program, as they do at the real providers: `save` and `restore` as JSON.
#include <functional>

#include "base/json.h"
#include "sandbox/grants.h"

namespace calhost::sandbox {
namespace {

std::int64_t integer(const json::value& object, std::string_view name) {
    const auto* found = json::find(object, name);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

std::string text(const json::value& object, std::string_view name) {
    return std::string(json::text_of(object, name));
}

Scopes read_scopes(const json::value& object) {
    const auto list = split_scopes(json::text_of(object, "scopes"));
    return {list.begin(), list.end()};
}

/// Calls `use` with every object of the list `name`.
void each(const json::value& memory, std::string_view name,
          const std::function<void(const json::value&)>& use) {
    const auto* list = json::find(memory, name);
    if (list == nullptr || !list->is_array()) return;
    for (const auto& item : list->get_array()) use(item);
}

}  // namespace

json::object Grants::save() const {
    json::array grants, access, refresh, consents;
    for (const auto& [number, grant] : grants_)
        grants.push_back({{"number", static_cast<std::int64_t>(number)},
                          {"email", grant.email},
                          {"scopes", join_scopes(grant.scopes)},
                          {"refresh_token", grant.refresh_token},
                          {"refresh_expires", to_millis(grant.refresh_expires)}});
    for (const auto& [token, entry] : access_tokens_)
        access.push_back({{"token", token},
                          {"grant", static_cast<std::int64_t>(entry.grant)},
                          {"expires", to_millis(entry.expires)}});
    for (const auto& [token, number] : refresh_tokens_)
        refresh.push_back({{"token", token}, {"grant", static_cast<std::int64_t>(number)}});
    for (const auto& [email, scopes] : consents_)
        consents.push_back({{"email", email}, {"scopes", join_scopes(scopes)}});
    return {{"grants", std::move(grants)},
            {"access_tokens", std::move(access)},
            {"refresh_tokens", std::move(refresh)},
            {"consents", std::move(consents)}};
}

void Grants::restore(const json::value& memory) {
    each(memory, "grants", [&](const json::value& item) {
        const auto number = static_cast<std::uint64_t>(integer(item, "number"));
        grants_[number] = {.email = text(item, "email"),
                           .scopes = read_scopes(item),
                           .refresh_token = text(item, "refresh_token"),
                           .refresh_expires = from_millis(integer(item, "refresh_expires")),
                           .number = number};
        last_grant_ = std::max(last_grant_, number);
    });
    each(memory, "access_tokens", [&](const json::value& item) {
        const auto grant = static_cast<std::uint64_t>(integer(item, "grant"));
        if (grants_.contains(grant))
            access_tokens_[text(item, "token")] = {grant, from_millis(integer(item, "expires"))};
    });
    each(memory, "refresh_tokens", [&](const json::value& item) {
        const auto grant = static_cast<std::uint64_t>(integer(item, "grant"));
        if (grants_.contains(grant)) refresh_tokens_[text(item, "token")] = grant;
    });
    each(memory, "consents",
         [&](const json::value& item) { consents_[text(item, "email")] = read_scopes(item); });
}

}  // namespace calhost::sandbox
