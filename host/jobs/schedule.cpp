#include "jobs/schedule.h"

#include "base/log.h"

namespace calhost::jobs {

using storage::Job;

struct Schedules::Impl {
    storage::Database& database;
    const Clock& clock;
    Random& random;
    struct Schedule {
        milliseconds every{0};
        Function function;
    };
    std::map<std::string, Schedule> schedules;

    [[nodiscard]] milliseconds up_to(milliseconds most) {
        return milliseconds{random_below(random, static_cast<std::uint64_t>(most.count()) + 1)};
    }
    [[nodiscard]] Job job(const std::string& name, Timestamp run_at) {
        return {.id = new_id(random),
                .kind = std::string(kScheduleJob),
                .target = name,
                .payload = "{}",
                .run_at = run_at,
                .created_at = clock.now()};
    }

    static Task<Result<void>> run(std::shared_ptr<Impl> self, std::string name);
    static Task<Result<void>> plan(std::shared_ptr<Impl> self);
};

Task<Result<void>> Schedules::Impl::run(std::shared_ptr<Impl> self, std::string name) {
    const auto found = self->schedules.find(name);
    if (found == self->schedules.end()) co_return Result<void>{};
    const auto schedule = found->second;
    const auto next = self->clock.now() + schedule.every - self->up_to(schedule.every / 10);
    const auto done = co_await schedule.function();
    if (!done && done.error().code == ErrorCode::cancelled) co_return done;
    if (!done)
        log::warning("a schedule failed", {{"schedule", name}, {"reason", done.error().message}});
    // While it still runs, so that it waits again in the moment in which it ends.
    const auto job = self->job(name, next);
    co_return co_await self->database.write(
        [&](storage::Sql& sql) { return storage::enqueue_job(sql, job); });
}

Task<Result<void>> Schedules::Impl::plan(std::shared_ptr<Impl> self) {
    std::vector<Job> jobs;
    for (const auto& [name, schedule] : self->schedules)
        jobs.push_back(self->job(name, self->clock.now() + self->up_to(schedule.every)));
    co_return co_await self->database.write([&](storage::Sql& sql) -> Result<void> {
        for (const auto& job : jobs)
            if (auto queued = storage::enqueue_job(sql, job); !queued) return queued;
        return {};
    });
}

Schedules::Schedules(Runner& runner, storage::Database& database, const Clock& clock,
                     Random& random)
    : impl_(std::make_shared<Impl>(Impl{database, clock, random, {}})) {
    runner.on(std::string(kScheduleJob),
              [impl = impl_](const Job& job) { return Impl::run(impl, job.target); });
}

void Schedules::add(std::string name, milliseconds every, Function function) {
    impl_->schedules.insert_or_assign(std::move(name), Impl::Schedule{every, std::move(function)});
}

void Schedules::remove(const std::string& name) { impl_->schedules.erase(name); }

Task<Result<void>> Schedules::plan() { return Impl::plan(impl_); }

}  // namespace calhost::jobs
