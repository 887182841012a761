#include "base/json.h"

#include <fmt/format.h>

#include <cmath>

namespace calhost::json {
namespace {

/// Boost.JSON reads 1e400 as infinity and would write it back as `Infinity`, which is not JSON.
bool is_finite(const value& v) {
    if (const auto* number = v.if_double()) return std::isfinite(*number);
    if (const auto* items = v.if_array()) return std::ranges::all_of(*items, is_finite);
    if (const auto* members = v.if_object())
        return std::ranges::all_of(*members, [](const auto& m) { return is_finite(m.value()); });
    return true;
}

}  // namespace

Result<value> parse(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = 32;
    boost::system::error_code ec;
    value parsed = boost::json::parse(text, ec, {}, options);
    if (ec) return fail(ErrorCode::invalid, fmt::format("not JSON: {}", ec.message()));
    if (!is_finite(parsed)) return fail(ErrorCode::invalid, "not JSON: a number out of range");
    return parsed;
}

std::string serialize(const value& value) { return boost::json::serialize(value); }

const value* find(const object& members, std::string_view name) {
    const auto* found = members.if_contains(name);
    return found != nullptr && !found->is_null() ? found : nullptr;
}

const value* find(const value& value, std::string_view name) {
    const auto* members = value.if_object();
    return members != nullptr ? find(*members, name) : nullptr;
}

std::string_view text_of(const object& members, std::string_view name) {
    const auto* found = find(members, name);
    const auto* text = found != nullptr ? found->if_string() : nullptr;
    return text != nullptr ? std::string_view(*text) : std::string_view();
}

std::string_view text_of(const value& value, std::string_view name) {
    const auto* members = value.if_object();
    return members != nullptr ? text_of(*members, name) : std::string_view();
}

}  // namespace calhost::json
