#include "connect/field_form.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/url.h"

namespace calhost::connect {
namespace {

using plugin::AuthField;

std::string_view value_of(const EnteredFields& fields, std::string_view name) {
    const auto found = fields.find(std::string(name));
    return found == fields.end() ? std::string_view() : found->second.expose();
}

/// What would end a header or a line somewhere.
bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<net::Url> parse_address(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return fail(ErrorCode::invalid, "empty");
    text = text.substr(first, text.find_last_not_of(' ') - first + 1);
    return net::Url::parse(text.contains("://") ? std::string(text)
                                                : fmt::format("https://{}", text));
}

std::string origin_text(const net::Url& url) {
    return fmt::format("{}://{}", url.is_tls ? "https" : "http", url.authority());
}

/// The sentence about a field, or nothing.
std::string check_field(const plugin::ProviderInfo& provider, const AuthField& field,
                        std::string_view value) {
    if (value.empty())
        return field.is_required ? fmt::format("{} is missing", field.name) : std::string();
    if (has_control(value))
        return fmt::format("{} holds a character that no one types", field.name);
    if (field.kind == "url" && !parse_address(value))
        return fmt::format("{} must be an address such as https://cloud.example.org", field.name);
    // RFC 7617 section 2.
    if (provider.auth.kind == "basic" && field.name == "username" && value.contains(':'))
        return fmt::format("{} must not hold a colon", field.name);
    return {};
}

Secret token_of(const plugin::ProviderInfo& provider, const EnteredFields& fields) {
    const auto password = value_of(fields, field_of_kind(provider, "password"));
    if (provider.auth.kind != "basic") return Secret(std::string(password));
    return Secret(fmt::format("{}:{}", value_of(fields, "username"), password));
}

}  // namespace

std::string field_of_kind(const plugin::ProviderInfo& provider, std::string_view kind) {
    const auto found = std::ranges::find(provider.auth.fields, kind, &AuthField::kind);
    return found == provider.auth.fields.end() ? std::string() : found->name;
}

const plugin::AuthPreset* preset_of(const plugin::ProviderInfo& provider, std::string_view url) {
    const auto entered = net::Url::parse(url);
    const auto found = std::ranges::find_if(provider.auth.presets, [&](const auto& preset) {
        const auto known = net::Url::parse(preset.url);
        return entered && known && known->origin() == entered->origin();
    });
    return found == provider.auth.presets.end() ? nullptr : &*found;
}

std::expected<ReadForm, std::vector<FieldProblem>> read_form(const plugin::ProviderInfo& provider,
                                                             const EnteredFields& fields) {
    ReadForm form;
    std::vector<FieldProblem> problems;
    std::string address = provider.endpoints.api;
    for (const auto& field : provider.auth.fields) {
        const auto value = value_of(fields, field.name);
        if (auto message = check_field(provider, field, value); !message.empty())
            problems.push_back({field.name, std::move(message)});
        else if (field.kind == "text")
            form.account.data[field.name] = value;
        else if (field.kind == "url" && !value.empty())
            address = value;
    }
    if (!problems.empty()) return std::unexpected(std::move(problems));
    const auto url = parse_address(address);
    if (!url) return std::unexpected(std::vector<FieldProblem>{{"url", "url is missing"}});
    form.account.url = origin_text(*url) + url->target;
    form.account.origins.insert(origin_text(*url));
    if (const auto* preset = preset_of(provider, form.account.url))
        form.account.origins.insert(preset->origins.begin(), preset->origins.end());
    form.token = token_of(provider, fields);
    return form;
}

}  // namespace calhost::connect
