#include "jobs/runner.h"

#include <stdexcept>

#include "job_host.h"

using namespace calhost;
using namespace calhost::test;
using storage::Job;
using namespace std::chrono_literals;

namespace {

TEST_CASE("runner: a job runs when it is due, once, and is gone afterwards") {
    test::TempFolder folder;
    Host host(folder);
    int runs = 0;
    host.runner->on("sync", counting(runs));
    host.start();
    host.enqueue({.kind = "sync", .target = "t", .run_at = host.time.now() + 90s});
    host.time.advance(89s);
    CHECK(runs == 0);
    host.time.advance(1s);
    CHECK(runs == 1);
    CHECK_FALSE(host.find("sync"));
    host.time.advance(1h);
    CHECK(runs == 1);
}

TEST_CASE("runner: an enqueued job starts at once, without waiting for the next look") {
    test::TempFolder folder;
    Host host(folder);
    int runs = 0;
    host.runner->on("sync", counting(runs));
    host.start();
    host.enqueue("sync");
    CHECK(runs == 1);
}

TEST_CASE("runner: a job gets what was enqueued with it") {
    test::TempFolder folder;
    Host host(folder);
    std::optional<Job> seen;
    host.runner->on("sync", [&](const Job& job) -> Task<Result<void>> {
        seen = job;
        co_return Result<void>{};
    });
    host.start();
    host.enqueue({.id = "j", .kind = "sync", .target = "c1", .payload = R"({"a":1})"});
    REQUIRE(seen);
    CHECK(seen->id == "j");
    CHECK(seen->target == "c1");
    CHECK(seen->payload == R"({"a":1})");
    CHECK(seen->attempts == 1);
    CHECK(seen->lease.size() > 43);
}

TEST_CASE("runner: a passing fault is tried again until it passes") {
    test::TempFolder folder;
    Host host(folder);
    int runs = 0;
    host.runner->on("sync", [&](const Job& job) -> Task<Result<void>> {
        CHECK(job.attempts == ++runs);
        if (runs < 5) co_return fail(ErrorCode::unavailable, "The network is down.");
        co_return Result<void>{};
    });
    host.start();
    host.enqueue("sync");
    CHECK(host.find("sync")->last_error == "The network is down.");
    CHECK(host.find("sync")->run_at <= host.time.now() + 1s);
    host.time.advance(1min);
    CHECK(runs == 5);
    CHECK_FALSE(host.find("sync"));
}

TEST_CASE("runner: a demanded wait is kept, also when the job is enqueued again meanwhile") {
    test::TempFolder folder;
    Host host(folder);
    int runs = 0;
    host.runner->on("sync", counting(runs, fail(Error{ErrorCode::rate_limited, "Later.", 10min})));
    host.start();
    host.enqueue("sync");
    CHECK(runs == 1);
    host.time.advance(9min);
    host.enqueue("sync");
    CHECK(runs == 1);
    host.time.advance(1min);
    CHECK(runs == 2);
}

TEST_CASE("runner: after 25 tries a job is dead with the last reason") {
    test::TempFolder folder;
    Host host(folder);
    int runs = 0;
    host.runner->on("sync", counting(runs, fail(ErrorCode::timeout, "No answer.")));
    host.start();
    host.enqueue("sync");
    host.time.advance(48h);
    CHECK(runs == 25);
    CHECK(host.find("sync")->status == "dead");
    CHECK(host.find("sync")->last_error == "Tried 25 times; the last time: No answer.");
    host.enqueue("sync");  // a person replays it
    CHECK(runs == 26);
    CHECK(host.find("sync")->status == "waiting");
}

TEST_CASE("runner: what another try cannot mend is dead at once, with a sentence") {
    test::TempFolder folder;
    Host host(folder);
    int runs = 0;
    host.runner->on("lasting", counting(runs, fail(ErrorCode::needs_reauth, "Connect again.")));
    host.runner->on("throwing", [](const Job&) -> Task<Result<void>> {
        throw std::runtime_error("s3cret");
        co_return Result<void>{};
    });
    host.start();
    for (const char* kind : {"lasting", "throwing", "unknown"}) host.enqueue(kind);
    host.time.advance(1h);
    CHECK(runs == 1);
    CHECK(host.find("lasting")->last_error == "Connect again.");
    CHECK(host.find("throwing")->last_error ==
          "The host made a mistake in this job; the log has the details.");
    CHECK(host.find("unknown")->last_error ==
          "Nothing in this host runs jobs of the kind \"unknown\". Perhaps a plugin that did was "
          "taken out; put it back and replay the job.");
    for (const char* kind : {"lasting", "throwing", "unknown"})
        CHECK(host.find(kind)->status == "dead");
}

TEST_CASE("runner: enqueued again while it runs, it runs again afterwards, never beside itself") {
    LongJob job(1min);
    auto& [folder, host, begun, ended] = job;
    host.enqueue("sync");
    host.enqueue("sync");
    host.time.advance(59s);
    CHECK(begun == 1);
    host.time.advance(2s);
    CHECK(begun == 2);
    CHECK(ended == 1);
    host.time.advance(1h);
    CHECK(begun == 2);
    CHECK(ended == 2);
}

TEST_CASE("runner: at most in_flight run at once, in the order they were due") {
    test::TempFolder folder;
    Host host(folder, 0ms, {.in_flight = 2});
    std::vector<std::string> order;
    host.runner->on("sync", [&](const Job& job) -> Task<Result<void>> {
        order.push_back(job.target);
        CHECK(host.runner->running() <= 2);
        co_await host.time.sleep(1s);
        co_return Result<void>{};
    });
    const auto now = host.time.now();
    for (const char* target : {"e", "d", "c", "b", "a"})
        host.enqueue({.kind = "sync", .target = target, .run_at = now - 1s * (target[0] - 'a')});
    host.start();
    CHECK(order == std::vector<std::string>{"e", "d"});
    host.time.advance(1s);
    CHECK(order.size() == 4);
    host.time.advance(1s);
    CHECK(order == std::vector<std::string>{"e", "d", "c", "b", "a"});
}

TEST_CASE("runner: a lane that hangs leaves room for the others") {
    test::TempFolder folder;
    Host host(folder, 0ms, {.in_flight = 5, .per_lane = 2});
    std::map<std::string, int> running;
    std::vector<std::string> done;
    host.runner->on("sync", [&](const Job& job) -> Task<Result<void>> {
        ++running[job.lane];
        CHECK((job.lane.empty() || running[job.lane] <= 2));
        co_await host.time.sleep(job.lane == "slow" ? 10min : 1s);
        --running[job.lane];
        done.push_back(job.target);
        co_return Result<void>{};
    });
    const auto now = host.time.now();
    for (int i = 0; i < 20; ++i)
        host.enqueue({.kind = "sync",
                      .target = "s" + std::to_string(i),
                      .lane = "slow",
                      .run_at = now - 1h});
    for (const char* target : {"a", "b", "c"})
        host.enqueue({.kind = "sync", .target = target, .lane = "quick", .run_at = now});
    host.enqueue({.kind = "sync", .target = "later", .lane = "quick", .run_at = now + 7s});
    host.enqueue({.kind = "sync", .target = "free", .run_at = now});
    host.start();
    CHECK(running["slow"] == 2);
    host.time.advance(2s);
    CHECK(done == std::vector<std::string>{"a", "b", "free", "c"});
    host.time.advance(6s);
    CHECK(done.back() == "later");  // what is full does not hide what comes due
    host.time.advance(110min);
    CHECK(done.size() == 25);
}

TEST_CASE("runner: stopping waits for what runs and starts nothing more") {
    test::TempFolder folder;
    Host host(folder);
    int begun = 0, ended = 0;
    host.runner->on("sync", lasting(host, 1min, begun, ended));
    host.start();
    host.enqueue("sync", "a");
    host.runner->stop();
    host.enqueue("sync", "b");
    host.time.advance(59s);
    CHECK_FALSE(host.is_stopped);
    host.time.advance(1s);
    CHECK(host.is_stopped);
    CHECK(ended == 1);
    CHECK_FALSE(host.find("sync", "a"));
    CHECK(host.find("sync", "b")->status == "waiting");
}

}  // namespace
