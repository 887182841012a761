// What waits, what was set aside and why; for the role `admin`.
#include "api/context.h"
#include "api/describe.h"
#include "api/page.h"
#include "api/problem.h"
#include "storage/audit.h"
#include "storage/jobs.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using storage::Job;

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

/// Without the payload, which may hold sealed values.
json::object job_shape(const Job& job) {
    return {{"id", job.id},
            {"kind", job.kind},
            {"target", job.target},
            {"user_id", text_or_null(job.user_id)},
            {"connection_id", text_or_null(job.connection_id)},
            {"lane", text_or_null(job.lane)},
            {"status", job.status},
            {"attempts", job.attempts},
            {"run_at", format_rfc3339(job.run_at)},
            {"last_error", text_or_null(job.last_error)},
            {"created_at", format_rfc3339(job.created_at)}};
}

Task<net::Response> list_jobs(Context& context, net::Request& request, Principal /*admin*/) {
    const auto page = read_page(request, PageKey::number);
    if (!page) co_return page.error();
    const storage::JobFilter filter{.status = std::string(request.query.get("status")),
                                    .kind = std::string(request.query.get("kind")),
                                    .before = page->after_number()};
    auto jobs = storage::list_jobs(context.services.database.reader(), filter, page->limit + 1);
    if (!jobs) co_return host_problem(jobs.error(), request.request_id);
    auto next = cut(*jobs, *page, [](const Job& job) { return std::to_string(job.number); });
    json::array shapes;
    for (const auto& job : *jobs) shapes.push_back(job_shape(job));
    co_return net::Response::json(200,
                                  {{"jobs", std::move(shapes)}, {"next_cursor", std::move(next)}});
}

/// Why a person's wish about a job was not done.
net::Response refused(Context& context, const std::string& id, const net::Request& request) {
    const auto job = storage::find_job(context.services.database.reader(), id);
    if (!job) return host_problem(job.error(), request.request_id);
    if (!*job) return problem(404, "not_found", "There is no such job.", request.request_id);
    return problem(409, "job_running", "This job runs at this moment; wait until it has ended.",
                   request.request_id);
}

using Change = std::function<Result<bool>(storage::Sql&, const std::string& id, Timestamp now)>;

/// The change and its line in the audit log; the answer when nothing was changed.
Task<std::optional<net::Response>> change(Context& context, const net::Request& request,
                                          const Principal& admin, std::string action, Change work) {
    const std::string id(request.path_parameter("id"));
    const auto now = context.services.clock.now();
    const storage::AuditEntry entry{.at = now,
                                    .action = std::move(action),
                                    .actor = admin.name(),
                                    .subject = id,
                                    .request_id = request.request_id};
    auto changed =
        co_await context.services.database.write_for<bool>([&](storage::Sql& sql) -> Result<bool> {
            auto done = work(sql, id, now);
            if (!done || !*done) return done;
            if (auto told = storage::write_audit(sql, entry); !told) return fail(told.error());
            return true;
        });
    if (!changed) co_return host_problem(changed.error(), request.request_id);
    if (!*changed) co_return refused(context, id, request);
    co_return std::nullopt;
}

Task<net::Response> retry_job(Context& context, net::Request& request, Principal admin) {
    if (auto failure =
            co_await change(context, request, admin, "job.replayed", storage::replay_job))
        co_return std::move(*failure);
    context.wake_jobs();
    const auto job =
        storage::find_job(context.services.database.reader(), request.path_parameter("id"));
    if (!job) co_return host_problem(job.error(), request.request_id);
    // It may have ended since.
    co_return net::Response::json(
        202, {{"success", true}, {"job", *job ? json::value(job_shape(**job)) : nullptr}});
}

Task<net::Response> drop_job(Context& context, net::Request& request, Principal admin) {
    const auto drop = [](storage::Sql& sql, const std::string& id, Timestamp /*now*/) {
        return storage::drop_job(sql, id);
    };
    if (auto failure = co_await change(context, request, admin, "job.dropped", drop))
        co_return std::move(*failure);
    co_return net::Response::json(200, {{"success", true}});
}

}  // namespace

void add_admin_job_routes(net::Router& router, Context& context) {
    router.add({"GET", "/api/admin/jobs", for_admin(context, list_jobs),
                describe("admin", "admin", "What the host has to do, the newest first",
                         {{"status", "waiting, paused, running or dead"},
                          {"kind", "such as booking"},
                          {"limit", "1 to 200"},
                          {"cursor", "next_cursor of the page before"}})});
    router.add({"POST", "/api/admin/jobs/{id}/retry", for_admin(context, retry_job),
                describe("admin", "admin", "Run a job now, from its first try")});
    router.add({"DELETE", "/api/admin/jobs/{id}", for_admin(context, drop_job),
                describe("admin", "admin", "Give a job up")});
}

}  // namespace calhost::api
