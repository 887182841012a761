// /api/calendar/test: what operators and older clients look at when something is wrong.
#include <cmath>

#include "api/context.h"
#include "api/day_range.h"
#include "api/describe.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "base/json.h"
#include "calendar/zone.h"
#include "storage/jobs.h"
#include "storage/sync_runs.h"

namespace calhost::api {
namespace {

using accounts::Principal;

json::value age_hours(Timestamp now, const std::optional<Timestamp>& when) {
    if (!when) return nullptr;
    const double hours = std::chrono::duration<double, std::ratio<3600>>(now - *when).count();
    return std::round(hours * 100) / 100;
}

bool is_database_healthy(Context& context) {
    bool answered = false;
    const auto done = context.services.database.reader().query(
        "SELECT 1", {}, [&](const storage::Row&) { answered = true; });
    return done.has_value() && answered;
}

Task<net::Response> test_database(Context& context, net::Request& request,
                                  Principal /*principal*/) {
    if (!is_database_healthy(context))
        co_return problem(503, "unavailable", "The database does not answer.", request.request_id);
    co_return net::Response::json(
        200, {{"status", "healthy"}, {"message", "Database connection working"}});
}

Task<net::Response> test_credentials(Context& context, net::Request& request, Principal principal) {
    const auto user = own_user(context, principal, request.path_parameter("email"));
    if (!user) co_return problem(403, "forbidden", "Forbidden", request.request_id);
    auto rows = connect::select(context.services, principal.user_id, {});
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    const bool has = !rows->empty();
    const auto row = has ? rows->front() : storage::Connection{};
    json::array scopes;
    for (auto& scope : plugin::split_words(row.scopes)) scopes.emplace_back(std::move(scope));
    const bool is_expired =
        row.token_expires_at && *row.token_expires_at <= context.services.clock.now();
    co_return net::Response::json(
        200, {{"email", user->email},
              {"user_id", user->id},
              {"has_credentials", has},
              {"credentials_stored_at",
               has ? json::value(format_rfc3339(row.connected_at)) : json::value(nullptr)},
              {"last_sync", time_or_null(row.last_synced_at)},
              {"scopes", std::move(scopes)},
              {"has_refresh_token", !row.sealed_refresh_token.empty()},
              {"expired", is_expired}});
}

Task<net::Response> test_calendar_data(Context& context, net::Request& request,
                                       Principal principal) {
    const auto user = own_user(context, principal, request.path_parameter("email"));
    if (!user) co_return problem(403, "forbidden", "Forbidden", request.request_id);
    DayQuestion question{.email = user->email,
                         .start_date = std::string(request.query.get("start_date")),
                         .end_date = std::string(request.query.get("end_date")),
                         .time_zone = user->time_zone};
    co_return answer_days(context, request, *user, question);
}

Task<net::Response> test_health(Context& context, net::Request& request, Principal principal) {
    auto user = context.accounts.find(principal.user_id);
    if (!user) co_return host_problem(user.error(), request.request_id);
    auto rows = connect::select(context.services, principal.user_id, {});
    const bool is_healthy = rows && is_database_healthy(context);
    const auto now = context.services.clock.now();
    const auto last = rows && !rows->empty() ? rows->front().last_synced_at : std::nullopt;
    const bool has = rows && !rows->empty();
    co_return net::Response::json(
        200,
        {{"timestamp", format_rfc3339(now)},
         {"user_id", user->id},
         {"email", user->email},
         {"checks",
          {{"calendar_connection",
            {{"calendar_connected", has}, {"last_sync", time_or_null(last)}}},
           {"sync_status", {{"has_credentials", has}, {"sync_age_hours", age_hours(now, last)}}},
           {"database_health",
            {{"status", is_healthy ? "healthy" : "unhealthy"},
             {"message",
              is_healthy ? "Database connection working" : "The database does not answer."}}}}}});
}

json::object run_shape(const storage::SyncRun& run) {
    return {{"id", run.id},
            {"connection_id", run.connection_id},
            {"trigger", run.trigger},
            {"kind", run.kind},
            {"status", run.status},
            {"started_at", format_rfc3339(run.started_at)},
            {"created", run.created},
            {"finished_at", time_or_null(run.finished_at)},
            {"updated", run.updated},
            {"error", run.error.empty() ? json::value(nullptr) : json::value(run.error)},
            {"deleted", run.deleted}};
}

Task<net::Response> test_monitoring(Context& context, net::Request& request, Principal principal) {
    auto& sql = context.services.database.reader();
    const auto now = context.services.clock.now();
    auto rows = connect::select(context.services, principal.user_id, {});
    auto runs = storage::list_sync_runs(sql, principal.user_id, 20);
    if (!rows || !runs)
        co_return host_problem(rows ? runs.error() : rows.error(), request.request_id);
    json::array connections, log;
    for (const auto& row : *rows) {
        const auto job = storage::find_job(sql, principal.user_id, connect::kSyncJob, row.id);
        const bool is_planned = job && *job && (*job)->status == "waiting";
        connections.push_back(
            {{"provider", row.provider},
             {"account", row.account},
             {"state", row.state},
             {"last_sync", time_or_null(row.last_synced_at)},
             {"sync_age_hours", age_hours(now, row.last_synced_at)},
             {"last_error",
              row.last_error.empty() ? json::value(nullptr) : json::value(row.last_error)},
             {"next_sync",
              is_planned ? json::value(format_rfc3339((*job)->run_at)) : json::value(nullptr)},
             {"channel_expires_at", nullptr}});
    }
    for (const auto& run : *runs) log.push_back(run_shape(run));
    co_return net::Response::json(200, {{"timestamp", format_rfc3339(now)},
                                        {"user_id", principal.user_id},
                                        {"connections", std::move(connections)},
                                        {"runs", std::move(log)}});
}

}  // namespace

void add_test_routes(net::Router& router, Context& context) {
    const auto add = [&](std::string path, UserFunction function, std::string_view summary) {
        router.add({"GET", std::move(path), signed_in(context, function),
                    describe("diagnosis", "user", summary)});
    };
    add("/api/calendar/test/database", test_database, "Does the database answer");
    add("/api/calendar/test/credentials/{email}", test_credentials,
        "What is stored for the caller, without secrets");
    add("/api/calendar/test/calendar-data/{email}", test_calendar_data,
        "Events and slots between two days");
    add("/api/calendar/test/calendar-health", test_health,
        "Connection, sync and database at a glance");
    add("/api/calendar/test/sync-monitoring", test_monitoring,
        "Every connection and the last 20 syncs");
}

}  // namespace calhost::api
