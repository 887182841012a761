#include "plugin/http_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "config/values.h"
#include "lua/json.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Type;

constexpr std::array<std::string_view, 8> kOptions{"query", "headers", "json",   "form",
                                                   "body",  "timeout", "method", "url"};
constexpr std::size_t kVerbOptions = 6;  ///< the last two are of `http:request` alone

/// The longest that one request may wait.
constexpr int kMostSeconds = 60;

std::string scalar_text(const Reader& value) {
    if (value.type() == Type::boolean) return value.boolean() ? "true" : "false";
    if (const auto whole = value.integer()) return std::to_string(*whole);
    if (const auto number = value.number()) return fmt::format("{}", *number);
    return std::string(value.string());
}

/// A table of names and scalars as a query or form; sorted, since Lua tables have no order.
std::string encoded_pairs(const Reader& table) {
    std::vector<std::pair<std::string, std::string>> pairs;
    table.each_field([&](std::string_view name, const Reader& value) {
        pairs.emplace_back(name, scalar_text(value));
    });
    std::ranges::sort(pairs);
    net::Query query;
    for (auto& [name, value] : pairs) query.add(std::move(name), std::move(value));
    return query.to_string();
}

Result<void> read_body(const Reader& options, net::ClientRequest& request) {
    Result<void> outcome;
    options.with_field("json", [&](const Reader& value) {
        if (value.is_nil()) return;
        auto text = lua::json_text(value);
        if (!text) return static_cast<void>(outcome = fail(text.error()));
        request.body = std::move(*text);
        request.headers.set("Content-Type", "application/json");
    });
    options.with_field("form", [&](const Reader& value) {
        if (!value.is_table()) return;
        request.body = encoded_pairs(value);
        request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    });
    if (const auto body = options.string_field("body"); !body.empty()) request.body = body;
    return outcome;
}

/// What is wrong with an option that there is; empty: nothing.
std::string fault_of(std::string_view name, const Reader& value) {
    if (value.is_nil() || name == "json") return {};
    if (name == "body" || name == "method" || name == "url")
        return value.type() == Type::string ? "" : fmt::format("{} must be a text", name);
    if (name == "timeout") {
        const auto seconds = value.number();
        const bool is_good = seconds && *seconds > 0 && *seconds <= kMostSeconds;
        return is_good ? "" : fmt::format("timeout must be seconds, {} at most", kMostSeconds);
    }
    if (!value.is_table()) return fmt::format("{} must be a table of names and values", name);
    std::string fault;
    value.each_field([&](std::string_view key, const Reader& one) {
        const auto type = one.type();
        const bool is_scalar = type == Type::number || type == Type::boolean;
        const bool is_good =
            type == Type::string || one.is_nil() || (is_scalar && name != "headers");
        if (!is_good) fault = fmt::format("{}.{} must be a text", name, key);
    });
    return fault;
}

std::string unknown(std::string_view name, std::span<const std::string_view> known) {
    return fmt::format("there is no option {}; {}", name, config::suggestion(name, known));
}

}  // namespace

void check_options(lua::Call& call, int index, HttpCallForm form) {
    const auto options = call.argument(index);
    if (options.is_nil() && form == HttpCallForm::verb) return;
    if (!options.is_table()) call.refuse(index, "a table of options is expected");
    const auto known = std::span<const std::string_view>(kOptions).first(
        form == HttpCallForm::verb ? kVerbOptions : kOptions.size());
    std::string fault;
    options.each_field([&](std::string_view name, const Reader& value) {
        if (fault.empty())
            fault = std::ranges::find(known, name) == known.end() ? unknown(name, known)
                                                                  : fault_of(name, value);
    });
    if (!fault.empty()) call.refuse(index, fault);
    if (form == HttpCallForm::request && options.string_field("method").empty())
        call.refuse(index, "method is missing");
}

Result<void> read_options(const Reader& options, net::ClientRequest& request) {
    if (!options.is_table()) return {};
    options.with_field("headers", [&](const Reader& table) {
        if (!table.is_table()) return;
        table.each_field([&](std::string_view name, const Reader& value) {
            if (!value.is_nil()) request.headers.set(name, std::string(value.string()));
        });
    });
    options.with_field("timeout", [&](const Reader& seconds) {
        if (const auto given = seconds.number())
            request.timeout = milliseconds{std::llround(*given * 1000)};
    });
    options.with_field("query", [&](const Reader& table) {
        if (!table.is_table()) return;
        if (const auto query = encoded_pairs(table); !query.empty())
            request.url += (request.url.contains('?') ? "&" : "?") + query;
    });
    return read_body(options, request);
}

}  // namespace calhost::plugin
