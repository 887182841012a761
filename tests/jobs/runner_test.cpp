#include "jobs/runner.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <stdexcept>

#include "support/seeded_random.h"
#include "support/test_store.h"

using namespace calhost;
using namespace calhost::jobs;
using storage::Job;
using storage::Sql;
using test::must;
using namespace std::chrono_literals;

namespace {

/// Passes writes on, or refuses them as a full disk would.
class FailingDatabase final : public storage::Database {
  public:
    explicit FailingDatabase(storage::Database& real) : real_(&real) {}
    Task<Result<void>> write(storage::Write work) override {
        if (is_failing) return refuse();
        return real_->write(std::move(work));
    }
    Sql& reader() override { return real_->reader(); }
    void on_change(std::function<void(const storage::Change&)> listener) override {
        real_->on_change(std::move(listener));
    }
    bool is_failing = false;

  private:
    static Task<Result<void>> refuse() {
        co_return fail(ErrorCode::unavailable, "The disk is full.");
    }
    storage::Database* real_;
};

/// A host of nothing but jobs, on its own virtual time. Destroying it is a crash.
class Host {
  public:
    explicit Host(const test::TempFolder& folder, milliseconds age = 0ms,
                  RunnerOptions options = {})
        : store_(must(storage::Store::open(
              {.file = folder.path() / "s.db", .is_inline = true, .is_durable = false}))),
          real_(store_->database(time.executor())),
          database(*real_) {
        time.set_skew(age);
        runner.emplace(database, time, time, random_, options);
    }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    ~Host() {
        runner.reset();
        real_.reset();
        context_.reset();  // its coroutines go with it, before the clock that they wait on
    }

    void start() {
        boost::asio::co_spawn(*context_, runner->run(), [this](std::exception_ptr thrown) {
            is_stopped = true;
            CHECK(thrown == nullptr);
        });
        time.advance(0ms);
    }
    void enqueue(Job job) {
        job.created_at = time.now();
        if (job.id.empty()) job.id = job.kind + job.target + std::to_string(++number_);
        must(time.wait(real_->write([&](Sql& sql) { return storage::enqueue_job(sql, job); })));
        time.advance(0ms);
    }
    void enqueue(std::string kind, std::string target = "t") {
        enqueue({.kind = std::move(kind), .target = std::move(target), .run_at = time.now()});
    }
    std::optional<Job> find(std::string_view kind, std::string_view target = "t") {
        return must(storage::find_job(real_->reader(), "", kind, target));
    }
    bool write(std::function<Result<bool>(Sql&)> work) {
        return must(time.wait(real_->write_for<bool>(std::move(work))));
    }

  private:
    std::unique_ptr<boost::asio::io_context> context_ = std::make_unique<boost::asio::io_context>();

  public:
    test::VirtualTime time{*context_};

  private:
    test::SeededRandom random_{7};
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<storage::Database> real_;
    int number_ = 0;

  public:
    FailingDatabase database;
    std::optional<Runner> runner;
    bool is_stopped = false;
};

/// A function that counts its runs and gives `result`.
JobFunction counting(int& runs, Result<void> result = {}) {
    return [&runs, result](const Job&) -> Task<Result<void>> {
        ++runs;
        co_return result;
    };
}

/// A function that takes `length`.
JobFunction lasting(Host& host, milliseconds length, int& begun, int& ended) {
    return [&host, length, &begun, &ended](const Job&) -> Task<Result<void>> {
        ++begun;
        co_await host.time.sleep(length);
        // A cancelled sleep of the virtual clock returns early; the next wait throws.
        co_await host.time.sleep(0ms);
        ++ended;
        co_return Result<void>{};
    };
}

}  // namespace

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
    CHECK(seen->lease.size() == 43);
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

TEST_CASE("runner: a long job keeps its lease and runs once") {
    test::TempFolder folder;
    Host host(folder);
    int begun = 0, ended = 0;
    host.runner->on("sync", lasting(host, 10min, begun, ended));
    host.start();
    host.enqueue("sync");
    host.time.advance(9min);
    CHECK(begun == 1);
    CHECK(ended == 0);
    CHECK(host.find("sync")->leased_until > host.time.now() + 40s);
    host.time.advance(1min);
    CHECK(ended == 1);
    CHECK_FALSE(host.find("sync"));
    CHECK(begun == 1);
}

TEST_CASE("runner: who lost the lease is stopped and changes nothing") {
    test::TempFolder folder;
    Host host(folder);
    int begun = 0, ended = 0;
    host.runner->on("sync", lasting(host, 10min, begun, ended));
    host.start();
    host.enqueue("sync");
    const auto far = host.time.now() + 24h;
    CHECK(host.write([&](Sql& sql) -> Result<bool> {
        auto taken = storage::claim_job(sql, "another", host.time.now() + 2min, far);
        return taken.has_value() && taken->has_value();
    }));
    host.time.advance(20min);
    CHECK(ended == 0);
    CHECK(host.runner->running() == 0);
    CHECK(host.find("sync")->lease == "another");
    CHECK(host.find("sync")->leased_until == far);
}

TEST_CASE("runner: a crash in the middle lets the next host run it after the lease") {
    test::TempFolder folder;
    int begun = 0, ended = 0;
    {
        Host host(folder);
        host.runner->on("sync", lasting(host, 10min, begun, ended));
        host.start();
        host.enqueue("sync");
        host.time.advance(5s);
        CHECK(begun == 1);
    }
    Host host(folder, 30s);
    host.runner->on("sync", lasting(host, 1s, begun, ended));
    host.start();
    host.time.advance(29s);
    CHECK(begun == 1);
    host.time.advance(3s);
    CHECK(begun == 2);
    CHECK(ended == 1);
    CHECK_FALSE(host.find("sync"));
}

TEST_CASE("runner: a job that ends its host three times is set aside") {
    test::TempFolder folder;
    int begun = 0, ended = 0;
    for (int i = 0; i < 5; ++i) {
        Host host(folder, i * 10min);
        host.runner->on("sync", lasting(host, 10min, begun, ended));
        host.start();
        if (i == 0) host.enqueue("sync");
        host.time.advance(1min);
    }
    CHECK(begun == 3);
    Host host(folder, 1h);
    CHECK(host.find("sync")->status == "dead");
    CHECK(host.find("sync")->last_error ==
          "The host ended 3 times in a row while this job ran; it is set aside.");
}

TEST_CASE("runner: enqueued again while it runs, it runs again afterwards, never beside itself") {
    test::TempFolder folder;
    Host host(folder);
    int begun = 0, ended = 0;
    host.runner->on("sync", lasting(host, 1min, begun, ended));
    host.start();
    host.enqueue("sync");
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

TEST_CASE("runner: a clock that jumps loses no job, starts none early, and none twice") {
    for (const milliseconds jump : {milliseconds{24h * 3650}, milliseconds{-24h * 3650}}) {
        CAPTURE(jump.count());
        test::TempFolder folder;
        Host host(folder);
        int begun = 0, ended = 0;
        host.runner->on("long", lasting(host, 10min, begun, ended));
        int runs = 0;
        host.runner->on("sync", counting(runs));
        host.start();
        host.enqueue("long");
        host.time.advance(7s);
        host.time.set_skew(jump);
        host.enqueue("sync");  // makes it look for work, with our own lease long over
        host.time.advance(20min);
        CHECK(begun == 1);
        CHECK(ended == 1);
        CHECK(runs == 1);
        CHECK_FALSE(host.find("long"));
    }
}

TEST_CASE("runner: an end that cannot be stored is stored later, and the job does not run again") {
    test::TempFolder folder;
    Host host(folder);
    int begun = 0, ended = 0;
    host.runner->on("sync", lasting(host, 10s, begun, ended));
    host.start();
    host.enqueue("sync");
    host.database.is_failing = true;
    host.time.advance(5min);
    CHECK(ended == 1);
    CHECK(host.find("sync")->status == "running");
    host.database.is_failing = false;
    host.time.advance(1min);
    CHECK_FALSE(host.find("sync"));
    CHECK(begun == 1);
}
