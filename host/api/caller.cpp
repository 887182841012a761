// Who calls, what he may, and how often.
#include <fmt/format.h>

#include "accounts/keys.h"
#include "api/context.h"
#include "api/idempotency.h"
#include "api/problem.h"
#include "net/address.h"

namespace calhost::api {
namespace {

std::string_view bearer_token(const net::Request& request) {
    constexpr std::string_view kScheme = "bearer ";
    const auto header = request.headers.get("Authorization");
    if (header.size() <= kScheme.size()) return {};
    const bool is_bearer =
        std::ranges::equal(header.substr(0, kScheme.size()), kScheme,
                           [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
    return is_bearer ? header.substr(kScheme.size()) : std::string_view();
}

net::Response too_many(milliseconds wait, const std::string& request_id) {
    return host_problem({ErrorCode::rate_limited, "Too many requests. Please wait a moment.", wait},
                        request_id);
}

/// What a request costs its caller, or the answer that refuses it.
std::optional<net::Response> admit(Context& context, const std::string& who,
                                   const net::Request& request) {
    const auto wait = context.limits.take(who);
    if (!wait) return std::nullopt;
    return too_many(*wait, request.request_id);
}

Task<net::Response> answer_at_once(net::Response response) { co_return response; }

using accounts::Principal;

/// Why the caller may not, or nothing.
using Verdict = std::optional<std::string>;
using Rule = Verdict (*)(const Principal& principal, std::string_view scope);

Verdict missing_scope(std::string_view scope) {
    return fmt::format("The API key lacks the scope \"{}\", which this call needs.", scope);
}

Verdict users_only(const Principal& principal, std::string_view /*scope*/) {
    if (principal.is_application())
        return "This call is made by a person for himself; an application's key cannot make it.";
    if (principal.has_key() && !principal.has_scope(accounts::kUserScope))
        return missing_scope(accounts::kUserScope);
    return std::nullopt;
}

Verdict applications_only(const Principal& principal, std::string_view scope) {
    if (!principal.is_application())
        return "Only an application makes this call, with a key that its operator made.";
    return principal.has_scope(scope) ? std::nullopt : missing_scope(scope);
}

Verdict with_scope(const Principal& principal, std::string_view scope) {
    if (principal.is_application()) return applications_only(principal, scope);
    const bool may = !principal.has_key() || principal.has_scope(accounts::kUserScope) ||
                     principal.has_scope(scope);
    return may ? std::nullopt : missing_scope(scope);
}

Verdict admins_only(const Principal& principal, std::string_view /*scope*/) {
    if (principal.is_application() || principal.role != accounts::kAdminRole)
        return "Only an administrator of this host makes this call.";
    if (principal.has_key() && !principal.has_scope(accounts::kAdminScope))
        return missing_scope(accounts::kAdminScope);
    return std::nullopt;
}

/// The function behind authentication, the caller's token bucket and a rule.
net::Handler guarded(Context& context, Rule rule, std::string_view scope, UserFunction function) {
    return [&context, rule, scope,
            function = std::move(function)](net::Request& request) -> Task<net::Response> {
        auto principal = context.accounts.verify(bearer_token(request));
        if (!principal) {
            if (auto refused = admit(context, net::client_network(request.client_address), request))
                return answer_at_once(std::move(*refused));
            return answer_at_once(host_problem(principal.error(), request.request_id));
        }
        const auto& who =
            principal->is_application() ? principal->application_id : principal->user_id;
        if (auto refused = admit(context, who, request)) return answer_at_once(std::move(*refused));
        if (const auto reason = rule(*principal, scope))
            return answer_at_once(problem(403, "forbidden", *reason, request.request_id));
        if (is_idempotent_call(request))
            return answer_once(context, request, std::move(*principal), function);
        return function(context, request, std::move(*principal));
    };
}

}  // namespace

net::Handler signed_in(Context& context, UserFunction function) {
    return guarded(context, users_only, {}, std::move(function));
}

net::Handler for_application(Context& context, std::string_view scope, UserFunction function) {
    return guarded(context, applications_only, scope, std::move(function));
}

net::Handler for_anyone_known(Context& context, std::string_view scope, UserFunction function) {
    return guarded(context, with_scope, scope, std::move(function));
}

net::Handler for_admin(Context& context, UserFunction function) {
    return guarded(context, admins_only, {}, std::move(function));
}

net::Handler open_to_all(Context& context, OpenFunction function) {
    return open_to_all(context, [&context, function](net::Request& request) {
        return function(context, request);
    });
}

net::Handler open_to_all(Context& context, net::Handler handler) {
    return [&context, handler = std::move(handler)](net::Request& request) -> Task<net::Response> {
        if (auto refused = admit(context, net::client_network(request.client_address), request))
            return answer_at_once(std::move(*refused));
        return handler(request);
    };
}

}  // namespace calhost::api
