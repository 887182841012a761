#include "sync/polls.h"

#include "connect/jobs.h"

namespace calhost::sync {

Task<Result<void>> plan_missing_polls(connect::Services& services, SyncOptions options) {
    if (options.interval.count() == 0) co_return Result<void>{};
    auto unplanned = storage::list_unplanned_connections(services.database.reader());
    if (!unplanned) co_return fail(unplanned.error());
    if (unplanned->empty()) co_return Result<void>{};
    const auto now = services.clock.now();
    const auto spread = static_cast<std::uint64_t>(milliseconds{options.interval}.count());
    std::vector<storage::Job> jobs;
    for (const auto& connection : *unplanned) {
        auto& job = jobs.emplace_back(connect::sync_job(services, connection, "schedule"));
        job.run_at = now + milliseconds{random_below(services.random, spread)};
    }
    co_return co_await services.database.write([&](storage::Sql& sql) -> Result<void> {
        for (const auto& job : jobs)
            if (auto done = storage::enqueue_job(sql, job); !done) return done;
        return {};
    });
}

}  // namespace calhost::sync
