#include "plugin/provider_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>

#include "base/encoding.h"
#include "base/json.h"

namespace calhost::plugin {
namespace {

std::vector<std::string> strings(const json::value* list) {
    std::vector<std::string> words;
    if (list == nullptr || !list->is_array()) return words;
    for (const auto& item : list->get_array())
        if (item.is_string()) words.emplace_back(item.get_string());
    return words;
}

std::map<std::string, std::vector<std::string>> string_lists(const json::value* table) {
    std::map<std::string, std::vector<std::string>> lists;
    if (table != nullptr && table->is_object())
        for (const auto& member : table->get_object())
            lists[member.key()] = strings(&member.value());
    return lists;
}

AuthInfo read_auth(const json::value& auth) {
    AuthInfo info;
    if (const auto kind = json::text_of(auth, "kind"); !kind.empty()) info.kind = kind;
    if (const auto* parameters = json::find(auth, "parameters");
        parameters != nullptr && parameters->is_object())
        for (const auto& member : parameters->get_object())
            info.parameters.emplace_back(member.key(), json::text_of(*parameters, member.key()));
    std::ranges::sort(info.parameters);  // Lua tables have no order; the same URL every time
    info.identity_scopes = strings(json::find(auth, "identity_scopes"));
    info.scopes = string_lists(json::find(auth, "scopes"));
    info.covers = string_lists(json::find(auth, "covers"));
    return info;
}

std::map<int, std::vector<std::string>> read_throttled(const json::value* table) {
    std::map<int, std::vector<std::string>> throttled;
    if (table != nullptr && table->is_object())
        for (const auto& member : table->get_object())
            throttled[std::atoi(std::string(member.key()).c_str())] = strings(&member.value());
    return throttled;
}

std::string host_of(std::string_view url) {
    const auto parsed = boost::urls::parse_uri(url);
    return parsed ? std::string(parsed->encoded_host_and_port()) : std::string();
}

bool covers(const AuthInfo& auth, const std::string& granted, const std::string& wanted) {
    if (granted == wanted) return true;
    const auto found = auth.covers.find(granted);
    return found != auth.covers.end() &&
           std::ranges::find(found->second, wanted) != found->second.end();
}

/// Puts texts of the section where an address of the script has their names in braces:
/// "https://login.example/{tenant}/token".
std::string filled_in(std::string url, const json::object& values) {
    for (const auto& [name, value] : values) {
        const auto mark = fmt::format("{{{}}}", std::string_view(name));
        const auto at = url.find(mark);
        if (at != std::string::npos && value.is_string())
            url.replace(at, mark.size(), percent_encode(value.as_string()));
    }
    return url;
}

}  // namespace

std::vector<std::string> ProviderInfo::asked_scopes(const std::string& purpose) const {
    auto scopes = auth.identity_scopes;
    if (const auto found = auth.scopes.find(purpose); found != auth.scopes.end())
        scopes.insert(scopes.end(), found->second.begin(), found->second.end());
    return scopes;
}

std::string ProviderInfo::missing_scope(const std::string& purpose,
                                        const std::vector<std::string>& granted) const {
    const auto wanted = auth.scopes.find(purpose);
    if (wanted == auth.scopes.end()) return {};
    for (const auto& scope : wanted->second) {
        const auto is_granted = [&](const auto& have) { return covers(auth, have, scope); };
        if (std::ranges::none_of(granted, is_granted)) return scope;
    }
    return {};
}

std::set<std::string> ProviderInfo::hosts() const {
    std::set<std::string> hosts;
    for (const auto& url : {endpoints.userinfo, endpoints.api})
        if (auto host = host_of(url); !host.empty()) hosts.insert(std::move(host));
    return hosts;
}

Result<ProviderInfo> read_provider_info(const json::value& table) {
    ProviderInfo info;
    info.id = json::text_of(table, "id");
    info.title = json::text_of(table, "title");
    if (info.id.empty() || info.title.empty())
        return fail(ErrorCode::misconfigured,
                    "the provider's table needs id and title; does the file end with `return M`?");
    const auto* version = json::find(table, "api");
    if (version == nullptr || !version->is_int64() || version->get_int64() != 1)
        return fail(
            ErrorCode::misconfigured,
            fmt::format("provider {} is not written for this host: it needs api = 1", info.id));
    if (const auto* can = json::find(table, "can"); can != nullptr && can->is_object())
        info.can = can->get_object();
    const auto* auth = json::find(table, "auth");
    if (auth == nullptr)
        return fail(ErrorCode::misconfigured, fmt::format("provider {} needs auth", info.id));
    info.auth = read_auth(*auth);
    auto fields = read_auth_fields(*auth, info.auth.kind);
    if (!fields) return fail(fields.error());
    info.auth.fields = std::move(*fields);
    auto presets = read_auth_presets(*auth);
    if (!presets) return fail(presets.error());
    info.auth.presets = std::move(*presets);
    info.endpoints = {.authorize = std::string(json::text_of(*auth, "authorize")),
                      .token = std::string(json::text_of(*auth, "token")),
                      .revoke = std::string(json::text_of(*auth, "revoke")),
                      .userinfo = std::string(json::text_of(*auth, "userinfo")),
                      .api = std::string(json::text_of(table, "base_url")),
                      .issuer = std::string(json::text_of(*auth, "issuer"))};
    info.throttled = read_throttled(json::find(table, "throttled"));
    return info;
}

void apply_section(ProviderInfo& info, const json::object& values,
                   const json::object& open_values) {
    const json::value section = values;
    info.client_id = json::text_of(section, "client_id");
    info.client_secret = Secret(std::string(json::text_of(section, "client_secret")));
    info.redirect_uri = json::text_of(section, "redirect_uri");
    info.config = open_values;
    auto& shown = info.config["endpoints"];
    if (!shown.is_object()) shown.emplace_object();
    const auto* given = json::find(section, "endpoints");
    auto& own = info.endpoints;
    for (const auto& [name, endpoint] : {std::pair{"authorize", &own.authorize},
                                         {"token", &own.token},
                                         {"revoke", &own.revoke},
                                         {"userinfo", &own.userinfo},
                                         {"api", &own.api},
                                         {"issuer", &own.issuer}}) {
        const auto url = given != nullptr ? json::text_of(*given, name) : std::string_view();
        *endpoint = url.empty() ? filled_in(*endpoint, open_values) : std::string(url);
        shown.get_object()[name] = *endpoint;
    }
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

}  // namespace calhost::plugin
