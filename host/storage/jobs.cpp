#include "storage/jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define JOB_COLUMNS                                                                             \
    "id, kind, target, user_id, payload, run_at, attempts, lease, due_at, status, last_error, " \
    "created_at, lane, connection_id, number"
// Whether the connection with this id keeps its jobs from running.
#define IS_HELD(id) \
    "EXISTS (SELECT 1 FROM connections c WHERE c.id = " id " AND c.state <> 'active')"
// What becomes of a job of the table that is to wait until `when`.
#define WAITS_UNTIL(when) \
    "status = CASE WHEN " IS_HELD("jobs.connection_id") " THEN 'paused' ELSE 'waiting' END, " \
    "due_at = CASE WHEN " IS_HELD("jobs.connection_id") " THEN NULL ELSE " when " END"
// With the word that lets the partial index serve it.
#define OF_CONNECTION " WHERE connection_id = $1 AND connection_id <> ''"
#define OF_LEASE " WHERE id = $1 AND lease = $2 AND status = 'running'"

Job read_job(const Row& row) {
    Job job{.id = row.string(0),
            .kind = row.string(1),
            .target = row.string(2),
            .user_id = row.string(3),
            .payload = row.string(4),
            .lane = row.string(12),
            .connection_id = row.string(13),
            .run_at = row.time(5),
            .attempts = static_cast<int>(row.integer(6)),
            .lease = row.string(7),
            .leased_until = std::nullopt,
            .status = row.string(9),
            .last_error = row.string(10),
            .created_at = row.time(11),
            .number = row.integer(14)};
    if (job.status == "running") job.leased_until = row.maybe_time(8);
    return job;
}

LaneHead read_head(const Row& row) {
    return {.number = row.integer(0),
            .lane = row.string(1),
            .kind = row.string(2),
            .connection_id = row.string(3),
            .due_at = row.time(4),
            .was_running = row.text(5) == "running",
            .crashes = static_cast<int>(row.integer(6))};
}

/// A job that ended its process again and again would do it for ever.
bool is_poison(const LaneHead& head) { return head.was_running && head.crashes >= kMaxCrashes - 1; }

Result<void> bury_poison(Sql& sql, const LaneHead& head) {
    return to_void(sql.execute(
        "UPDATE jobs SET status = 'dead', due_at = NULL, lease = '', run_again = 0, "
        "last_error = $2 WHERE number = $1",
        {head.number,
         fmt::format("The host ended {} times in a row while this job ran; it is set aside.",
                     kMaxCrashes)}));
}

/// Those of the head's connection that are due, one after another from `at` on, in their order.
Result<void> defer_jobs(Sql& sql, const LaneHead& head, Timestamp now, const Admission& later) {
    return to_void(sql.execute(
        "UPDATE jobs SET due_at = later.due_at, run_at = later.due_at FROM "
        "(SELECT number, $3 + $4 * (row_number() OVER (ORDER BY due_at, number) - 1) AS due_at "
        "FROM jobs" OF_CONNECTION
        " AND due_at <= $2 AND kind = $5 AND status = 'waiting') AS later "
        "WHERE jobs.number = later.number",
        {head.connection_id, now, later.at, later.step.count(), head.kind}));
}

Result<void> lease_job(Sql& sql, const LaneHead& head, std::string_view lease,
                       Timestamp leased_until, std::vector<Job>& taken) {
    auto job = sql.first(
        "UPDATE jobs SET status = 'running', lease = $1, due_at = $2, attempts = attempts + 1, "
        "crashes = CASE WHEN status = 'running' THEN crashes + 1 ELSE crashes END, run_again = 0 "
        "WHERE number = $3 RETURNING " JOB_COLUMNS,
        {lease, leased_until, head.number}, read_job);
    if (!job) return fail(std::move(job.error()));
    if (*job) taken.push_back(std::move(**job));
    return {};
}

using Heads = std::vector<LaneHead>;

/// The due one that comes before the others, by time and then in the order they were enqueued.
Heads::iterator first_due(Heads& heads, Timestamp now) {
    const auto first = std::ranges::min_element(
        heads, {}, [](const LaneHead& head) { return std::pair(head.due_at, head.number); });
    return first == heads.end() || first->due_at > now ? heads.end() : first;
}

#define FIRST_DUE(of_lane)                                                                      \
    "SELECT number, lane, kind, connection_id, due_at, status, crashes FROM jobs WHERE due_at " \
    "IS NOT NULL" of_lane " ORDER BY lane, due_at, number LIMIT 1"

/// The lane's first is another one now.
Result<void> renew_head(Sql& sql, Heads& heads, Heads::iterator head) {
    auto next = sql.first(FIRST_DUE(" AND lane = $1"), {head->lane}, read_head);
    if (!next) return fail(std::move(next.error()));
    if (*next)
        *head = std::move(**next);
    else
        heads.erase(head);
    return {};
}

/// What was enqueued while the job ran begins anew, whatever became of the run.
Result<bool> start_again(Sql& sql, std::string_view id, std::string_view lease) {
    return is_changed(sql.execute(
        "UPDATE jobs SET " WAITS_UNTIL(
            "run_at") ", lease = '', run_again = 0, "
                      "attempts = 0, crashes = 0, last_error = ''" OF_LEASE " AND run_again = 1",
        {id, lease}));
}

// A job whose calendar was disconnected while it ran has nobody to do anything for.
#define IS_ORPHAN                          \
    "(connection_id <> '' AND NOT EXISTS " \
    "(SELECT 1 FROM connections c WHERE c.id = jobs.connection_id))"

Result<bool> delete_orphan(Sql& sql, std::string_view id, std::string_view lease) {
    return is_changed(sql.execute("DELETE FROM jobs" OF_LEASE " AND " IS_ORPHAN, {id, lease}));
}

}  // namespace

Result<void> enqueue_job(Sql& sql, const Job& job) {
    // Running: its lease goes on. Waiting: the earlier time wins, but never before the provider
    // allows. Dead: it lives again.
#define NEXT_RUN                                                                         \
    "CASE WHEN jobs.status IN ('waiting', 'paused') AND jobs.run_at <= excluded.run_at " \
    "THEN jobs.run_at WHEN jobs.not_before > excluded.run_at THEN jobs.not_before "      \
    "ELSE excluded.run_at END"
    auto done = sql.execute(
        "INSERT INTO jobs (id, kind, target, user_id, payload, status, run_at, not_before, due_at, "
        "attempts, crashes, run_again, lease, last_error, created_at, lane, connection_id) "
        "VALUES ($1, $2, $3, $4, $5, CASE WHEN " IS_HELD("$9") " THEN 'paused' ELSE 'waiting' END, "
        "$6, 0, CASE WHEN " IS_HELD("$9") " THEN NULL ELSE $6 END, 0, 0, 0, '', '', $7, $8, $9) "
        "ON CONFLICT (user_id, kind, target) DO UPDATE SET "
        "payload = excluded.payload, lane = excluded.lane, "
        "connection_id = excluded.connection_id, "
        "run_at = " NEXT_RUN ", "
        "due_at = CASE WHEN jobs.status = 'running' THEN jobs.due_at "
        "WHEN excluded.status = 'paused' THEN NULL ELSE " NEXT_RUN " END, "
        "run_again = CASE WHEN jobs.status = 'running' THEN 1 ELSE 0 END, "
        "attempts = CASE WHEN jobs.status = 'dead' THEN 0 ELSE jobs.attempts END, "
        "crashes = CASE WHEN jobs.status = 'dead' THEN 0 ELSE jobs.crashes END, "
        "last_error = CASE WHEN jobs.status = 'dead' THEN '' ELSE jobs.last_error END, "
        "status = CASE WHEN jobs.status = 'running' THEN 'running' ELSE excluded.status END",
        {job.id, job.kind, job.target, job.user_id, job.payload, job.run_at, job.created_at,
         job.lane, job.connection_id});
#undef NEXT_RUN
    if (!done) return fail(std::move(done.error()));
    sql.notify({"jobs", job.id, job.user_id});
    return {};
}

// By jumps through the index `jobs_due`, from each lane's first job to the next lane's.
Result<std::vector<LaneHead>> list_lane_heads(Sql& sql) {
    std::vector<LaneHead> heads;
    auto head = sql.first(FIRST_DUE(""), {}, read_head);
    while (head && *head) {
        heads.push_back(std::move(**head));
        head = sql.first(FIRST_DUE(" AND lane > $1"), {heads.back().lane}, read_head);
    }
    if (!head) return fail(std::move(head.error()));
    return heads;
}

Result<std::vector<Job>> claim_jobs(Sql& sql, std::span<const std::string> leases, Timestamp now,
                                    Timestamp leased_until, const Admit& admit) {
    std::vector<Job> jobs;
    auto heads = list_lane_heads(sql);
    while (heads && jobs.size() < leases.size()) {
        const auto head = first_due(*heads, now);
        if (head == heads->end()) break;
        const auto admission = is_poison(*head) || !admit ? Admission{} : admit(*head);
        if (admission.kind == Admission::Kind::skip_lane) {
            heads->erase(head);
            continue;
        }
        Result<void> done;
        if (is_poison(*head))
            done = bury_poison(sql, *head);
        else if (admission.kind == Admission::Kind::defer)
            done = defer_jobs(sql, *head, now, admission);
        else
            done = lease_job(sql, *head, leases[jobs.size()], leased_until, jobs);
        if (done) done = renew_head(sql, *heads, head);
        if (!done) return fail(std::move(done.error()));
    }
    if (!heads) return fail(std::move(heads.error()));
    return jobs;
}

Result<void> end_leases(Sql& sql, Timestamp now) {
    return to_void(sql.execute(
        "UPDATE jobs SET due_at = $1 + CASE crashes WHEN 0 THEN 0 ELSE 1000 * (1 << crashes) END "
        "WHERE status = 'running'",
        {now}));
}

Result<bool> extend_lease(Sql& sql, std::string_view id, std::string_view lease,
                          Timestamp leased_until) {
    return is_changed(
        sql.execute("UPDATE jobs SET due_at = $3" OF_LEASE, {id, lease, leased_until}));
}

Result<bool> finish_job(Sql& sql, std::string_view id, std::string_view lease) {
    auto done = is_changed(sql.execute(
        "DELETE FROM jobs" OF_LEASE " AND (run_again = 0 OR " IS_ORPHAN ")", {id, lease}));
    if (!done || *done) return done;
    return start_again(sql, id, lease);
}

Result<bool> retry_job(Sql& sql, std::string_view id, std::string_view lease, Timestamp run_at,
                       std::string_view error, std::optional<Timestamp> not_before,
                       bool is_counted) {
    auto orphan = delete_orphan(sql, id, lease);
    if (!orphan || *orphan) return orphan;
    return is_changed(
        sql.execute("UPDATE jobs SET " WAITS_UNTIL(
                        "$3") ", run_at = $3, not_before = $5, "
                              "lease = '', run_again = 0, crashes = 0, last_error = $4, "
                              "attempts = attempts - $6" OF_LEASE,
                    {id, lease, run_at, error, not_before.value_or(Timestamp{}), !is_counted}));
}

Result<bool> bury_job(Sql& sql, std::string_view id, std::string_view lease,
                      std::string_view error) {
    auto orphan = delete_orphan(sql, id, lease);
    if (!orphan || *orphan) return orphan;
    auto again = start_again(sql, id, lease);
    if (!again || *again) return again;
    return is_changed(sql.execute(
        "UPDATE jobs SET status = 'dead', due_at = NULL, lease = '', last_error = $3" OF_LEASE,
        {id, lease, error}));
}

Result<void> follow_connection(Sql& sql, std::string_view connection_id) {
    auto paused = sql.execute("UPDATE jobs SET status = 'paused', due_at = NULL " OF_CONNECTION
                              " AND status = 'waiting' AND " IS_HELD("$1"),
                              {connection_id});
    if (!paused) return fail(std::move(paused.error()));
    auto resumed = sql.execute(
        "UPDATE jobs SET status = 'waiting', due_at = run_at, attempts = 0, crashes = "
        "0 " OF_CONNECTION " AND status = 'paused' AND NOT " IS_HELD("$1"),
        {connection_id});
    return to_void(notify_if_changed(sql, std::move(resumed), {"jobs", "", ""}));
}

Result<void> delete_jobs_of(Sql& sql, std::string_view connection_id) {
    return to_void(
        sql.execute("DELETE FROM jobs" OF_CONNECTION " AND status <> 'running'", {connection_id}));
}

Result<void> shift_jobs(Sql& sql, milliseconds step) {
    return to_void(
        sql.execute("UPDATE jobs SET run_at = run_at - $1, not_before = not_before - $1, "
                    "due_at = due_at - $1 WHERE status <> 'dead'",
                    {step.count()}));
}

Result<std::optional<Job>> find_job(Sql& sql, std::string_view user_id, std::string_view kind,
                                    std::string_view target) {
    return sql.first("SELECT " JOB_COLUMNS
                     " FROM jobs WHERE user_id = $1 AND kind = $2 AND target = $3",
                     {user_id, kind, target}, read_job);
}

Result<std::optional<Job>> find_job(Sql& sql, std::string_view id) {
    return sql.first("SELECT " JOB_COLUMNS " FROM jobs WHERE id = $1", {id}, read_job);
}

Result<bool> delete_job(Sql& sql, std::string_view user_id, std::string_view kind,
                        std::string_view target) {
    return is_changed(
        sql.execute("DELETE FROM jobs WHERE user_id = $1 AND kind = $2 AND target = $3",
                    {user_id, kind, target}));
}

Result<std::vector<Job>> list_jobs(Sql& sql, const JobFilter& filter, int limit) {
    return sql.all("SELECT " JOB_COLUMNS
                   " FROM jobs WHERE ($1 = '' OR status = $1) AND ($2 = '' OR kind = $2) "
                   "AND ($3 IS NULL OR number < $3) ORDER BY number DESC LIMIT $4",
                   {filter.status, filter.kind, filter.before, limit}, read_job);
}

Result<bool> replay_job(Sql& sql, std::string_view id, Timestamp now) {
    auto done = sql.execute(
        "UPDATE jobs SET " WAITS_UNTIL("$2") ", run_at = $2, not_before = 0, attempts = 0, "
        "crashes = 0 WHERE id = $1 AND status <> 'running'",
        {id, now});
    return notify_if_changed(sql, std::move(done), {"jobs", std::string(id), ""});
}

Result<bool> drop_job(Sql& sql, std::string_view id) {
    return is_changed(sql.execute("DELETE FROM jobs WHERE id = $1 AND status <> 'running'", {id}));
}

#undef JOB_COLUMNS
#undef IS_HELD
#undef WAITS_UNTIL
#undef OF_CONNECTION
#undef OF_LEASE
#undef IS_ORPHAN
#undef FIRST_DUE

}  // namespace calhost::storage
