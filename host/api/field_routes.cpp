// Connecting an account at an address that a person enters.
#include <fmt/format.h>

#include "api/begin.h"
#include "api/body.h"
#include "api/describe.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "connect/field_flow.h"

namespace calhost::api {
namespace {

using accounts::Principal;

/// Attempts before a person has to wait, longer after each further one. Good ones count too, so
/// that nobody buys more with his own server.
constexpr int kFreeAttempts = 10;
constexpr std::size_t kLongestUrl = 2048;

/// `account`, `purpose` and `return_to` may stand in the query or in the body.
void join_query(net::Request& request, Body& body) {
    net::Query query;
    query.add("provider", std::string(request.path_parameter("provider")));
    for (const auto* name : {"account", "purpose", "return_to"}) {
        auto value = body.text(name, kLongestUrl);
        if (value.empty()) value = request.query.get(name);
        if (!value.empty()) query.add(name, std::move(value));
    }
    request.query = std::move(query);
}

connect::EnteredFields read_fields(const plugin::ProviderInfo& provider, Body& body) {
    connect::EnteredFields fields;
    for (const auto& field : provider.auth.fields)
        fields.emplace(field.name, Secret(body.text(field.name, kLongestUrl)));
    return fields;
}

net::Response failed(const connect::FieldFailure& failure, const net::Request& request) {
    std::vector<accounts::FieldError> errors;
    for (const auto& [field, message] : failure.fields) errors.push_back({field, message});
    if (!errors.empty()) return invalid_fields(errors, request.request_id, failure.word);
    // "Please wait" comes from the person's server: it is no fault of this request.
    return failure.error.code == ErrorCode::rate_limited
               ? provider_problem(failure.error, request.request_id)
               : host_problem(failure.error, request.request_id);
}

net::Response connected(Context& context, const storage::Connection& connection,
                        const std::string& return_to) {
    const auto landing = landing_url(context, connection, return_to, "connected", "success");
    return net::Response::json(connection.generation == 1 ? 201 : 200,
                               {{"connected", true},
                                {"message", "Calendar connected and ready for sync"},
                                {"user_id", connection.user_id},
                                {"provider", connection.provider},
                                {"account", connection.account},
                                {"connection", connection_shape(connection)},
                                {"return_url", landing}});
}

Task<net::Response> connect_with_fields(Context& context, net::Request& request,
                                        Principal principal) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    join_query(request, *body);
    auto begin = read_begin(request, principal.user_id);
    if (!begin) co_return begin.error();
    connect::FieldForm form{.user_id = principal.user_id,
                            .provider = begin->provider,
                            .account = begin->account,
                            .purpose = begin->purpose,
                            .request_id = request.request_id};
    if (const auto* provider = context.services.providers.find(form.provider); provider != nullptr)
        form.fields = read_fields(provider->info(), *body);
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    const auto key = fmt::format("connect:{}", principal.user_id);
    if (const auto wait = context.throttle.remaining(key); wait > milliseconds{0})
        co_return host_problem(
            {ErrorCode::rate_limited, "Too many attempts. Please wait a moment.", wait},
            request.request_id);
    context.throttle.failed(key, kFreeAttempts);
    connect::FieldFlow flow(context.services);
    auto connection = co_await flow.connect(std::move(form));
    if (!connection) co_return failed(connection.error(), request);
    context.wake_jobs();
    co_return connected(context, *connection, begin->return_to);
}

}  // namespace

void add_field_routes(net::Router& router, Context& context) {
    router.add({"POST", "/api/calendar/connect/{provider}", signed_in(context, connect_with_fields),
                describe_body("connections", "user",
                              "Connect with the fields that GET /api/providers names, such as "
                              "these of CalDAV",
                              {{"url?", "string"},
                               {"username?", "string"},
                               {"password?", "string"},
                               {"account?", "string"},
                               {"purpose?", "string"},
                               {"return_to?", "string"}})});
}

}  // namespace calhost::api
