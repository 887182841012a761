#include "app/recovery.h"

#include "storage/idempotency.h"
#include "storage/sync_runs.h"
#include "sync/polls.h"

namespace calhost::app {

Task<Result<void>> recover(Worker& chief, const config::Settings& settings) {
    const auto now = chief.services().clock.now();
    auto ended = co_await chief.database().write([&](storage::Sql& sql) -> Result<void> {
        auto failed = storage::fail_interrupted_runs(sql, now);
        if (!failed) return fail(failed.error());
        if (auto freed = storage::end_leases(sql, now); !freed) return freed;
        auto released = storage::release_interrupted_calls(sql);
        if (!released) return fail(released.error());
        return {};
    });
    if (!ended) co_return ended;
    auto planned = co_await sync::plan_missing_polls(chief.services(), sync_options(settings));
    if (!planned) co_return planned;
    co_return co_await chief.schedules().plan();
}

}  // namespace calhost::app
