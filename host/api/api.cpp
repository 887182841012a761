#include <fmt/format.h>

#include "api/context.h"
#include "api/problem.h"

namespace calhost::api {
namespace {

constexpr std::string_view kMethods = "GET, POST, PUT, PATCH, DELETE";
constexpr std::string_view kHeaders =
    "Authorization, Content-Type, Idempotency-Key, X-CSRF-Token, X-Request-Id";

/// The origin, if it may call from a browser (CORS); never `*`.
std::string_view allowed_origin(const ApiOptions& options, const net::Request& request) {
    const auto origin = request.headers.get("Origin");
    const bool is_allowed = !origin.empty() && std::ranges::find(options.allowed_origins, origin) !=
                                                   options.allowed_origins.end();
    return is_allowed ? origin : std::string_view();
}

void add_cors(net::Response& response, std::string_view origin) {
    response.headers.add("Vary", "Origin");
    if (origin.empty()) return;
    response.headers.set("Access-Control-Allow-Origin", std::string(origin));
    response.headers.set("Access-Control-Allow-Credentials", "true");
    response.headers.set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
}

bool is_preflight(const net::Request& request) {
    return request.method == "OPTIONS" && request.headers.has("Access-Control-Request-Method");
}

net::Response preflight(std::string_view origin) {
    net::Response response;
    response.status = 204;
    if (origin.empty()) return response;
    response.headers.set("Access-Control-Allow-Methods", std::string(kMethods));
    response.headers.set("Access-Control-Allow-Headers", std::string(kHeaders));
    response.headers.set("Access-Control-Max-Age", "600");
    return response;
}

}  // namespace

Api::Api(Context& context) : context_(&context) {
    router_.not_found = [](const net::Request& request) {
        return problem(404, "not_found",
                       "There is nothing here. GET /openapi.json lists what there is.",
                       request.request_id);
    };
    router_.wrong_method = [](const net::Request& request, const std::string& allow) {
        return problem(405, "method_not_allowed",
                       fmt::format("{} is not served here; {} is.", request.method, allow),
                       request.request_id);
    };
    add_open_routes(router_, context);
    add_admin_job_routes(router_, context);
    add_audit_routes(router_, context);
    add_auth_routes(router_, context);
    add_key_routes(router_, context);
    add_application_routes(router_, context);
    add_user_routes(router_, context);
    add_lease_routes(router_, context);
    add_connect_routes(router_, context);
    add_callback_routes(router_, context);
    add_field_routes(router_, context);
    add_calendar_routes(router_, context);
    add_choice_routes(router_, context);
    add_booking_routes(router_, context);
    add_booking_webhook(router_, context);
    add_feed_routes(router_, context);
    add_busy_routes(router_, context);
    add_test_routes(router_, context);
}

Task<net::Response> Api::handle(net::Request& request) {
    return request.headers.has("Origin") ? handle_from_page(request) : router_.dispatch(request);
}

Task<net::Response> Api::handle_from_page(net::Request& request) {
    const std::string origin(allowed_origin(context_->options, request));
    auto response = is_preflight(request) ? preflight(origin) : net::Response{};
    if (!is_preflight(request)) response = co_await router_.dispatch(request);
    add_cors(response, origin);
    co_return response;
}

void Api::on_change(const storage::Change& change) {
    if (change.table == "connections") context_->status_answers.erase(change.user_id);
    if (change.table == "users") context_->status_answers.erase(change.id);
}

}  // namespace calhost::api
