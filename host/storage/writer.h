/// The one writer: every waiting write in its own savepoint, one commit for all of them. A write
/// that is alone has the transaction to itself.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/database.h"
#include "storage/sqlite_connection.h"

namespace calhost::storage {

/// Where one Database hears from the writer. `listeners` belong to the worker, `waiting` to the
/// writer's mutex.
struct Channel {
    explicit Channel(Executor worker) : executor(worker) {}
    Executor executor;
    std::vector<std::function<void(const Change&)>> listeners;
    int waiting = 0;
};

/// A write that waits, with the coroutine to resume afterwards.
struct PendingWrite {
    Write* work;  ///< lives in the coroutine, which waits
    std::shared_ptr<Channel> channel;
    std::move_only_function<void(Result<void>)> done;
    boost::asio::executor_work_guard<Executor> guard;  ///< keeps the worker's loop running
    Result<void> result{};
};

/// *Thread*: any.
class Writer {
  public:
    Writer(std::unique_ptr<SqliteConnection> connection, bool is_inline);
    ~Writer() { close(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void attach(std::shared_ptr<Channel> channel);
    /// Waits until the channel's writes are done; afterwards nothing touches its executor.
    void detach(const std::shared_ptr<Channel>& channel);
    /// Inline: runs it now. Either way `done` is posted to the channel, after the notices.
    void submit(PendingWrite write);
    /// As Database::takes_writes.
    [[nodiscard]] bool takes_writes() const { return takes_writes_; }
    /// Commits what waits; later writes are refused.
    void close();

  private:
    using Group = std::vector<PendingWrite>;

    void loop();
    void commit(Group& group);
    void run_each(Group& group);
    void run_alone(PendingWrite& write);
    Result<void> run_one(Write& work);
    Result<void> run_guarded(Write& work);
    void end_transaction(Group& group);
    void report(Group& group);
    void note_disk(const Group& group, bool has_changed);

    std::unique_ptr<SqliteConnection> connection_;
    const bool is_inline_;
    std::mutex inline_turn_;
    std::atomic<bool> takes_writes_ = true;

    std::mutex mutex_;  // guards what follows
    std::condition_variable work_or_end_;
    std::condition_variable reported_;
    Group waiting_;
    std::vector<std::shared_ptr<Channel>> channels_;
    bool is_closed_ = false;

    std::thread thread_;
};

}  // namespace calhost::storage
