// The plugins' own routes.
#include <fmt/format.h>

#include "api/context.h"
#include "api/problem.h"
#include "base/json.h"
#include "plugin/plugins.h"

namespace calhost::api {
namespace {

using plugin::Plugin;
using plugin::PluginRoute;

json::object shape(const accounts::Principal& principal) {
    if (principal.is_application()) return {{"application_id", principal.application_id}};
    return {{"user_id", principal.user_id}, {"role", principal.role}};
}

/// What a script's `nil, {code}` is as an answer.
int status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::unauthorized:
            return 401;
        case ErrorCode::forbidden:
            return 403;
        case ErrorCode::not_found:
            return 404;
        case ErrorCode::already_exists:
        case ErrorCode::conflict:
        case ErrorCode::needs_reauth:
            return 409;
        case ErrorCode::invalid:
        case ErrorCode::unsupported:
            return 422;
        case ErrorCode::rate_limited:
            return 429;
        case ErrorCode::unavailable:
        case ErrorCode::timeout:
            return 503;
        default:
            return 500;
    }
}

Task<net::Response> serve(Plugin& plugin, const PluginRoute& route, net::Request& request,
                          json::object principal) {
    if (request.body.size() > route.body_limit)
        co_return problem(413, "too_large",
                          fmt::format("The body has {} bytes at most here.", route.body_limit),
                          request.request_id);
    auto answer = co_await plugin.serve(route, request, std::move(principal));
    if (answer) co_return std::move(*answer);
    const auto& error = answer.error();
    auto response =
        problem(status_of(error.code), to_string(error.code), error.message, request.request_id);
    if (error.retry_after)
        response.headers.set(
            "Retry-After",
            std::to_string(std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count()));
    co_return response;
}

net::Handler guarded(Context& context, Plugin& plugin, const PluginRoute& route) {
    const UserFunction function = [&plugin, &route](Context&, net::Request& request,
                                                    const accounts::Principal& principal) {
        return serve(plugin, route, request, shape(principal));
    };
    if (route.who == "user") return signed_in(context, function);
    if (route.who == "application") return for_application(context, route.scope, function);
    if (route.who == "admin") return for_admin(context, function);
    return open_to_all(context, net::Handler([&plugin, &route](net::Request& request) {
                           return serve(plugin, route, request, {});
                       }));
}

}  // namespace

Result<void> add_plugin_routes(net::Router& router, Context& context) {
    if (context.services.plugins == nullptr) return {};
    for (const auto& [name, plugin] : context.services.plugins->all())
        for (const auto& route : plugin->info().routes)
            if (!router.try_add(
                    {.method = route.method,
                     .path = route.path,
                     .handler = guarded(context, *plugin, route),
                     .info = {.summary = route.summary, .tag = name, .who = route.who}}))
                return fail(ErrorCode::misconfigured,
                            fmt::format("The plugin {} cannot serve {} {}: the host or another "
                                        "plugin does. Give its route another path.",
                                        name, route.method, route.path));
    return {};
}

}  // namespace calhost::api
