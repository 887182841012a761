#include "api/operations.h"

#include "api/problem.h"
#include "base/json.h"

namespace calhost::api {
namespace {

/// Ready: the store answers, a key is there, providers are loaded. Push needs a public https
/// address.
net::Response readiness(Context& context) {
    bool has_storage = false;
    const auto asked = context.services.database.reader().query(
        "SELECT 1", {}, [&](const storage::Row&) { has_storage = true; });
    const bool is_ready = asked.has_value() && has_storage;
    json::object checks{{"storage", is_ready ? "ok" : "does not answer"},
                        {"key", context.services.keys.current()->active()},
                        {"providers", context.services.providers.all().size()},
                        {"push", context.options.public_url.starts_with("https://")}};
    return net::Response::json(is_ready ? 200 : 503, {{"status", is_ready ? "ready" : "not ready"},
                                                      {"checks", std::move(checks)}});
}

Task<net::Response> answer(Context& context, Metrics& metrics, net::Request& request) {
    if (request.path == "/readyz") co_return readiness(context);
    if (request.path == "/metrics") {
        auto response = net::Response::text(200, metrics.text(context.services.database.reader()));
        response.headers.set("Content-Type", "text/plain; version=0.0.4");
        co_return response;
    }
    co_return problem(404, "not_found", "Here are /readyz and /metrics.", request.request_id);
}

}  // namespace

net::Handler operations_handler(Context& context, Metrics& metrics) {
    return [&](net::Request& request) { return answer(context, metrics, request); };
}

}  // namespace calhost::api
