/// Table `jobs`: what must happen. The jobs room runs them.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

struct Job {
    std::string id;
    std::string kind;     ///< "sync", "revoke", …
    std::string target;   ///< what it is about, such as a connection id; unique with kind and user
    std::string user_id;  ///< may be empty
    std::string payload;  ///< JSON; secrets in it are sealed
    std::string lane;     ///< whose answers it waits for, such as a provider; one word or empty
    Timestamp run_at{};
    int attempts = 0;
    std::string lease;  ///< fencing word of who runs it; empty: nobody
    std::optional<Timestamp> leased_until;
    std::string status = "waiting";  ///< waiting, running, dead (done ones are deleted)
    std::string last_error;
    Timestamp created_at{};
};

/// Enqueues, in the transaction of the change that needs it. The same (user, kind, target) waiting
/// already: the payload becomes the newer one and the earlier run_at wins; running: it will run
/// again; dead: it waits again, from the first attempt.
Result<void> enqueue_job(Sql& sql, const Job& job);
/// Leases that run out in a row before the job is set aside as poison.
inline constexpr int kMaxCrashes = 3;

/// Takes the next due job for `lease`: waiting ones, and running ones whose lease is over. A job
/// that crashed kMaxCrashes times in a row becomes dead instead. Jobs of the lanes in `full`
/// (" google outlook ") stay where they are.
Result<std::optional<Job>> claim_job(Sql& sql, std::string_view lease, Timestamp now,
                                     Timestamp leased_until, std::string_view full = {});
/// Only the holder of the lease may: false means that it was lost, and nothing was changed.
Result<bool> extend_lease(Sql& sql, std::string_view id, std::string_view lease,
                          Timestamp leased_until);
Result<bool> finish_job(Sql& sql, std::string_view id, std::string_view lease);
/// `not_before` is what a provider demanded: enqueueing the job again does not undercut it.
Result<bool> retry_job(Sql& sql, std::string_view id, std::string_view lease, Timestamp run_at,
                       std::string_view error, std::optional<Timestamp> not_before = {});
/// Dead until a person enqueues it again. Enqueued meanwhile: it waits again instead.
Result<bool> bury_job(Sql& sql, std::string_view id, std::string_view lease,
                      std::string_view error);
Result<std::optional<Job>> find_job(Sql& sql, std::string_view user_id, std::string_view kind,
                                    std::string_view target);
Result<bool> delete_job(Sql& sql, std::string_view user_id, std::string_view kind,
                        std::string_view target);
/// When the next job is due that is not in one of these lanes, or nothing.
Result<std::optional<Timestamp>> next_job_time(Sql& sql, std::string_view full = {});

}  // namespace calhost::storage
