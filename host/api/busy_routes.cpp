// When the caller is busy.
#include "api/context.h"
#include "api/describe.h"
#include "api/moment.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "availability/busy.h"
#include "base/json.h"
#include "calendar/zone.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using calendar::Window;

constexpr std::chrono::days kMostDays{366};

std::expected<Window, std::vector<accounts::FieldError>> read_window(const net::Query& query) {
    std::vector<accounts::FieldError> errors;
    const auto zone = query.get("time_zone");
    if (!zone.empty() && !calendar::is_zone(zone))
        errors.push_back({"time_zone", "time_zone is not a known zone"});
    const auto read = [&](const char* name) {
        const auto moment = read_moment(query.get(name), zone);
        if (!moment && errors.empty())
            errors.push_back({name, std::string(name) +
                                        " must be a time such as 2026-11-21T09:00:00Z, or a local "
                                        "time with time_zone"});
        return moment.value_or(Moment{}).when;
    };
    const Window window{read("from"), read("to")};
    if (errors.empty() && window.finish <= window.start)
        errors.push_back({"to", "to must be after from"});
    if (errors.empty() && window.finish - window.start > kMostDays)
        errors.push_back({"to", "at most 366 days can be asked for"});
    if (!errors.empty()) return std::unexpected(std::move(errors));
    return window;
}

json::object source_shape(const availability::Source& source) {
    const auto& row = source.connection;
    return {{"id", row.id},
            {"provider", row.provider},
            {"account", row.account},
            {"source", source.is_live ? "provider" : "stored"},
            {"as_of", time_or_null(source.as_of)},
            {"error", source.error ? json::value(source.error->message) : json::value(nullptr)}};
}

Task<net::Response> free_busy(Context& context, net::Request& request, Principal principal) {
    const auto window = read_window(request.query);
    if (!window) co_return invalid_fields(window.error(), request.request_id);
    auto answer = co_await availability::find_busy(context.services, context.homes,
                                                   principal.user_id, *window);
    if (!answer) co_return provider_problem(answer.error(), request.request_id);
    json::array busy, sources;
    for (const auto& block : answer->busy)
        busy.push_back({{"start_time", format_rfc3339(block.start)},
                        {"end_time", format_rfc3339(block.finish)}});
    bool is_complete = true;
    for (const auto& source : answer->sources) {
        is_complete = is_complete && !source.error;
        sources.push_back(source_shape(source));
    }
    co_return net::Response::json(200, {{"busy", std::move(busy)},
                                        {"complete", is_complete},
                                        {"connections", std::move(sources)}});
}

}  // namespace

void add_busy_routes(net::Router& router, Context& context) {
    router.add({"GET", "/api/calendar/freebusy", signed_in(context, free_busy),
                describe("calendar", "user",
                         "When the caller is busy, merged over all connections; what could not be "
                         "asked is said for each",
                         {{"from", "RFC 3339, or a local time with time_zone"},
                          {"to", "at most 366 days later"},
                          {"time_zone", "IANA name, for local times"}})});
}

}  // namespace calhost::api
