/// Table `jobs`: what must happen. The jobs room runs them.
#pragma once

#include <functional>
#include <span>

#include "storage/sql.h"

namespace calhost::storage {

struct Job {
    std::string id;
    std::string kind;     ///< "sync", "revoke", …
    std::string target;   ///< what it is about, such as a connection id; unique with kind and user
    std::string user_id;  ///< may be empty
    std::string payload;  ///< JSON; secrets in it are sealed
    std::string lane;     ///< whose answers it waits for, such as a provider; one word or empty
    /// Whose calendar it writes to: it is paused while that connection is not active, and goes with
    /// it. Empty: neither.
    std::string connection_id;
    Timestamp run_at{};
    int attempts = 0;
    std::string lease;  ///< fencing word of who runs it; empty: nobody
    std::optional<Timestamp> leased_until;
    std::string status = "waiting";  ///< waiting, paused, running, dead (done ones are deleted)
    std::string last_error;
    Timestamp created_at{};
    std::int64_t number = 0;  ///< its place in the table, given when it is enqueued
};

/// Enqueues, in the transaction of the change that needs it. The same (user, kind, target) waiting
/// or paused already: the payload becomes the newer one and the earlier run_at wins; running: it
/// will run again; dead: it waits again, from the first attempt.
Result<void> enqueue_job(Sql& sql, const Job& job);
/// At a start nobody holds a lease, since a store has one host: what ran when the last one ended
/// may run again at once. Each counts as a crash, as if the lease had run out. One that has crashed
/// before waits 2 s, then 4, then 8, so that the job that ends the host soon runs alone, and those
/// that only ran beside it are done.
Result<void> end_leases(Sql& sql, Timestamp now);
/// Leases that run out in a row before the job is set aside as poison.
inline constexpr int kMaxCrashes = 10;

/// The job of a lane that is due before the lane's others.
struct LaneHead {
    std::int64_t number = 0;
    std::string lane;
    std::string kind;
    std::string connection_id;
    Timestamp due_at{};
    bool was_running = false;  ///< its lease ends at due_at
    int crashes = 0;           ///< leases that ran out in a row
};
/// One for each lane that has any. However many jobs wait in a lane, only its first is looked at.
Result<std::vector<LaneHead>> list_lane_heads(Sql& sql);

/// What is to happen with the first job of a lane.
struct Admission {
    enum class Kind {
        take,
        skip_lane,  ///< for as long as this claim lasts
        /// It and whatever else of its kind waits for its connection and is due: needs `at`,
        /// `step`.
        defer,
    } kind = Kind::take;
    Timestamp at{};        ///< of the first that is deferred
    milliseconds step{0};  ///< to the next one, and so on
};
using Admit = std::function<Admission(const LaneHead& head)>;

/// Takes what is due, a job for each of the leases at most, in the order they were due: waiting
/// ones, and running ones whose lease is over. One that crashed kMaxCrashes times in a row becomes
/// dead instead. `admit` has a say about each candidate; without it all are taken.
Result<std::vector<Job>> claim_jobs(Sql& sql, std::span<const std::string> leases, Timestamp now,
                                    Timestamp leased_until, const Admit& admit = {});
/// Only the holder of the lease may: false means that it was lost, and nothing was changed.
Result<bool> extend_lease(Sql& sql, std::string_view id, std::string_view lease,
                          Timestamp leased_until);
/// This and the next two delete the job if its connection is gone.
Result<bool> finish_job(Sql& sql, std::string_view id, std::string_view lease);
/// `not_before` is what a provider demanded: enqueueing the job again does not undercut it.
/// Paused, if its connection is not active. A try that does not count is none of the attempts.
Result<bool> retry_job(Sql& sql, std::string_view id, std::string_view lease, Timestamp run_at,
                       std::string_view error, std::optional<Timestamp> not_before = {},
                       bool is_counted = true);
/// Dead until a person enqueues it again. Enqueued meanwhile: it waits again instead.
Result<bool> bury_job(Sql& sql, std::string_view id, std::string_view lease,
                      std::string_view error);

/// Pauses the waiting jobs of a connection that is not active, and resumes the paused ones of one
/// that is, with all their attempts. In every transaction that may change a connection's state.
Result<void> follow_connection(Sql& sql, std::string_view connection_id);
/// In the transaction that deletes it. Running ones finish.
Result<void> delete_jobs_of(Sql& sql, std::string_view connection_id);
/// The clock was set back by `step`: what waits would wait that much longer, and leases last.
Result<void> shift_jobs(Sql& sql, milliseconds step);

Result<std::optional<Job>> find_job(Sql& sql, std::string_view user_id, std::string_view kind,
                                    std::string_view target);
Result<std::optional<Job>> find_job(Sql& sql, std::string_view id);
Result<bool> delete_job(Sql& sql, std::string_view user_id, std::string_view kind,
                        std::string_view target);

/// What a list has; an empty member means any.
struct JobFilter {
    std::string status;
    std::string kind;
    std::optional<std::int64_t> before{};  ///< only jobs with a smaller number
};
/// Newest first.
Result<std::vector<Job>> list_jobs(Sql& sql, const JobFilter& filter, int limit);
/// A person wants it to run now, from the first attempt. Paused, if its connection is not active.
/// False: it is gone, or runs.
Result<bool> replay_job(Sql& sql, std::string_view id, Timestamp now);
/// A person gives it up. False: it is gone, or runs.
Result<bool> drop_job(Sql& sql, std::string_view id);

}  // namespace calhost::storage
