// The writer thread: what many workers write at once.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "storage/plugin_store.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::must;

namespace {

/// A thread with its loop and its Database, as in the host.
struct Worker {
    explicit Worker(Store& store) : database(store.database(context.get_executor())) {}
    void run() {
        thread = std::thread([this] { context.run(); });
    }

    boost::asio::io_context context{1};
    std::unique_ptr<Database> database;
    std::vector<std::string> heard;
    std::vector<bool> results;
    std::thread thread;
};

Result<void> put(Sql& sql, std::string_view key) {
    auto done = put_plugin_value(sql, "p", key, "x", std::nullopt, test::kNow);
    if (done) sql.notify({"plugin_store", std::string(key), ""});
    return done;
}
bool is_there(Sql& sql, std::string_view key) {
    return must(get_plugin_value(sql, "p", key, test::kNow)).has_value();
}

/// Every seventh fails after it wrote.
Task<> write_one(Worker& worker, std::string key, bool is_failing) {
    auto done = co_await worker.database->write([&](Sql& sql) -> Result<void> {
        auto written = put(sql, key);
        if (is_failing) return fail(ErrorCode::conflict, "not this one");
        return written;
    });
    // Awaited: the row is in sight, and this worker has heard of it already.
    const bool is_kept = done.has_value() && is_there(worker.database->reader(), key) &&
                         std::ranges::find(worker.heard, key) != worker.heard.end();
    const bool is_undone = !done && done.error().code == ErrorCode::conflict &&
                           !is_there(worker.database->reader(), key);
    worker.results.push_back(is_failing ? is_undone : is_kept);
}

/// Holds the writer until `open`, so that what comes after lands in one group.
class Gate {
  public:
    Result<void> pass() {
        std::unique_lock lock(mutex_);
        is_reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, [&] { return is_open_; });
        return {};
    }
    void wait_until_reached() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return is_reached_; });
    }
    void open() {
        const std::scoped_lock lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_reached_ = false, is_open_ = false;
};

Task<> pass_gate(Database& database, Gate& gate) {
    must(co_await database.write([&](Sql&) { return gate.pass(); }));
}

}  // namespace

TEST_CASE("writer: writes of two workers at once are all kept, a failing one alone is undone") {
    test::TempFolder folder;
    constexpr int kEach = 300;
    {
        auto store = must(Store::open({.file = folder.path() / "s.db"}));
        Worker workers[] = {Worker(*store), Worker(*store)};
        for (auto& worker : workers) {
            worker.database->on_change(
                [&](const Change& change) { worker.heard.push_back(change.id); });
            for (int i = 0; i < kEach; ++i) {
                const auto key = std::to_string(&worker - workers) + "-" + std::to_string(i);
                boost::asio::co_spawn(worker.context, write_one(worker, key, i % 7 == 0),
                                      boost::asio::detached);
            }
        }
        for (auto& worker : workers) worker.run();
        for (auto& worker : workers) worker.thread.join();
        for (auto& worker : workers) {
            CHECK(worker.results == std::vector<bool>(kEach, true));
            // What the other did last may have come when this loop had ended already.
            worker.context.restart();
            worker.context.poll();
        }
        CHECK(workers[0].heard == workers[1].heard);  // commit order, the same for both
        for (auto& worker : workers) worker.database.reset();
    }
    auto store = must(Store::open({.file = folder.path() / "s.db", .is_inline = true}));
    boost::asio::io_context context;
    const auto database = store->database(context.get_executor());
    std::int64_t count = 0;
    must(database->reader().query("SELECT count(*) FROM plugin_store", {},
                                  [&](const Row& row) { count = row.integer(0); }));
    CHECK(count == 2 * (kEach - (kEach + 6) / 7));
}

TEST_CASE("writer: what waits together is committed together") {
    test::TempFolder folder;
    auto store = must(Store::open({.file = folder.path() / "s.db"}));
    Worker worker(*store);
    Gate gate;
    boost::asio::co_spawn(worker.context, pass_gate(*worker.database, gate), boost::asio::detached);
    worker.context.poll();
    gate.wait_until_reached();
    bool is_seen_early = false;
    int done = 0;
    auto write = [&](std::string key) -> Task<> {
        must(co_await worker.database->write([&, key](Sql& sql) {
            is_seen_early = is_seen_early || is_there(worker.database->reader(), "0");
            return put(sql, key);
        }));
        ++done;
    };
    for (int i = 0; i < 20; ++i)
        boost::asio::co_spawn(worker.context, write(std::to_string(i)), boost::asio::detached);
    worker.context.poll();
    gate.open();
    worker.context.run();
    CHECK(done == 20);
    CHECK_FALSE(is_seen_early);  // one commit a write would have shown the first to the second
}

TEST_CASE("writer: a cancelled caller still waits until its write has ended") {
    test::TempFolder folder;
    auto store = must(Store::open({.file = folder.path() / "s.db"}));
    Worker worker(*store);
    Gate gate;
    boost::asio::cancellation_signal cancel;
    std::atomic<bool> has_ended = false;
    auto write = [&]() -> Task<> {
        std::string local = "alive";
        must(co_await worker.database->write([&](Sql& sql) {
            must(gate.pass());
            return put(sql, local);
        }));
        has_ended = true;
    };
    boost::asio::co_spawn(
        worker.context, write(),
        boost::asio::bind_cancellation_slot(cancel.slot(), boost::asio::detached));
    worker.context.poll();
    gate.wait_until_reached();
    cancel.emit(boost::asio::cancellation_type::all);
    worker.context.poll();
    CHECK_FALSE(has_ended);
    gate.open();
    worker.context.run();
    CHECK(has_ended);
    CHECK(is_there(worker.database->reader(), "alive"));
}

TEST_CASE("writer: closing commits what waits") {
    test::TempFolder folder;
    auto store = must(Store::open({.file = folder.path() / "s.db"}));
    Worker worker(*store);
    Gate gate;
    boost::asio::co_spawn(worker.context, pass_gate(*worker.database, gate), boost::asio::detached);
    worker.context.poll();
    gate.wait_until_reached();
    bool is_kept = false;
    auto write = [&]() -> Task<> {
        is_kept =
            (co_await worker.database->write([](Sql& sql) { return put(sql, "a"); })).has_value();
    };
    boost::asio::co_spawn(worker.context, write(), boost::asio::detached);
    worker.context.poll();
    std::thread closer([&] { store->close(); });
    gate.open();
    closer.join();
    worker.context.run();
    CHECK(is_kept);
    CHECK(is_there(worker.database->reader(), "a"));
}
