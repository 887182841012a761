// What a person chooses for a connection.
#include "api/body.h"
#include "api/context.h"
#include "api/describe.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "connect/choice.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using Chosen = std::expected<storage::Connection, connect::ChoiceFailure>;

constexpr std::size_t kMostCalendars = 200;

net::Response failed(const connect::ChoiceFailure& failure, const net::Request& request) {
    std::vector<accounts::FieldError> errors;
    for (const auto& [field, message] : failure.fields) errors.push_back({field, message});
    if (!errors.empty()) return invalid_fields(errors, request.request_id);
    return provider_problem(failure.error, request.request_id);
}

Task<net::Response> change_connection(Context& context, net::Request& request,
                                      Principal principal) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    storage::ConnectionChoice choice{
        .sync_enabled = body->boolean("sync_enabled"),
        .busy_calendars = body->texts("busy_calendars", kMostCalendars),
        .takes_bookings = body->boolean("takes_bookings")};
    if (auto id = body->text("calendar_id"); !id.empty()) choice.calendar_id = std::move(id);
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    const std::string id(request.path_parameter("id"));
    auto chosen = co_await context.homes.run<Chosen>(
        id, [user_id = principal.user_id, id, choice](const sync::Home& home) {
            return connect::choose(*home.services, *home.keeper, user_id, id, choice);
        });
    if (!chosen) co_return failed(chosen.error(), request);
    context.wake_jobs();
    co_return net::Response::json(200, connection_shape(*chosen));
}

}  // namespace

void add_choice_routes(net::Router& router, Context& context) {
    router.add({"PATCH", "/api/calendar/connections/{id}", signed_in(context, change_connection),
                describe_body("calendar", "user",
                              "Which calendar takes bookings, which count as busy, whether it is "
                              "synced",
                              {{"sync_enabled?", "boolean"},
                               {"calendar_id?", "string"},
                               {"busy_calendars?", "array"},
                               {"takes_bookings?", "boolean"}})});
}

}  // namespace calhost::api
