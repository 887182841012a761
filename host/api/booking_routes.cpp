// Bookings: applications send them, and whoever takes part may read them.
#include <fmt/format.h>

#include <charconv>

#include "api/body.h"
#include "api/booking_answer.h"
#include "api/booking_body.h"
#include "api/booking_shapes.h"
#include "api/context.h"
#include "api/describe.h"
#include "api/moment.h"
#include "api/page.h"
#include "api/problem.h"
#include "booking/accept.h"
#include "connect/jobs.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using storage::Booking;

net::Response not_found(const net::Request& request) {
    return problem(404, "not_found", "There is no such booking.", request.request_id);
}

Task<net::Response> put_booking(Context& context, net::Request& request, Principal principal) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    auto read = read_booking(*body, std::string(request.path_parameter("id")),
                             body->required_text("status"));
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    read.booking.application_id = principal.application_id;
    auto stored = co_await booking::accept(context.services, std::move(read.booking),
                                           {principal.name(), request.request_id});
    if (!stored) co_return booking_refused(stored.error(), request);
    context.wake_jobs();
    co_return booking_accepted(context, *stored, read.warnings, principal, request);
}

Task<net::Response> get_booking(Context& context, net::Request& request, Principal principal) {
    auto& sql = context.services.database.reader();
    const auto id = request.path_parameter("id");
    auto found = principal.is_application()
                     ? storage::find_booking(sql, principal.application_id, id)
                     : storage::find_booking_of_user(sql, principal.user_id, id);
    if (!found) co_return host_problem(found.error(), request.request_id);
    if (!*found) co_return not_found(request);
    auto shape = booking_shape(context.services, **found, principal);
    if (!shape) co_return host_problem(shape.error(), request.request_id);
    co_return net::Response::json(200, std::move(*shape));
}

/// The key of a page: start and number.
std::string key_of(const Booking& booking) {
    return fmt::format("{} {}", to_millis(booking.starts_at), booking.number);
}

std::optional<std::pair<Timestamp, std::int64_t>> parse_key(const std::string& key) {
    std::int64_t millis = 0, number = 0;
    const auto* end = key.data() + key.size();
    const auto first = std::from_chars(key.data(), end, millis);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, number);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    return std::pair(from_millis(millis), number);
}

std::expected<storage::BookingQuery, net::Response> read_query(const net::Request& request,
                                                               const Page& page,
                                                               const Principal& principal) {
    storage::BookingQuery query{.application_id = principal.application_id,
                                .user_id = principal.user_id,
                                .status = std::string(request.query.get("status")),
                                .limit = page.limit + 1};
    std::vector<accounts::FieldError> errors;
    const auto zone = request.query.get("time_zone");
    const auto read = [&](const char* name, std::optional<Timestamp>& into) {
        if (request.query.get(name).empty()) return;
        const auto moment = read_moment(request.query.get(name), zone);
        if (moment)
            into = moment->when;
        else
            errors.push_back(
                {name, fmt::format("{} must be a time such as 2026-11-21T09:00:00Z", name)});
    };
    read("from", query.from);
    read("to", query.to);
    if (!page.after.empty()) query.after = parse_key(page.after);
    if (!page.after.empty() && !query.after)
        errors.push_back({"cursor", "cursor must be next_cursor of an answer of this list"});
    if (!errors.empty()) return std::unexpected(invalid_fields(errors, request.request_id));
    return query;
}

Task<net::Response> list_bookings(Context& context, net::Request& request, Principal principal) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    const auto query = read_query(request, *page, principal);
    if (!query) co_return query.error();
    auto rows = storage::list_bookings(context.services.database.reader(), *query);
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    auto next = cut(*rows, *page, key_of);
    json::array bookings;
    for (const auto& row : *rows) {
        auto shape = booking_shape(context.services, row, principal);
        if (!shape) co_return host_problem(shape.error(), request.request_id);
        bookings.push_back(std::move(*shape));
    }
    co_return net::Response::json(
        200, {{"bookings", std::move(bookings)}, {"next_cursor", std::move(next)}});
}

Task<net::Response> sync_bookings(Context& context, net::Request& request, Principal principal) {
    auto& services = context.services;
    const auto now = services.clock.now();
    auto done = co_await services.database.write(
        [&](storage::Sql& sql) { return connect::enqueue_bookings(sql, principal.user_id, now); });
    if (!done) co_return host_problem(done.error(), request.request_id);
    context.wake_jobs();
    auto count = storage::count_coming_bookings(services.database.reader(), principal.user_id, now);
    if (!count) co_return host_problem(count.error(), request.request_id);
    co_return net::Response::json(
        202, {{"success", true},
              {"message", "Your coming bookings are on their way to your calendars"},
              {"user_id", principal.user_id},
              {"bookings", *count}});
}

}  // namespace

void add_booking_routes(net::Router& router, Context& context) {
    router.add({"PUT", "/api/bookings/{id}",
                for_application(context, "bookings:write", put_booking),
                describe_body("bookings", "application",
                              "Stores a booking; calendars follow by themselves",
                              {{"version?", "integer"},
                               {"title?", "string"},
                               {"status", "string"},
                               {"start_time", "string"},
                               {"end_time", "string"},
                               {"time_zone?", "string"},
                               {"location?", "string"},
                               {"price?", "string"},
                               {"client", "object"},
                               {"tutor", "object"},
                               {"data?", "object"}})});
    router.add(
        {"GET", "/api/bookings/{id}", for_anyone_known(context, "bookings:read", get_booking),
         describe("bookings", "application", "A booking, with how far each person's calendar is")});
    router.add({"GET", "/api/bookings", for_anyone_known(context, "bookings:read", list_bookings),
                describe("bookings", "application",
                         "The application's bookings, or those the caller takes part in, by start",
                         {{"from", "that end after it"},
                          {"to", "that start before it"},
                          {"status", "pending, confirmed, cancelled or completed"},
                          {"time_zone", "IANA name, for local times"},
                          {"limit", "1 to 200, default 50"},
                          {"cursor", "next_cursor of the page before"}})});
    router.add({"POST", "/api/bookings/sync", signed_in(context, sync_bookings),
                describe("bookings", "user",
                         "Brings all coming confirmed bookings into the caller's calendars")});
}

}  // namespace calhost::api
