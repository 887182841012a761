// Bookings as signed webhooks: for applications that send events rather than keep them in step.
#include <array>

#include "accounts/applications.h"
#include "api/booking_answer.h"
#include "api/booking_body.h"
#include "api/context.h"
#include "api/describe.h"
#include "api/problem.h"
#include "api/webhook.h"
#include "base/log.h"
#include "booking/accept.h"

namespace calhost::api {
namespace {

using Type = std::pair<std::string_view, std::string_view>;
/// What an event's type makes of the booking.
constexpr std::array kTypes{Type{"booking.confirmed", "confirmed"},
                            Type{"booking.rescheduled", "confirmed"},
                            Type{"booking.cancelled", "cancelled"}};
constexpr int kMostApplications = 200;

std::unexpected<Error> unreadable(const storage::Application& row, const Error& error) {
    log::error("a webhook secret does not open",
               {{"application", row.id}, {"reason", error.message}});
    return fail(ErrorCode::misconfigured,
                "Nobody whose secret can be opened signed this message, and not every secret can "
                "be: the operator's log has the details.");
}

/// The application whose secret signed it. Every one is tried: the sender names himself only so.
/// One whose secret cannot be opened keeps no other from sending.
Result<std::optional<std::string>> find_sender(Context& context, const WebhookHeaders& headers,
                                               std::string_view body) {
    auto& services = context.services;
    accounts::Applications secrets(services.database, services.keys, services.clock,
                                   services.random);
    auto rows = storage::list_applications(services.database.reader(), {}, kMostApplications);
    if (!rows) return fail(std::move(rows.error()));
    Result<std::optional<std::string>> nobody;
    for (const auto& row : *rows) {
        if (row.sealed_webhook_secret.empty()) continue;
        const auto secret = secrets.webhook_secret(row);
        if (!secret)
            nobody = unreadable(row, secret.error());
        else if (is_signed(headers, body, *secret))
            return row.id;
    }
    return nobody;
}

/// Empty, with a complaint, for a type that is none.
std::string status_of(Body& body) {
    const auto type = body.required_text("type");
    const auto* found = std::ranges::find(kTypes, type, &Type::first);
    if (found != kTypes.end()) return std::string(found->second);
    if (!type.empty())
        body.complain("type",
                      "type must be booking.confirmed, booking.rescheduled or booking.cancelled");
    return {};
}

Task<net::Response> take_event(Context& context, net::Request& request) {
    const auto headers = read_webhook_headers(request, context.services.clock.now());
    if (!headers) co_return host_problem(headers.error(), request.request_id);
    auto sender = find_sender(context, *headers, request.body);
    if (!sender) co_return host_problem(sender.error(), request.request_id);
    if (!*sender)
        co_return problem(401, "unauthorized", "No application of this host signed this message.",
                          request.request_id);
    auto body = Body::read(request);
    if (!body) co_return body.error();
    auto status = status_of(*body);
    auto member = body->object("booking");
    auto read = read_booking(member, member.required_text("id"), std::move(status));
    body->take_errors(member);
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    read.booking.application_id = **sender;
    const accounts::Principal principal{.application_id = **sender};
    auto stored =
        co_await booking::accept_message(context.services, std::move(read.booking),
                                         {principal.name(), request.request_id}, headers->id);
    if (!stored) co_return booking_refused(stored.error(), request);
    if (!*stored)
        co_return net::Response::json(202, {{"success", true}, {"message", "Known already"}});
    context.wake_jobs();
    co_return booking_accepted(context, **stored, read.warnings, principal, request);
}

}  // namespace

void add_booking_webhook(net::Router& router, Context& context) {
    router.add({"POST", "/api/bookings/events", open_to_all(context, take_event),
                describe_body("bookings", "open",
                              "The same as a signed webhook (Standard Webhooks headers)",
                              {{"type", "string"}, {"booking", "object"}})});
}

}  // namespace calhost::api
