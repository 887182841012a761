#include "api/operations.h"

#include "api/problem.h"
#include "base/json.h"
#include "storage/plugin_store.h"

namespace calhost::api {
namespace {

/// A disk that refused a write is tried again: a host that gets no requests writes little.
Task<bool> can_write(Context& context) {
    auto& database = context.services.database;
    if (database.takes_writes()) co_return true;
    const auto now = context.services.clock.now();
    const auto tried = co_await database.write([now](storage::Sql& sql) {
        return storage::put_plugin_value(sql, "calhost", "readyz", "", now, now);
    });
    co_return tried.has_value();
}

/// Ready: the store answers and takes writes, a key is there, providers are loaded. Push needs a
/// public https address.
Task<net::Response> readiness(Context& context) {
    bool has_storage = false;
    const auto asked = context.services.database.reader().query(
        "SELECT 1", {}, [&](const storage::Row&) { has_storage = true; });
    std::string_view store = "ok";
    if (!asked || !has_storage)
        store = "does not answer";
    else if (!co_await can_write(context))
        store = "takes no writes: its disk is full or fails";
    const bool is_ready = store == "ok";
    json::object checks{{"storage", store},
                        {"key", context.services.keys.current()->active()},
                        {"providers", context.services.providers.all().size()},
                        {"push", context.options.public_url.starts_with("https://")}};
    co_return net::Response::json(
        is_ready ? 200 : 503,
        {{"status", is_ready ? "ready" : "not ready"}, {"checks", std::move(checks)}});
}

Task<net::Response> answer(Context& context, Metrics& metrics, net::Request& request) {
    if (request.path == "/readyz") co_return co_await readiness(context);
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
