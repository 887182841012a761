/// A host of nothing but jobs, and what its jobs do.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>

#include "jobs/runner.h"
#include "support/seeded_random.h"
#include "support/test_store.h"

namespace calhost::test {

using namespace std::chrono_literals;

/// Passes writes on, or refuses them as a full disk would.
class FailingDatabase final : public storage::Database {
  public:
    explicit FailingDatabase(storage::Database& real) : real_(&real) {}
    Task<Result<void>> write(storage::Write work) override {
        if (is_failing) return refuse();
        return real_->write(std::move(work));
    }
    [[nodiscard]] bool takes_writes() const override { return !is_failing; }
    storage::Sql& reader() override { return real_->reader(); }
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
    explicit Host(const TempFolder& folder, milliseconds age = 0ms,
                  jobs::RunnerOptions options = {})
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
    void enqueue(storage::Job job) {
        job.created_at = time.now();
        if (job.id.empty()) job.id = job.kind + job.target + std::to_string(++number_);
        must(time.wait(
            real_->write([&](storage::Sql& sql) { return storage::enqueue_job(sql, job); })));
        time.advance(0ms);
    }
    void enqueue(std::string kind, std::string target = "t") {
        enqueue({.kind = std::move(kind), .target = std::move(target), .run_at = time.now()});
    }
    std::optional<storage::Job> find(std::string_view kind, std::string_view target = "t") {
        return must(storage::find_job(real_->reader(), "", kind, target));
    }
    bool write(std::function<Result<bool>(storage::Sql&)> work) {
        return must(time.wait(real_->write_for<bool>(std::move(work))));
    }

  private:
    std::unique_ptr<boost::asio::io_context> context_ = std::make_unique<boost::asio::io_context>();

  public:
    VirtualTime time{*context_};

  private:
    SeededRandom random_{7};
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<storage::Database> real_;
    int number_ = 0;

  public:
    FailingDatabase database;
    std::optional<jobs::Runner> runner;
    bool is_stopped = false;
};

/// A function that counts its runs and gives `result`.
inline jobs::JobFunction counting(int& runs, Result<void> result = {}) {
    return [&runs, result](const storage::Job&) -> Task<Result<void>> {
        ++runs;
        co_return result;
    };
}

/// A function that takes `length`.
inline jobs::JobFunction lasting(Host& host, milliseconds length, int& begun, int& ended) {
    return [&host, length, &begun, &ended](const storage::Job&) -> Task<Result<void>> {
        ++begun;
        co_await host.time.sleep(length);
        // A cancelled sleep of the virtual clock returns early; the next wait throws.
        co_await host.time.sleep(0ms);
        ++ended;
        co_return Result<void>{};
    };
}

/// A host in which one job "sync" that takes `length` has begun.
struct LongJob {
    explicit LongJob(milliseconds length) {
        host.runner->on("sync", lasting(host, length, begun, ended));
        host.start();
        host.enqueue("sync");
    }
    TempFolder folder;
    Host host{folder};
    int begun = 0, ended = 0;
};

}  // namespace calhost::test
