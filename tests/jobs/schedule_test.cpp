#include "jobs/schedule.h"

#include "job_host.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// A host with the schedule "s" every 15 minutes, which notes when it ran by the monotonic clock.
struct ScheduledHost {
    explicit ScheduledHost(const TempFolder& folder, milliseconds age = 0ms, bool has_it = true)
        : host(folder, age), schedules(*host.runner, host.database, host.time, random) {
        if (has_it)
            schedules.add("s", 15min, [this]() -> Task<Result<void>> {
                runs.push_back(host.time.monotonic());
                if (fails) co_return fail(ErrorCode::invalid, "It cannot be.");
                co_return Result<void>{};
            });
        must(host.time.wait(schedules.plan()));
        host.start();
    }
    /// Between two runs, or from `begun` to the first.
    std::pair<milliseconds, milliseconds> shortest_and_longest(
        std::chrono::nanoseconds begun) const {
        milliseconds least = 100h, most = 0ms;
        for (auto last = begun; const auto& run : runs) {
            const auto pause = std::chrono::floor<milliseconds>(run - last);
            if (last != begun) least = std::min(least, pause);
            most = std::max(most, pause);
            last = run;
        }
        return {least, most};
    }
    std::optional<storage::Job> job() { return host.find(jobs::kScheduleJob, "s"); }

    SeededRandom random{11};
    std::vector<std::chrono::nanoseconds> runs;
    bool fails = false;
    Host host;
    jobs::Schedules schedules;
};

}  // namespace

TEST_CASE("schedule: it runs again and again, never later than its interval, not in step") {
    TempFolder folder;
    ScheduledHost it(folder);
    const auto begun = it.host.time.monotonic();
    SUBCASE("and ends well") {}
    SUBCASE("and fails") { it.fails = true; }
    it.host.time.advance(24h);
    const auto [least, most] = it.shortest_and_longest(begun);
    CHECK(it.runs.size() >= 96);
    CHECK(most <= 15min);
    CHECK(least >= 13min + 30s);
    CHECK(most - least > 30s);
    CHECK(it.job()->status == "waiting");
    CHECK(it.job()->attempts == 0);
}

TEST_CASE("schedule: a restart neither forgets nor doubles it") {
    TempFolder folder;
    std::size_t runs = 0;
    for (int start = 0; start < 12; ++start) {
        ScheduledHost it(folder, start * 10min);
        it.host.time.advance(10min);
        runs += it.runs.size();
    }
    CHECK(runs >= 8);
    CHECK(runs <= 12);
}

TEST_CASE("schedule: a clock that jumps makes it neither late nor double") {
    for (const milliseconds jump : {milliseconds{-1h}, milliseconds{-240h}, milliseconds{1h}}) {
        CAPTURE(jump.count());
        TempFolder folder;
        ScheduledHost it(folder);
        it.host.time.advance(1h);
        const auto before = it.host.time.monotonic();
        const auto so_far = it.runs.size();
        it.host.time.set_skew(jump);
        it.host.time.advance(1h);
        CHECK(it.runs.size() >= so_far + 4);
        CHECK(it.runs.size() <= so_far + 5);
        for (std::size_t i = so_far; i < it.runs.size(); ++i)
            CHECK(it.runs[i] - (i == so_far ? before : it.runs[i - 1]) <= 15min);
    }
}

TEST_CASE("schedule: a clock set back while the host was down does not make it wait") {
    TempFolder folder;
    {
        ScheduledHost it(folder, 10h);
    }
    ScheduledHost it(folder);
    it.host.time.advance(15min);
    CHECK(it.runs.size() == 1);
}

TEST_CASE("schedule: one that ended its host again and again runs again after the next start") {
    TempFolder folder;
    for (int start = 0; start <= storage::kMaxCrashes; ++start) {
        Host host(folder, start * 1h);
        SeededRandom random(1);
        jobs::Schedules schedules(*host.runner, host.database, host.time, random);
        schedules.add("s", 15min, [&host]() -> Task<Result<void>> {
            co_await host.time.sleep(24h);
            co_return Result<void>{};
        });
        if (start == 0) must(host.time.wait(schedules.plan()));
        host.start();
        host.time.advance(30min);
    }
    ScheduledHost it(folder, 24h);
    it.host.time.advance(15min);
    CHECK(it.runs.size() == 1);
}

TEST_CASE("schedule: what nobody adds any more ends without a word") {
    TempFolder folder;
    {
        ScheduledHost it(folder);
    }
    ScheduledHost without(folder, 0ms, false);
    without.host.time.advance(1h);
    CHECK_FALSE(without.job());
}

TEST_CASE("schedule: one that was removed does not run, one that was added anew does") {
    TempFolder folder;
    ScheduledHost it(folder);
    it.schedules.remove("s");
    it.host.time.advance(1h);
    CHECK(it.runs.empty());
    int others = 0;
    it.schedules.add("other", 1min, [&]() -> Task<Result<void>> {
        ++others;
        co_return Result<void>{};
    });
    must(it.host.time.wait(it.schedules.plan()));
    it.host.time.advance(10min);
    CHECK(others >= 10);
}
