#include "storage/jobs.h"

#include <fmt/format.h>

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define JOB_COLUMNS                                                                             \
    "id, kind, target, user_id, payload, run_at, attempts, lease, due_at, status, last_error, " \
    "created_at, lane"
// A lane that is not among the full ones.
#define HAS_ROOM(full) "instr(" full ", ' ' || lane || ' ') = 0"

Job read_job(const Row& row) {
    Job job{.id = row.string(0),
            .kind = row.string(1),
            .target = row.string(2),
            .user_id = row.string(3),
            .payload = row.string(4),
            .lane = row.string(12),
            .run_at = row.time(5),
            .attempts = static_cast<int>(row.integer(6)),
            .lease = row.string(7),
            .leased_until = std::nullopt,
            .status = row.string(9),
            .last_error = row.string(10),
            .created_at = row.time(11)};
    if (job.status == "running") job.leased_until = row.maybe_time(8);
    return job;
}

/// A job that ended its process again and again would do it for ever.
Result<void> bury_poison(Sql& sql, Timestamp now) {
    return to_void(sql.execute(
        "UPDATE jobs SET status = 'dead', due_at = NULL, lease = '', run_again = 0, last_error = "
        "$3 "
        "WHERE due_at <= $1 AND status = 'running' AND crashes >= $2",
        {now, kMaxCrashes - 1,
         fmt::format("The host ended {} times in a row while this job ran; it is set aside.",
                     kMaxCrashes)}));
}

/// What was enqueued while the job ran begins anew, whatever became of the run.
Result<bool> start_again(Sql& sql, std::string_view id, std::string_view lease) {
    return is_changed(sql.execute(
        "UPDATE jobs SET status = 'waiting', due_at = run_at, lease = '', run_again = 0, "
        "attempts = 0, crashes = 0, last_error = '' "
        "WHERE id = $1 AND lease = $2 AND status = 'running' AND run_again = 1",
        {id, lease}));
}

std::optional<Timestamp> read_time(const Row& row) { return row.maybe_time(0); }

}  // namespace

Result<void> enqueue_job(Sql& sql, const Job& job) {
    auto done = sql.execute(
        "INSERT INTO jobs (id, kind, target, user_id, payload, status, run_at, not_before, due_at, "
        "attempts, crashes, run_again, lease, last_error, created_at, lane) "
        "VALUES ($1, $2, $3, $4, $5, 'waiting', $6, 0, $6, 0, 0, 0, '', '', $7, $8) "
        "ON CONFLICT (user_id, kind, target) DO UPDATE SET "
        "payload = excluded.payload, lane = excluded.lane, "
        // Running: its lease goes on. Waiting: the earlier time wins, but never before the provider
        // allows. Dead: it lives again.
        "run_at = CASE WHEN jobs.status = 'waiting' AND jobs.run_at <= excluded.run_at "
        "THEN jobs.run_at WHEN jobs.not_before > excluded.run_at THEN jobs.not_before "
        "ELSE excluded.run_at END, "
        "due_at = CASE WHEN jobs.status = 'running' THEN jobs.due_at "
        "WHEN jobs.status = 'waiting' AND jobs.run_at <= excluded.run_at THEN jobs.run_at "
        "WHEN jobs.not_before > excluded.run_at THEN jobs.not_before ELSE excluded.run_at END, "
        "run_again = CASE WHEN jobs.status = 'running' THEN 1 ELSE 0 END, "
        "attempts = CASE WHEN jobs.status = 'dead' THEN 0 ELSE jobs.attempts END, "
        "crashes = CASE WHEN jobs.status = 'dead' THEN 0 ELSE jobs.crashes END, "
        "last_error = CASE WHEN jobs.status = 'dead' THEN '' ELSE jobs.last_error END, "
        "status = CASE WHEN jobs.status = 'dead' THEN 'waiting' ELSE jobs.status END",
        {job.id, job.kind, job.target, job.user_id, job.payload, job.run_at, job.created_at,
         job.lane});
    if (!done) return fail(std::move(done.error()));
    sql.notify({"jobs", job.id, job.user_id});
    return {};
}

Result<std::optional<Job>> claim_job(Sql& sql, std::string_view lease, Timestamp now,
                                     Timestamp leased_until, std::string_view full) {
    if (auto buried = bury_poison(sql, now); !buried) return fail(std::move(buried.error()));
    return sql.first(
        "UPDATE jobs SET status = 'running', lease = $1, due_at = $3, attempts = attempts + 1, "
        "crashes = CASE WHEN status = 'running' THEN crashes + 1 ELSE crashes END, run_again = 0 "
        "WHERE number = (SELECT number FROM jobs WHERE due_at <= $2 AND " HAS_ROOM(
            "$4") " ORDER BY due_at, number LIMIT 1) RETURNING " JOB_COLUMNS,
        {lease, now, leased_until, full}, read_job);
}

Result<bool> extend_lease(Sql& sql, std::string_view id, std::string_view lease,
                          Timestamp leased_until) {
    return is_changed(sql.execute(
        "UPDATE jobs SET due_at = $3 WHERE id = $1 AND lease = $2 AND status = 'running'",
        {id, lease, leased_until}));
}

Result<bool> finish_job(Sql& sql, std::string_view id, std::string_view lease) {
    auto again = start_again(sql, id, lease);
    if (!again || *again) return again;
    return is_changed(sql.execute(
        "DELETE FROM jobs WHERE id = $1 AND lease = $2 AND status = 'running'", {id, lease}));
}

Result<bool> retry_job(Sql& sql, std::string_view id, std::string_view lease, Timestamp run_at,
                       std::string_view error, std::optional<Timestamp> not_before) {
    return is_changed(sql.execute(
        "UPDATE jobs SET status = 'waiting', run_at = $3, due_at = $3, not_before = $5, "
        "lease = '', run_again = 0, crashes = 0, last_error = $4 "
        "WHERE id = $1 AND lease = $2 AND status = 'running'",
        {id, lease, run_at, error, not_before.value_or(Timestamp{})}));
}

Result<bool> bury_job(Sql& sql, std::string_view id, std::string_view lease,
                      std::string_view error) {
    auto again = start_again(sql, id, lease);
    if (!again || *again) return again;
    return is_changed(
        sql.execute("UPDATE jobs SET status = 'dead', due_at = NULL, lease = '', last_error = $3 "
                    "WHERE id = $1 AND lease = $2 AND status = 'running'",
                    {id, lease, error}));
}

Result<std::optional<Job>> find_job(Sql& sql, std::string_view user_id, std::string_view kind,
                                    std::string_view target) {
    return sql.first("SELECT " JOB_COLUMNS
                     " FROM jobs WHERE user_id = $1 AND kind = $2 AND target = $3",
                     {user_id, kind, target}, read_job);
}

Result<bool> delete_job(Sql& sql, std::string_view user_id, std::string_view kind,
                        std::string_view target) {
    return is_changed(
        sql.execute("DELETE FROM jobs WHERE user_id = $1 AND kind = $2 AND target = $3",
                    {user_id, kind, target}));
}

Result<std::optional<Timestamp>> next_job_time(Sql& sql, std::string_view full) {
    auto next =
        sql.first("SELECT min(due_at) FROM jobs WHERE due_at IS NOT NULL AND " HAS_ROOM("$1"),
                  {full}, read_time);
    if (!next) return fail(std::move(next.error()));
    return next->value_or(std::nullopt);
}

#undef JOB_COLUMNS
#undef HAS_ROOM

}  // namespace calhost::storage
