// Reading and ending connections: status, sync, calendars, disconnect.
#include "api/context.h"
#include "api/day_range.h"
#include "api/describe.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "api/sync_answer.h"
#include "base/json.h"

namespace calhost::api {
namespace {

using accounts::Principal;

constexpr std::size_t kRememberedUsers = 10'000;

connect::Selection selection_of(const net::Request& request) {
    return {.provider = std::string(request.query.get("provider")),
            .account = std::string(request.query.get("account")),
            .id = {}};
}

net::Response not_connected(const net::Request& request) {
    return problem(400, "calendar_not_connected",
                   "Calendar not connected. Please authorize calendar access first.",
                   request.request_id);
}

/// The hot path: a status that did not change is answered from memory.
Task<net::Response> status(Context& context, net::Request& request, Principal principal) {
    const auto question = request.target.find('?');
    const auto query =
        question == std::string::npos ? std::string() : request.target.substr(question);
    if (const auto user = context.status_answers.find(principal.user_id);
        user != context.status_answers.end())
        if (const auto answer = user->second.find(query); answer != user->second.end())
            co_return net::Response::json_text(answer->second);
    auto rows = connect::select(context.services, principal.user_id, selection_of(request));
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    auto body = json::serialize(status_shape(principal.user_id, *rows));
    if (context.status_answers.size() >= kRememberedUsers) context.status_answers.clear();
    auto& answers = context.status_answers[principal.user_id];
    if (answers.size() < 8) answers.insert_or_assign(query, body);
    co_return net::Response::json_text(std::move(body));
}

Task<net::Response> list_connections(Context& context, net::Request& request, Principal principal) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    auto rows = connect::select(context.services, principal.user_id, {});
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    auto next = cut_whole(*rows, *page, [](const storage::Connection& row) { return row.id; });
    json::array list;
    for (const auto& row : *rows) list.push_back(connection_shape(row));
    co_return net::Response::json(
        200, {{"connections", std::move(list)}, {"next_cursor", std::move(next)}});
}

Task<net::Response> sync_now(Context& context, net::Request& request, Principal principal) {
    auto rows = connect::select(context.services, principal.user_id, selection_of(request));
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    if (rows->empty()) co_return not_connected(request);
    auto synced = co_await sync_all(context, std::move(*rows), "success");
    if (!synced) co_return provider_problem(synced.error(), request.request_id);
    co_return std::move(*synced);
}

Task<net::Response> disconnect(Context& context, net::Request& request, Principal principal) {
    auto selection = selection_of(request);
    selection.id = request.path_parameter("id");
    const bool is_one = !selection.id.empty();
    auto count = co_await connect::disconnect(context.services, principal.user_id,
                                              std::move(selection), request.request_id);
    if (!count) co_return host_problem(count.error(), request.request_id);
    if (is_one && *count == 0)
        co_return problem(404, "not_found", "There is no such connection.", request.request_id);
    context.wake_jobs();
    co_return net::Response::json(200, {{"success", true},
                                        {"message", "Calendar disconnected successfully"},
                                        {"user_id", principal.user_id},
                                        {"disconnected", *count}});
}

Task<net::Response> list_calendars(Context& context, net::Request& request, Principal principal) {
    auto rows = connect::select(context.services, principal.user_id, selection_of(request));
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    if (rows->empty()) co_return not_connected(request);
    const auto page = read_page(request);
    if (!page) co_return page.error();
    std::vector<storage::CalendarRow> all;
    for (const auto& row : *rows) {
        using Calendars = Result<std::vector<storage::CalendarRow>>;
        auto calendars =
            co_await context.homes.run<Calendars>(row.id, [row](const sync::Home& home) {
                return connect::read_calendars(*home.services, *home.keeper, row);
            });
        if (!calendars) co_return provider_problem(calendars.error(), request.request_id);
        std::ranges::move(*calendars, std::back_inserter(all));
    }
    auto next = cut_whole(all, *page, [](const storage::CalendarRow& calendar) {
        return calendar.connection_id + " " + calendar.id;
    });
    json::array list;
    for (const auto& calendar : all) list.push_back(calendar_shape(calendar));
    co_return net::Response::json(
        200, {{"calendars", std::move(list)}, {"next_cursor", std::move(next)}});
}

constexpr QueryParameter kProvider{"provider", "only of this provider"};
constexpr QueryParameter kAccount{"account", "only of this account label"};

}  // namespace

void add_calendar_routes(net::Router& router, Context& context) {
    const auto add = [&](std::string method, std::string path, UserFunction function,
                         std::string_view summary) {
        router.add({std::move(method), std::move(path), signed_in(context, function),
                    describe("calendar", "user", summary, {kProvider, kAccount})});
    };
    const auto add_list = [&](std::string path, UserFunction function, std::string_view summary) {
        router.add({"GET", std::move(path), signed_in(context, function),
                    describe("calendar", "user", summary, {kProvider, kAccount, kLimit, kCursor})});
    };
    add("GET", "/api/calendar/status", status, "Is a calendar connected, and how is it");
    add_list("/api/calendar/connections", list_connections, "The caller's connections");
    add("POST", "/api/calendar/sync", sync_now, "Sync now; the events of the next 30 days");
    add("DELETE", "/api/calendar/disconnect", disconnect, "Disconnect all, or those that match");
    add("DELETE", "/api/calendar/connections/{id}", disconnect, "Disconnect one");
    add_list("/api/calendar/calendars", list_calendars, "The calendars of the connected accounts");
    add("POST", "/api/calendar/events", events_of_days,
        "Events, free and blocked slots between two days");
}

}  // namespace calhost::api
