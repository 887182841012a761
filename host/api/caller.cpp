// Who calls, and how often he may.
#include "api/context.h"
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

}  // namespace

net::Handler signed_in(Context& context, UserFunction function) {
    return [&context, function](net::Request& request) -> Task<net::Response> {
        auto principal = context.accounts.verify(bearer_token(request));
        if (!principal) {
            if (auto refused = admit(context, net::client_network(request.client_address), request))
                return answer_at_once(std::move(*refused));
            return answer_at_once(host_problem(principal.error(), request.request_id));
        }
        if (auto refused = admit(context, principal->user_id, request))
            return answer_at_once(std::move(*refused));
        return function(context, request, std::move(*principal));
    };
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
