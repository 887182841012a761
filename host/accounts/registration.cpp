#include "accounts/registration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "accounts/common_password.h"
#include "base/encoding.h"

namespace calhost::accounts {
namespace {

constexpr std::size_t kShortestPassword = 12;  // characters
constexpr std::size_t kLongestPassword = 128;  // bytes
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestAddress = 254;
constexpr std::size_t kLongestLocalPart = 64;
constexpr std::size_t kLongestLabel = 63;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (c & 0xc0) != 0x80; }));
}

bool is_domain_label(std::string_view label) {
    const auto is_allowed = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return c == '-' || byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z');
    };
    return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
           label.back() != '-' && std::ranges::all_of(label, is_allowed);
}

bool is_domain(std::string_view domain) {
    std::size_t labels = 0;
    for (;; ++labels) {
        const auto dot = domain.find('.');
        if (!is_domain_label(domain.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return labels > 0;
        domain.remove_prefix(dot + 1);
    }
}

bool is_local_part(std::string_view local) {
    const auto is_refused = [](char c) {
        return is_control(c) || std::string_view(" \"(),:;<>@[\\]").contains(c);
    };
    return !local.empty() && local.size() <= kLongestLocalPart && local.front() != '.' &&
           local.back() != '.' && !local.contains("..") && std::ranges::none_of(local, is_refused);
}

std::optional<std::string> complaint_about_password(std::string_view password) {
    if (!is_utf8(password)) return "The password is not valid UTF-8 text.";
    if (count_characters(password) < kShortestPassword)
        return fmt::format("The password needs at least {} characters.", kShortestPassword);
    if (password.size() > kLongestPassword)
        return fmt::format("The password may have at most {} bytes.", kLongestPassword);
    if (is_common_password(password))
        return "This password is one of those that are tried first. Choose another, such as four "
               "unrelated words.";
    return std::nullopt;
}

std::optional<std::string> complaint_about_name(std::string_view name) {
    if (name.size() > kLongestName)
        return fmt::format("The name may have at most {} bytes.", kLongestName);
    if (!is_utf8(name) || std::ranges::any_of(name, is_control))
        return "The name has characters that cannot be shown.";
    return std::nullopt;
}

std::optional<std::string> complaint_about_role(const std::string& role,
                                                const AccountOptions& options) {
    const auto& allowed = options.self_service_roles;
    if (role.empty()) return std::nullopt;
    // Even if the settings name it: nobody makes himself an administrator.
    if (role != "admin" && std::ranges::find(allowed, role) != allowed.end()) return std::nullopt;
    if (allowed.empty()) return "No role can be chosen here. Leave it out.";
    return fmt::format("This role cannot be chosen. Leave it out, or choose one of: {}.",
                       fmt::join(allowed, ", "));
}

}  // namespace

bool is_email_address(std::string_view text) {
    const auto at = text.rfind('@');
    return at != std::string_view::npos && text.size() <= kLongestAddress && is_utf8(text) &&
           is_local_part(text.substr(0, at)) && is_domain(text.substr(at + 1));
}

std::vector<FieldError> check_registration(const Registration& registration,
                                           const AccountOptions& options) {
    std::vector<FieldError> errors;
    const auto complain = [&](std::string field, std::optional<std::string> message) {
        if (message) errors.push_back({std::move(field), std::move(*message)});
    };
    if (!is_email_address(registration.email))
        complain("email", "This is not an e-mail address, such as ann@example.com.");
    complain("password", complaint_about_password(registration.password.expose()));
    complain("name", complaint_about_name(registration.name));
    complain("role", complaint_about_role(registration.role, options));
    return errors;
}

}  // namespace calhost::accounts
