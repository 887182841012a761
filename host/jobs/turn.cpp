#include "jobs/turn.h"

namespace calhost::jobs {
namespace {

/// False when the lease was lost.
Result<bool> store_ending(storage::Sql& sql, const storage::Job& job, const Ending& ending) {
    switch (ending.kind) {
        case Ending::Kind::finish:
            return storage::finish_job(sql, job.id, job.lease);
        case Ending::Kind::retry:
            return storage::retry_job(sql, job.id, job.lease, ending.run_at, ending.error,
                                      ending.not_before, ending.is_counted);
        case Ending::Kind::bury:
            break;
    }
    return storage::bury_job(sql, job.id, job.lease, ending.error);
}

}  // namespace

Result<void> Turn::store(storage::Sql& sql, const storage::Admit& admit) {
    for (auto& [job, ending, is_ours] : ends) {
        const auto stored = store_ending(sql, *job, *ending);
        if (!stored) return fail(stored.error());
        is_ours = *stored;
    }
    for (auto& [id, lease, is_ours] : extensions) {
        const auto extended = storage::extend_lease(sql, id, lease, until);
        if (!extended) return fail(extended.error());
        is_ours = *extended;
    }
    if (leases.empty()) return {};
    auto claimed = storage::claim_jobs(sql, leases, now, until, admit);
    if (!claimed) return fail(std::move(claimed.error()));
    jobs = std::move(*claimed);
    return {};
}

}  // namespace calhost::jobs
