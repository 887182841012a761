/// The store as a worker sees it: reads at once on its own connection, writes through the one
/// writer that commits in groups.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/task.h"
#include "storage/sql.h"

namespace calhost::storage {

/// Runs on the writer, inside its own savepoint. It must touch nothing but `sql` and what it
/// captured: the caller's coroutine waits meanwhile, on another thread. An error rolls it back.
using Write = std::function<Result<void>(Sql& sql)>;

/// *Thread*: one worker's; each worker has its own. Clean-up: goes before its worker's io_context;
/// its destructor waits for writes that were begun.
class Database {
  public:
    virtual ~Database() = default;

    /// Returns after the commit is on disk; an error means that nothing of it was kept.
    /// *Errors*: those of Sql and of the write itself.
    /// *Cancels*: never: a write that was begun is finished and awaited.
    virtual Task<Result<void>> write(Write write) = 0;

    /// False from a write that the disk refused on, until it has taken one again.
    [[nodiscard]] virtual bool takes_writes() const = 0;

    /// The worker's reading connection. Reads see every write that was awaited.
    virtual Sql& reader() = 0;

    /// `listener` runs on this worker after each commit, once per change, in commit order.
    virtual void on_change(std::function<void(const Change&)> listener) = 0;

    /// A write that gives a value.
    template <class T>
    Task<Result<T>> write_for(std::function<Result<T>(Sql&)> write);
};

template <class T>
Task<Result<T>> Database::write_for(std::function<Result<T>(Sql&)> work) {
    Result<T> result = fail(ErrorCode::cancelled, "the write did not run");
    auto done = co_await write([&](Sql& sql) -> Result<void> {
        result = work(sql);
        if (!result) return fail(result.error());
        return {};
    });
    if (!done) co_return fail(std::move(done.error()));
    co_return std::move(result);
}

}  // namespace calhost::storage
