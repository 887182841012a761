#include "api/begin.h"

#include <fmt/format.h>

#include "api/problem.h"
#include "base/encoding.h"
#include "base/json.h"

namespace calhost::api {
namespace {

constexpr std::string_view kRedirectUser =
    "Redirect user to this URL to grant calendar permissions";

bool is_label(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

/// The cookie that shows at the callback that it is the same browser.
void set_flow_cookie(const Context& context, net::Response& response, const connect::Begun& begun) {
    const bool is_secure = context.options.public_url.starts_with("https://");
    response.headers.add(
        "Set-Cookie",
        fmt::format("{}={}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax{}", begun.cookie_name,
                    begun.cookie_value, is_secure ? "; Secure" : ""));
}

std::string text_or(std::string_view text, std::string_view fallback) {
    return std::string(text.empty() ? fallback : text);
}

}  // namespace

std::expected<connect::Begin, net::Response> read_begin(const net::Request& request,
                                                        const std::string& user_id) {
    connect::Begin begin{.user_id = user_id,
                         .provider = text_or(request.query.get("provider"), "google"),
                         .account = text_or(request.query.get("account"), "primary"),
                         .purpose = text_or(request.query.get("purpose"), "full"),
                         .return_to = std::string(request.query.get("return_to")),
                         .login_hint = std::string(request.query.get("login_hint"))};
    std::vector<accounts::FieldError> errors;
    if (!is_label(begin.account))
        errors.push_back(
            {"account", "account must be up to 64 letters, digits, dots, dashes and underscores"});
    if (begin.purpose != "full" && begin.purpose != "availability")
        errors.push_back({"purpose", "purpose must be full or availability"});
    if (!begin.return_to.empty() && !plugin::is_frontend_path(begin.return_to))
        errors.push_back(
            {"return_to", "return_to must be a path of the frontend such as /settings"});
    if (begin.login_hint.size() > 320) errors.push_back({"login_hint", "login_hint is too long"});
    if (!errors.empty()) return std::unexpected(invalid_fields(errors, request.request_id));
    return begin;
}

net::Response begin_problem(const Error& error, std::string_view request_id) {
    if (error.code == ErrorCode::misconfigured)
        return problem(500, "provider_not_configured", error.message, request_id);
    return host_problem(error, request_id);
}

Task<net::Response> begin_as_json(Context& context, net::Request& request, connect::Begin begin) {
    begin.is_navigation = false;
    const auto user_id = begin.user_id;
    const auto provider = begin.provider;
    auto begun = co_await context.flow.begin(std::move(begin));
    if (!begun) co_return begin_problem(begun.error(), request.request_id);
    auto response = net::Response::json(200, {{"authorization_url", begun->authorization_url},
                                              {"already_connected", false},
                                              {"message", kRedirectUser},
                                              {"user_id", user_id},
                                              {"provider", provider}});
    set_flow_cookie(context, response, *begun);
    co_return response;
}

Task<net::Response> begin_as_redirect(Context& context, net::Request& request,
                                      connect::Begin begin) {
    begin.is_navigation = true;
    auto begun = co_await context.flow.begin(std::move(begin));
    if (!begun) co_return begin_problem(begun.error(), request.request_id);
    auto response = net::Response::redirect(begun->authorization_url);
    set_flow_cookie(context, response, *begun);
    co_return response;
}

bool prefers_html(const net::Request& request) {
    return request.headers.get("Accept").contains("text/html");
}

bool accepts_only_json(const net::Request& request) {
    return request.headers.get("Accept") == "application/json";
}

std::string landing_url(Context& context, const storage::Connection& connection,
                        const std::string& return_to, std::string_view name,
                        std::string_view value) {
    std::string path = return_to;
    if (path.empty()) {
        auto user = context.accounts.find(connection.user_id);
        const json::object who{{"id", connection.user_id},
                               {"role", user ? user->role : std::string()},
                               {"email", user ? user->email : std::string()},
                               {"name", user ? user->name : std::string()}};
        const json::object what{{"id", connection.id},
                                {"provider", connection.provider},
                                {"account", connection.account},
                                {"email", connection.email}};
        path = context.rules.connection_redirect(who, what, {{name, value}}).value_or("/dashboard");
    }
    const auto fragment = path.find('#');
    const std::string tail = fragment == std::string::npos ? std::string() : path.substr(fragment);
    path.resize(std::min(fragment, path.size()));
    return fmt::format("{}{}{}{}={}{}", context.options.frontend_url, path,
                       path.contains('?') ? "&" : "?", name, percent_encode(value), tail);
}

}  // namespace calhost::api
