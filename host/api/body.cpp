#include "api/body.h"

#include <fmt/format.h>

#include "api/problem.h"
#include "base/encoding.h"

namespace calhost::api {

std::expected<Body, net::Response> Body::read(const net::Request& request) {
    Body body;
    body.value_ = json::object{};
    if (request.body.empty()) return body;
    auto parsed = json::parse(request.body);
    if (!parsed)
        return std::unexpected(problem(400, "invalid_json",
                                       "The body is " + parsed.error().message + ".",
                                       request.request_id));
    if (!parsed->is_object())
        return std::unexpected(
            problem(422, "invalid", "The body must be a JSON object.", request.request_id));
    body.value_ = std::move(*parsed);
    return body;
}

void Body::complain(std::string_view field, std::string message) {
    errors_.push_back({prefix_ + std::string(field), std::move(message)});
}

Body Body::object(std::string_view name) {
    Body member;
    member.prefix_ = fmt::format("{}{}.", prefix_, name);
    const auto* value = json::find(value_, name);
    if (value != nullptr && !value->is_object())
        complain(name, fmt::format("{} must be an object", name));
    member.value_ = value != nullptr && value->is_object() ? *value : json::value(json::object());
    return member;
}

void Body::take_errors(Body& member) {
    std::ranges::move(member.errors_, std::back_inserter(errors_));
    member.errors_.clear();
}

std::string Body::text(std::string_view name, std::size_t max_bytes) {
    const auto* member = json::find(value_, name);
    if (member == nullptr) return {};
    if (!member->is_string()) {
        complain(name, fmt::format("{} must be text", name));
        return {};
    }
    std::string text(member->get_string());
    if (text.size() > max_bytes)
        complain(name, fmt::format("{} is longer than {} bytes", name, max_bytes));
    if (!is_utf8(text) || text.contains('\0'))
        complain(name, fmt::format("{} is not well-formed text", name));
    return text;
}

std::string Body::required_text(std::string_view name, std::size_t max_bytes) {
    const auto before = errors_.size();
    auto value = text(name, max_bytes);
    if (value.empty() && errors_.size() == before)
        complain(name, fmt::format("{} is missing", name));
    return value;
}

std::optional<bool> Body::boolean(std::string_view name) {
    const auto* member = json::find(value_, name);
    if (member == nullptr) return std::nullopt;
    if (member->is_bool()) return member->get_bool();
    complain(name, fmt::format("{} must be true or false", name));
    return std::nullopt;
}

std::optional<std::int64_t> Body::integer(std::string_view name, std::int64_t least,
                                          std::int64_t most) {
    const auto* member = json::find(value_, name);
    if (member == nullptr) return std::nullopt;
    if (member->is_int64() && member->get_int64() >= least && member->get_int64() <= most)
        return member->get_int64();
    complain(name, fmt::format("{} must be a whole number from {} to {}", name, least, most));
    return std::nullopt;
}

std::optional<std::vector<std::string>> Body::texts(std::string_view name, std::size_t most,
                                                    std::size_t max_bytes) {
    const auto* member = json::find(value_, name);
    if (member == nullptr) return std::nullopt;
    const auto is_fine = [&](const json::value& item) {
        return item.is_string() && !item.get_string().empty() &&
               item.get_string().size() <= max_bytes && is_utf8(item.get_string());
    };
    if (!member->is_array() || member->get_array().size() > most ||
        !std::ranges::all_of(member->get_array(), is_fine)) {
        complain(name, fmt::format("{} must be a list of up to {} texts", name, most));
        return std::nullopt;
    }
    std::vector<std::string> list;
    for (const auto& item : member->get_array()) list.emplace_back(item.get_string());
    return list;
}

}  // namespace calhost::api
