#include "jobs/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "base/log.h"
#include "base/signal.h"
#include "jobs/backoff.h"

namespace calhost::jobs {

using storage::Job;
using storage::Sql;

// Its coroutines share it, so that they may end after the Runner itself.
struct Runner::Impl {
    storage::Database& database;
    const Clock& clock;
    Timers& timers;
    Random& random;
    const RunnerOptions options;
    struct Kind {
        JobFunction function;
        KindOptions options;
    };
    std::map<std::string, Kind> kinds;
    struct Held {
        std::string id, lane;
    };
    std::map<std::string, Held> held;  ///< by lease: what runs now
    Pacer pacer{options.pace, clock};
    /// When it last looked for work, by both clocks.
    Timestamp looked_at = clock.now();
    std::chrono::nanoseconds looked_at_monotonic = clock.monotonic();
    Signal woken;
    bool is_stopping = false;

    void wake() { woken.set(); }
    [[nodiscard]] int room() const { return options.in_flight - static_cast<int>(held.size()); }
    [[nodiscard]] std::map<std::string, int> lanes() const {
        std::map<std::string, int> counts;
        for (const auto& [lease, job] : held)
            if (!job.lane.empty()) ++counts[job.lane];
        return counts;
    }
    [[nodiscard]] bool is_paced(const std::string& kind) const {
        const auto found = kinds.find(kind);
        return found != kinds.end() && found->second.options.is_paced;
    }
    void stop() {
        is_stopping = true;
        wake();
    }

    static Task<> drive(std::shared_ptr<Impl> self);
    static Task<> run_job(std::shared_ptr<Impl> self, Job job);
    Task<milliseconds> start_due(const std::shared_ptr<Impl>& self);
    Task<> notice_clock();
    [[nodiscard]] Result<std::optional<Timestamp>> next_time();
    Task<Result<std::vector<Job>>> claim();
    storage::Admission admit(const storage::LaneHead& head, std::map<std::string, int>& counts,
                             Timestamp now);
    Task<std::optional<Result<void>>> work(const Job& job);
    Task<> keep_lease(const Job& job);
    Task<> settle(const Job& job, const Result<void>& result);
};

namespace {

/// What the clock may be set back by without anybody minding.
constexpr milliseconds kNoticeable{2'000};

std::unexpected<Error> report_bug(const Job& job, const std::exception& thrown) {
    log::error("a job threw", {{"kind", job.kind}, {"job", job.id}, {"what", thrown.what()}});
    return fail(ErrorCode::invalid,
                "The host made a mistake in this job; the log has the details.");
}

/// A function's exceptions are bugs, unless it was cancelled: they end its job, not the host.
Task<Result<void>> run_guarded(JobFunction function, Job job) {
    try {
        co_return co_await function(job);
    } catch (const boost::system::system_error& thrown) {
        if (thrown.code() == boost::asio::error::operation_aborted)
            co_return fail(ErrorCode::cancelled, "The job was stopped.");
        co_return report_bug(job, thrown);
    } catch (const std::exception& thrown) {
        co_return report_bug(job, thrown);
    }
}

Task<> sleep_or_wake(Timers& timers, milliseconds pause, Signal& woken) {
    using namespace boost::asio::experimental::awaitable_operators;
    co_await (timers.sleep(pause) || woken.wait());
}

Result<bool> store_ending(Sql& sql, const Job& job, const Ending& ending) {
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

void log_ending(const Job& job, const Ending& ending) {
    if (ending.kind == Ending::Kind::bury)
        log::warning("a job was set aside",
                     {{"kind", job.kind}, {"job", job.id}, {"reason", ending.error}});
}

void log_lost_lease(const Job& job) {
    log::warning("a job's lease was lost: another run has it",
                 {{"kind", job.kind}, {"job", job.id}});
}

}  // namespace

Task<> Runner::Impl::drive(std::shared_ptr<Impl> self) {
    while (!self->is_stopping) {
        self->woken.reset();  // first, so that no wake gets lost
        const milliseconds pause = co_await self->start_due(self);
        if (!self->is_stopping) co_await sleep_or_wake(self->timers, pause, self->woken);
    }
    while (!self->held.empty()) {
        self->woken.reset();
        co_await self->woken.wait();
    }
}

/// Starts what is due and there is room for; gives how long nothing more will be.
Task<milliseconds> Runner::Impl::start_due(const std::shared_ptr<Impl>& self) {
    co_await notice_clock();
    if (room() <= 0) co_return options.poll;
    const auto next = next_time();
    if (!next || !*next) co_return options.poll;
    const auto wait = **next - clock.now();
    if (wait > milliseconds{0}) co_return std::min(wait, options.poll);
    const auto jobs = co_await claim();
    if (!jobs) co_return options.poll;
    const Executor executor = co_await boost::asio::this_coro::executor;
    for (const auto& job : *jobs) {
        held.emplace(job.lease, Held{job.id, job.lane});
        boost::asio::co_spawn(executor, run_job(self, job), boost::asio::detached);
    }
    co_return milliseconds{0};
}

/// Set back by an hour, the clock would let everything wait an hour longer. What it is set ahead
/// by may be time that the machine slept, so that stays.
Task<> Runner::Impl::notice_clock() {
    const auto passed = std::chrono::floor<milliseconds>(clock.monotonic() - looked_at_monotonic);
    const milliseconds back = looked_at + passed - clock.now();
    if (back >= kNoticeable) {
        const auto shifted =
            co_await database.write([back](Sql& sql) { return storage::shift_jobs(sql, back); });
        if (!shifted) co_return;  // the next look finds the same difference
        log::warning("the clock was set back; what waits is due earlier by as much",
                     {{"seconds", std::chrono::floor<std::chrono::seconds>(back).count()}});
    }
    looked_at = clock.now();
    looked_at_monotonic = clock.monotonic();
}

/// When there will be something to claim: of each lane with room, its first job.
Result<std::optional<Timestamp>> Runner::Impl::next_time() {
    auto heads = storage::list_lane_heads(database.reader());
    if (!heads) return fail(std::move(heads.error()));
    const auto counts = lanes();
    const Timestamp now = clock.now();
    std::optional<Timestamp> next;
    for (const auto& head : *heads) {
        const auto running = counts.find(head.lane);
        if (running != counts.end() && running->second >= options.per_lane) continue;
        Timestamp when = head.due_at;
        if (is_paced(head.kind)) when = std::max(when, now + pacer.lane_wait(head.lane));
        next = std::min(next.value_or(when), when);
    }
    return next;
}

storage::Admission Runner::Impl::admit(const storage::LaneHead& head,
                                       std::map<std::string, int>& counts, Timestamp now) {
    using enum storage::Admission::Kind;
    const bool is_laned = !head.lane.empty();
    if (is_laned && counts[head.lane] >= options.per_lane) return {.kind = skip_lane};
    if (is_paced(head.kind)) {
        if (pacer.lane_wait(head.lane) > milliseconds{0}) return {.kind = skip_lane};
        const auto wait = pacer.connection_wait(head.lane, head.connection_id);
        // A run that crashed is not deferred: its lease is over, and it goes first.
        if (wait > milliseconds{0} && !head.was_running)
            return {.kind = defer, .at = now + wait, .step = pacer.connection_step(head.lane)};
        pacer.take(head.lane, head.connection_id);
    }
    if (is_laned) ++counts[head.lane];
    return {};
}

/// One write for as many as there is room for. It extends what is held first: a clock that jumped
/// ahead would otherwise make our own leases look over.
Task<Result<std::vector<Job>>> Runner::Impl::claim() {
    const Timestamp now = clock.now();
    const Timestamp until = now + options.lease;
    const auto ours = held;
    auto counts = lanes();
    std::vector<std::string> words(static_cast<std::size_t>(room()));
    for (auto& word : words) word = new_token(random);
    std::vector<Job> jobs;
    auto done = co_await database.write([&](Sql& sql) -> Result<void> {
        for (const auto& [lease, job] : ours) {
            auto extended = storage::extend_lease(sql, job.id, lease, until);
            if (!extended) return fail(std::move(extended.error()));
        }
        const auto admitting = [&](const storage::LaneHead& head) {
            return admit(head, counts, now);
        };
        for (const auto& word : words) {
            auto job = storage::claim_job(sql, word, now, until, admitting);
            if (!job) return fail(std::move(job.error()));
            if (!*job) break;
            jobs.push_back(std::move(**job));
        }
        return {};
    });
    if (done) co_return jobs;
    log::error("jobs cannot be claimed", {{"reason", done.error().message}});
    co_return fail(std::move(done.error()));
}

Task<> Runner::Impl::run_job(std::shared_ptr<Impl> self, Job job) {
    const auto result = co_await self->work(job);
    if (result) {
        co_await self->settle(job, *result);
    } else {
        log_lost_lease(job);
    }
    self->held.erase(job.lease);
    self->wake();
}

/// Nothing when the lease was lost: the job's function was cancelled then.
Task<std::optional<Result<void>>> Runner::Impl::work(const Job& job) {
    using namespace boost::asio::experimental::awaitable_operators;
    const auto kind = kinds.find(job.kind);
    if (kind == kinds.end())
        co_return fail(ErrorCode::misconfigured,
                       fmt::format("Nothing in this host runs jobs of the kind \"{}\". Perhaps a "
                                   "plugin that did was taken out; put it back and replay the job.",
                                   job.kind));
    auto outcome = co_await (run_guarded(kind->second.function, job) || keep_lease(job));
    if (outcome.index() == 1) co_return std::nullopt;
    co_return std::get<0>(std::move(outcome));
}

/// Returns when the lease is lost.
Task<> Runner::Impl::keep_lease(const Job& job) {
    auto held_since = clock.monotonic();
    for (;;) {
        co_await timers.sleep(options.heartbeat);
        const auto asked = clock.monotonic();
        const Timestamp until = clock.now() + options.lease;
        const auto is_ours = co_await database.write_for<bool>(
            [&](Sql& sql) { return storage::extend_lease(sql, job.id, job.lease, until); });
        if (is_ours && !*is_ours) co_return;
        if (is_ours) held_since = asked;
        if (clock.monotonic() - held_since >= options.lease) co_return;
    }
}

/// A store that fails for a while must not make a finished job look crashed, so this insists.
Task<> Runner::Impl::settle(const Job& job, const Result<void>& result) {
    const Ending ending = decide_ending(job, result, options, clock.now(), random);
    for (;;) {
        const auto is_ours = co_await database.write_for<bool>(
            [&](Sql& sql) { return store_ending(sql, job, ending); });
        if (is_ours && *is_ours) {
            log_ending(job, ending);
            co_return;
        }
        if (is_ours) {
            log_lost_lease(job);
            co_return;
        }
        log::error("a job's end cannot be stored", {{"reason", is_ours.error().message}});
        if (is_stopping) co_return;
        co_await timers.sleep(options.heartbeat);
    }
}

Runner::Runner(storage::Database& database, const Clock& clock, Timers& timers, Random& random,
               RunnerOptions options)
    : impl_(std::make_shared<Impl>(Impl{.database = database,
                                        .clock = clock,
                                        .timers = timers,
                                        .random = random,
                                        .options = options})) {
    database.on_change([weak = std::weak_ptr(impl_)](const storage::Change& change) {
        const auto impl = weak.lock();
        if (impl != nullptr && change.table == "jobs") impl->wake();
    });
}

Runner::~Runner() { stop(); }

void Runner::on(std::string kind, JobFunction function, KindOptions kind_options) {
    impl_->kinds.insert_or_assign(std::move(kind), Impl::Kind{std::move(function), kind_options});
}

Task<> Runner::run() { return Impl::drive(impl_); }

void Runner::wake() { impl_->wake(); }

void Runner::stop() { impl_->stop(); }

int Runner::running() const { return static_cast<int>(impl_->held.size()); }

}  // namespace calhost::jobs
