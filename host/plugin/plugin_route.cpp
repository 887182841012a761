// Requests to a plugin's own routes, as tables, and its answers.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "lua/json.h"
#include "plugin/plugin.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Writer;

constexpr lua::Budget kRouteBudget{.instructions = 100'000'000, .deadline = milliseconds{30'000}};

/// What only the host may see: who has them is that person.
bool is_credential(std::string_view name) { return name == "authorization" || name == "cookie"; }

std::string lower(std::string_view name) {
    std::string text(name);
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return text;
}

/// Everything that the script sees, taken before the first wait.
lua::Push push_request(const net::Request& request, boost::json::object principal) {
    boost::json::object params, query, headers;
    for (const auto& [name, value] : request.path_parameters) params[name] = value;
    for (const auto& [name, value] : request.query)
        if (!query.contains(name)) query[name] = value;
    for (const auto& [name, value] : request.headers)
        if (const auto key = lower(name); !is_credential(key) && !headers.contains(key))
            headers[key] = value;
    boost::json::object table{{"method", request.method},
                              {"path", request.target.substr(0, request.target.find('?'))},
                              {"params", std::move(params)},
                              {"query", std::move(query)},
                              {"headers", std::move(headers)},
                              {"raw_body", request.body},
                              {"request_id", request.request_id}};
    if (!principal.empty()) table["principal"] = std::move(principal);
    if (auto body = json::parse(request.body)) table["body"] = std::move(*body);
    return [table = std::move(table)](Writer& writer) { writer.json(table); };
}

Result<void> read_headers(const Reader& headers, net::Response& response) {
    if (headers.is_nil()) return {};
    if (!headers.is_table()) return fail(ErrorCode::invalid, "headers must be a table of texts");
    Result<void> outcome;
    headers.each_field([&](std::string_view name, const Reader& value) {
        const bool is_good =
            value.type() == lua::Type::string && !value.string().contains('\n') &&
            !value.string().contains('\r') && !name.empty() &&
            std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
        if (is_good)
            response.headers.set(name, std::string(value.string()));
        else
            outcome = fail(ErrorCode::invalid, "headers must be a table of texts");
    });
    return outcome;
}

Result<net::Response> read_answer(const Reader& answer) {
    if (!answer.is_table())
        return fail(ErrorCode::invalid, "a handler must return { status, headers?, json or body }");
    net::Response response;
    const auto status = answer.integer_field("status").value_or(200);
    if (status < 200 || status > 599) return fail(ErrorCode::invalid, "status must be 200 to 599");
    response.status = static_cast<int>(status);
    Result<void> outcome;
    answer.with_field("json", [&](const Reader& value) {
        if (value.is_nil()) return;
        auto text = lua::json_text(value);
        if (!text) return static_cast<void>(outcome = fail(text.error()));
        response.body = std::move(*text);
        response.headers.set("Content-Type", "application/json");
    });
    if (const auto body = answer.string_field("body"); !body.empty()) response.body = body;
    answer.with_field("headers", [&](const Reader& headers) {
        if (auto read = read_headers(headers, response); !read) outcome = read;
    });
    if (!outcome) return fail(outcome.error());
    return response;
}

}  // namespace

lua::Ref Plugin::handler(const PluginRoute& route) {
    lua::Ref found;
    state_->look(state_->member(table_, "routes"), [&](const Reader& routes) {
        routes.with_item(route.number, [&](const Reader& item) {
            item.with_field("handler",
                            [&](const Reader& function) { found = state_->keep(function); });
        });
    });
    return found;
}

Task<Result<net::Response>> Plugin::serve(const PluginRoute& route, const net::Request& request,
                                          boost::json::object principal) {
    if (auto admitted = breaker_.admit(); !admitted) co_return fail(admitted.error());
    std::vector<lua::Push> arguments{context_->push(), push_request(request, std::move(principal))};
    Result<net::Response> response = fail(ErrorCode::invalid_response, "no answer");
    const auto outcome = co_await state_->call(
        handler(route), std::move(arguments), kRouteBudget,
        [&](std::span<const Reader> results) -> Result<void> {
            if (results.empty()) return fail(ErrorCode::invalid, "a handler must return a table");
            response = read_answer(results.front());
            if (!response) return fail(response.error());
            return {};
        });
    breaker_.report(outcome ? lua::Overrun::none : outcome.error().overrun);
    if (!outcome) co_return fail(report(outcome.error(), "routes " + route.path));
    co_return response;
}

}  // namespace calhost::plugin
