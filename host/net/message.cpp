#include "net/message.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "net/text.h"

namespace calhost::net {
namespace {

constexpr std::size_t kUsualFields = 8;

}  // namespace

std::string_view Headers::get(std::string_view name) const {
    for (const auto& [key, value] : fields_)
        if (is_same_word(key, name)) return value;
    return {};
}

bool Headers::has(std::string_view name) const {
    return std::ranges::any_of(fields_, [&](const auto& f) { return is_same_word(f.first, name); });
}

void Headers::set(std::string_view name, std::string value) {
    remove(name);
    add(std::string(name), std::move(value));
}

void Headers::add(std::string name, std::string value) {
    if (fields_.empty()) fields_.reserve(kUsualFields);
    fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
    std::erase_if(fields_, [&](const auto& field) { return is_same_word(field.first, name); });
}

Result<Query> Query::parse(std::string_view text) {
    Query query;
    while (!text.empty()) {
        const auto pair = take_until(text, '&');
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = percent_decode(pair.substr(0, equals), true);
        auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value) return fail(ErrorCode::invalid, "A percent escape is broken.");
        if (!is_utf8(*name) || !is_utf8(*value))
            return fail(ErrorCode::invalid, "The text is not UTF-8.");
        query.add(std::move(*name), std::move(*value));
    }
    return query;
}

std::string_view Query::get(std::string_view name) const {
    for (const auto& [key, value] : fields_)
        if (key == name) return value;
    return {};
}

bool Query::has(std::string_view name) const {
    return std::ranges::any_of(fields_, [&](const auto& field) { return field.first == name; });
}

void Query::add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
}

std::string Query::to_string() const {
    std::string text;
    for (const auto& [name, value] : fields_) {
        if (!text.empty()) text += '&';
        text += percent_encode(name) + '=' + percent_encode(value);
    }
    return text;
}

std::string_view Request::path_parameter(std::string_view name) const {
    for (const auto& [key, value] : path_parameters)
        if (key == name) return value;
    return {};
}

std::string_view Request::cookie(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (!is_same_word(key, "Cookie")) continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto pair = trim(take_until(rest, ';'));
            const auto equals = pair.find('=');
            if (equals != pair.npos && pair.substr(0, equals) == name)
                return pair.substr(equals + 1);
        }
    }
    return {};
}

Result<Query> Request::form() const {
    std::string_view type = headers.get("Content-Type");
    if (!is_same_word(trim(take_until(type, ';')), "application/x-www-form-urlencoded"))
        return Query{};
    return Query::parse(body);
}

Response Response::json(int status, const boost::json::value& body) {
    return {status, {{"Content-Type", "application/json"}}, calhost::json::serialize(body)};
}

Response Response::json_text(std::string body) {
    return {200, {{"Content-Type", "application/json"}}, std::move(body)};
}

Response Response::html(int status, std::string body) {
    return {status, {{"Content-Type", "text/html; charset=utf-8"}}, std::move(body)};
}

Response Response::text(int status, std::string body) {
    return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

Response Response::redirect(std::string location, int status) {
    return {status, {{"Location", std::move(location)}}, {}};
}

}  // namespace calhost::net
