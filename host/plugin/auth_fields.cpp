#include "plugin/auth_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "net/url.h"

namespace calhost::plugin {
namespace {

constexpr std::array kKinds{"text", "password", "url"};
// Members of the body that are not the account's.
constexpr std::array kTaken{"account", "purpose"};

std::vector<AuthField> basic_fields() {
    return {{"url", "Address of the server", "url", true, ""},
            {"username", "User name", "text", true, ""},
            {"password", "Password", "password", true, ""}};
}

std::unexpected<Error> wrong(std::string message) {
    return fail(ErrorCode::misconfigured, std::move(message));
}

bool has_name(const std::vector<AuthField>& fields, std::string_view name) {
    return std::ranges::find(fields, name, &AuthField::name) != fields.end();
}

Result<AuthField> read_field(const json::value& item) {
    AuthField field{.name = std::string(json::text_of(item, "name")),
                    .title = std::string(json::text_of(item, "title")),
                    .kind = std::string(json::text_of(item, "kind")),
                    .is_required = true,
                    .help = std::string(json::text_of(item, "help"))};
    if (field.kind.empty()) field.kind = "text";
    const auto* required = json::find(item, "required");
    field.is_required = required == nullptr || *required == true;
    if (field.name.empty() || field.title.empty())
        return wrong("each of auth.fields needs name and title");
    if (std::ranges::find(kTaken, field.name) != kTaken.end())
        return wrong(fmt::format("auth.fields: the name {} is taken", field.name));
    if (std::ranges::find(kKinds, field.kind) == kKinds.end())
        return wrong(fmt::format("auth.fields.{}: kind must be text, password or url", field.name));
    return field;
}

Result<void> check_origins(const AuthPreset& preset) {
    for (std::string origin : preset.origins) {
        if (const auto star = origin.find("*."); star != std::string::npos) origin.erase(star, 2);
        const auto parsed = net::Url::parse(origin);
        if (!parsed || !parsed->is_tls || parsed->target != "/")
            return wrong(fmt::format("auth.presets: {} names no https origin", preset.title));
    }
    return {};
}

}  // namespace

Result<std::vector<AuthField>> read_auth_fields(const json::value& auth, std::string_view kind) {
    std::vector<AuthField> fields;
    if (const auto* list = json::find(auth, "fields"); list != nullptr && list->is_array())
        for (const auto& item : list->get_array()) {
            auto field = read_field(item);
            if (!field) return fail(field.error());
            if (has_name(fields, field->name))
                return wrong(fmt::format("auth.fields has {} twice", field->name));
            fields.push_back(std::move(*field));
        }
    if (kind != "basic") return fields;
    if (fields.empty()) return basic_fields();
    for (const auto* name : {"url", "username", "password"})
        if (!has_name(fields, name)) return wrong(fmt::format("auth.fields needs {}", name));
    return fields;
}

Result<std::vector<AuthPreset>> read_auth_presets(const json::value& auth) {
    std::vector<AuthPreset> presets;
    const auto* list = json::find(auth, "presets");
    if (list == nullptr || !list->is_array()) return presets;
    for (const auto& item : list->get_array()) {
        AuthPreset preset{.title = std::string(json::text_of(item, "title")),
                          .url = std::string(json::text_of(item, "url")),
                          .example = std::string(json::text_of(item, "example")),
                          .origins = {},
                          .help = std::string(json::text_of(item, "help"))};
        if (const auto* origins = json::find(item, "origins");
            origins != nullptr && origins->is_array())
            for (const auto& origin : origins->get_array())
                if (origin.is_string()) preset.origins.emplace_back(origin.get_string());
        if (preset.title.empty()) return wrong("each of auth.presets needs a title");
        if (!preset.url.empty() && !net::Url::parse(preset.url))
            return wrong(fmt::format("auth.presets: the url of {} is none", preset.title));
        if (auto checked = check_origins(preset); !checked) return fail(checked.error());
        presets.push_back(std::move(preset));
    }
    return presets;
}

}  // namespace calhost::plugin
