#include "jobs/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "base/log.h"
#include "base/signal.h"
#include "jobs/turn.h"

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
        Job job;
        Timestamp until;                      ///< the end of its lease
        std::chrono::nanoseconds held_since;  ///< by the clock that nobody sets
        std::shared_ptr<boost::asio::cancellation_signal> cancel{};
        bool is_lost = false;            ///< another run has the lease; this one is ending
        std::optional<Ending> ending{};  ///< it has run; the next turn stores what becomes of it
        [[nodiscard]] bool is_running() const { return !is_lost && !ending; }
    };
    std::map<std::string, Held> held;  ///< by lease
    Pacer pacer{options.pace, clock};
    /// When it last looked for work, by both clocks.
    Timestamp looked_at = clock.now();
    std::chrono::nanoseconds looked_at_monotonic = clock.monotonic();
    Signal woken;
    bool is_stopping = false;

    void wake() { woken.set(); }
    [[nodiscard]] int room() const {
        const auto ended = std::ranges::count_if(
            held, [](const auto& one) { return one.second.ending.has_value(); });
        return options.in_flight - static_cast<int>(held.size()) + static_cast<int>(ended);
    }
    /// How many run in each lane.
    [[nodiscard]] std::map<std::string, int> lanes() const {
        std::map<std::string, int> counts;
        for (const auto& [word, one] : held)
            if (!one.job.lane.empty() && !one.ending) ++counts[one.job.lane];
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
    Task<milliseconds> take_turn(const std::shared_ptr<Impl>& self);
    Task<> notice_clock();
    [[nodiscard]] milliseconds until_due();
    [[nodiscard]] Result<std::optional<Timestamp>> next_time();
    [[nodiscard]] Turn plan_turn(bool may_claim);
    void note_failure(const Turn& turn, const Error& error);
    void note_done(const Turn& turn);
    void start(const std::shared_ptr<Impl>& self, const Executor& executor, const Turn& turn);
    storage::Admission admit(const storage::LaneHead& head, std::map<std::string, int>& counts,
                             Timestamp now);
    Task<Result<void>> work(Job job);
    void lose(Held& one);
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

Task<Result<void>> refuse(std::string kind) {
    co_return fail(ErrorCode::misconfigured,
                   fmt::format("Nothing in this host runs jobs of the kind \"{}\". Perhaps a "
                               "plugin that did was taken out; put it back and replay the job.",
                               kind));
}

Task<> sleep_or_wake(Timers& timers, milliseconds pause, Signal& woken) {
    using namespace boost::asio::experimental::awaitable_operators;
    co_await (timers.sleep(pause) || woken.wait());
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
    while (!self->is_stopping || !self->held.empty()) {
        self->woken.reset();  // first, so that no wake gets lost
        const milliseconds pause = co_await self->take_turn(self);
        if (!self->is_stopping || !self->held.empty())
            co_await sleep_or_wake(self->timers, pause, self->woken);
    }
}

/// One write stores what ended, extends what runs for long, and claims what is due: jobs that end
/// together share it. Gives how long nothing more will be.
Task<milliseconds> Runner::Impl::take_turn(const std::shared_ptr<Impl>& self) {
    co_await notice_clock();
    const auto pause = until_due();
    auto turn = plan_turn(pause <= milliseconds{0});
    if (turn.is_empty()) co_return pause;
    auto counts = lanes();
    const auto done = co_await database.write([&](Sql& sql) {
        return turn.store(sql, [&](const auto& head) { return admit(head, counts, turn.now); });
    });
    if (!done) {
        note_failure(turn, done.error());
        co_return options.poll;
    }
    note_done(turn);
    start(self, co_await boost::asio::this_coro::executor, turn);
    co_return milliseconds{0};
}

milliseconds Runner::Impl::until_due() {
    if (is_stopping || room() <= 0) return options.poll;
    const auto next = next_time();
    if (!next || !*next) return options.poll;
    return std::min(std::chrono::ceil<milliseconds>(**next - clock.now()), options.poll);
}

/// A clock that jumped ahead would make our own leases look over: then they are extended, too.
Turn Runner::Impl::plan_turn(bool may_claim) {
    const Timestamp now = clock.now();
    Turn turn{.now = now, .asked = clock.monotonic(), .until = now + options.lease};
    for (const auto& [lease, one] : held) {
        if (one.ending) turn.ends.push_back({&one.job, &*one.ending});
        const bool is_due = turn.asked - one.held_since >= options.heartbeat ||
                            one.until - now <= options.heartbeat;
        if (one.is_running() && is_due) turn.extensions.push_back({one.job.id, lease});
    }
    if (!may_claim) return turn;
    const auto word = new_token(random);
    for (int i = 0; i < room(); ++i) turn.leases.push_back(fmt::format("{}-{}", word, i));
    return turn;
}

/// A store that fails for a while must not make a finished job look crashed: its end is stored
/// later. Only a host that stops leaves it to the next one.
void Runner::Impl::note_failure(const Turn& turn, const Error& error) {
    log::error("what became of jobs cannot be stored, nor jobs claimed",
               {{"ended", std::to_string(turn.ends.size())}, {"reason", error.message}});
    if (is_stopping)
        std::erase_if(held, [](const auto& one) { return one.second.ending.has_value(); });
    std::vector<std::string> over;
    for (const auto& [lease, one] : held)
        if (one.is_running() && turn.asked - one.held_since >= options.lease) over.push_back(lease);
    for (const auto& lease : over) lose(held.at(lease));
}

void Runner::Impl::note_done(const Turn& turn) {
    for (const auto& [job, ending, is_ours] : turn.ends) {
        if (is_ours)
            log_ending(*job, *ending);
        else
            log_lost_lease(*job);
        held.erase(std::string(job->lease));  // a copy: the job goes with it
    }
    for (const auto& [id, lease, is_ours] : turn.extensions) {
        const auto found = held.find(lease);
        if (found == held.end()) continue;  // it ended meanwhile
        found->second.until = turn.until;
        found->second.held_since = turn.asked;
        if (!is_ours && found->second.is_running()) lose(found->second);
    }
}

/// Somebody else runs the job now: this run stops, and its end changes nothing.
void Runner::Impl::lose(Held& one) {
    log_lost_lease(one.job);
    one.is_lost = true;
    one.cancel->emit(boost::asio::cancellation_type::terminal);
}

void Runner::Impl::start(const std::shared_ptr<Impl>& self, const Executor& executor,
                         const Turn& turn) {
    for (const auto& job : turn.jobs) {
        const auto cancel = std::make_shared<boost::asio::cancellation_signal>();
        held.insert_or_assign(
            job.lease,
            Held{.job = job, .until = turn.until, .held_since = turn.asked, .cancel = cancel});
        // The slot is the signal's, which therefore stays as long as the coroutine.
        boost::asio::co_spawn(
            executor, run_job(self, job),
            boost::asio::bind_cancellation_slot(cancel->slot(), [cancel](std::exception_ptr) {}));
    }
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
        for (auto& [lease, one] : held) one.until -= back;
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

Task<> Runner::Impl::run_job(std::shared_ptr<Impl> self, Job job) {
    const auto result = co_await self->work(job);
    auto& one = self->held.at(job.lease);
    if (one.is_lost)
        self->held.erase(job.lease);
    else
        one.ending = decide_ending(job, result, self->options, self->clock.now(), self->random);
    self->wake();
}

Task<Result<void>> Runner::Impl::work(Job job) {
    const auto kind = kinds.find(job.kind);
    if (kind != kinds.end()) return run_guarded(kind->second.function, std::move(job));
    return refuse(job.kind);
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
