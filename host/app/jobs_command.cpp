#include "app/jobs_command.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/json.h"
#include "storage/audit.h"
#include "storage/jobs.h"

namespace calhost::app {
namespace {

constexpr int kMostJobs = 100;  // for the socket's line, and a terminal

/// Without the payload, which may hold sealed values.
json::object shape(const storage::Job& job) {
    return {{"id", job.id},
            {"kind", job.kind},
            {"target", job.target},
            {"status", job.status},
            {"attempts", job.attempts},
            {"run_at", format_rfc3339(job.run_at)},
            {"last_error", job.last_error}};
}

Result<json::object> list(storage::Sql& sql, bool is_dead) {
    auto jobs = storage::list_jobs(sql, {.status = is_dead ? "dead" : ""}, kMostJobs + 1);
    if (!jobs) return fail(std::move(jobs.error()));
    const bool has_more = jobs->size() > kMostJobs;
    if (has_more) jobs->resize(kMostJobs);
    json::array shapes;
    for (const auto& job : *jobs) shapes.push_back(shape(job));
    return json::object{{"jobs", std::move(shapes)}, {"more", has_more}};
}

std::unexpected<Error> refused(storage::Sql& sql, const std::string& id) {
    const auto job = storage::find_job(sql, id);
    if (!job) return fail(job.error());
    if (!*job) return fail(ErrorCode::not_found, "There is no such job.");
    return fail(ErrorCode::conflict, "This job runs at this moment; wait until it has ended.");
}

Task<Result<json::object>> change(connect::Services& services, JobsQuestion question) {
    const bool is_retry = question.command == "jobs.retry";
    const storage::AuditEntry entry{.at = services.clock.now(),
                                    .action = is_retry ? "job.replayed" : "job.dropped",
                                    .actor = "operator",
                                    .subject = question.id};
    auto done = co_await services.database.write([&](storage::Sql& sql) -> Result<void> {
        auto changed = is_retry ? storage::replay_job(sql, question.id, entry.at)
                                : storage::drop_job(sql, question.id);
        if (!changed) return fail(std::move(changed.error()));
        if (!*changed) return refused(sql, question.id);
        return storage::write_audit(sql, entry);
    });
    if (!done) co_return fail(std::move(done.error()));
    co_return json::object{{is_retry ? "replayed" : "dropped", question.id}};
}

}  // namespace

json::object JobsQuestion::to_json() const {
    return {{"command", command}, {"id", id}, {"dead", is_dead}};
}

JobsQuestion JobsQuestion::from_json(const json::object& object) {
    const auto* dead = json::find(object, "dead");
    return {.command = std::string(json::text_of(object, "command")),
            .id = std::string(json::text_of(object, "id")),
            .is_dead = dead != nullptr && dead->is_bool() && dead->get_bool()};
}

Task<Result<json::object>> answer_jobs(connect::Services& services, JobsQuestion question) {
    if (question.command == "jobs.list")
        co_return list(services.database.reader(), question.is_dead);
    co_return co_await change(services, std::move(question));
}

void print_jobs(const json::object& answer) {
    for (const char* word : {"replayed", "dropped"})
        if (const auto id = json::text_of(answer, word); !id.empty())
            fmt::print("The job {} is {}.\n", id, word);
    const auto* jobs = json::find(answer, "jobs");
    if (jobs == nullptr) return;
    if (jobs->as_array().empty()) fmt::print("There are no such jobs.\n");
    for (const auto& job : jobs->as_array()) {
        const auto text = [&](const char* name) { return json::text_of(job, name); };
        fmt::print("{}  {:<8} {:<14} {}  tried {:>2}  {}\n", text("id"), text("status"),
                   text("kind"), text("run_at"), job.at("attempts").to_number<int>(),
                   text("target"));
        if (!text("last_error").empty()) fmt::print("    {}\n", text("last_error"));
    }
    if (answer.at("more").as_bool()) fmt::print("There are more; these are the newest.\n");
}

}  // namespace calhost::app
