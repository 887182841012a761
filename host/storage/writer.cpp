#include "storage/writer.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>

#include "base/log.h"

namespace calhost::storage {

Writer::Writer(std::unique_ptr<SqliteConnection> connection, bool is_inline)
    : connection_(std::move(connection)), is_inline_(is_inline) {
    if (!is_inline_) thread_ = std::thread([this] { loop(); });
}

void Writer::attach(std::shared_ptr<Channel> channel) {
    const std::scoped_lock lock(mutex_);
    channels_.push_back(std::move(channel));
}

void Writer::detach(const std::shared_ptr<Channel>& channel) {
    std::unique_lock lock(mutex_);
    reported_.wait(lock, [&] { return channel->waiting == 0; });
    std::erase(channels_, channel);
}

void Writer::submit(PendingWrite write) {
    {
        std::unique_lock lock(mutex_);
        ++write.channel->waiting;
        if (!is_inline_ && !is_closed_) {
            waiting_.push_back(std::move(write));
            lock.unlock();
            work_or_end_.notify_one();
            return;
        }
        if (is_closed_)
            write.result = fail(ErrorCode::unavailable, "The store is closed: the host stops.");
    }
    Group group;
    group.push_back(std::move(write));
    const std::scoped_lock turn(inline_turn_);
    if (group.front().result) commit(group);
    report(group);
}

void Writer::close() {
    {
        const std::scoped_lock lock(mutex_);
        is_closed_ = true;
    }
    work_or_end_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Writer::loop() {
    for (;;) {
        Group group;
        {
            std::unique_lock lock(mutex_);
            work_or_end_.wait(lock, [&] { return is_closed_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            group.swap(waiting_);
        }
        commit(group);
        report(group);
    }
}

/// After this every write of the group has its result, and what succeeded is on disk.
void Writer::commit(Group& group) {
    connection_->changes().clear();
    const auto rows = connection_->total_changes();
    if (auto begun = connection_->execute("BEGIN IMMEDIATE"); begun) {
        run_each(group);
        end_transaction(group);
    } else {
        for (auto& write : group) write.result = fail(begun.error());
    }
    note_disk(group, connection_->total_changes() > rows);
}

/// A write that changes nothing needs no disk, and shows nothing.
void Writer::note_disk(const Group& group, bool has_changed) {
    const auto is_refused = [](const PendingWrite& write) {
        return !write.result && write.result.error().code == ErrorCode::unavailable;
    };
    if (std::ranges::any_of(group, is_refused))
        takes_writes_ = false;
    else if (has_changed)
        takes_writes_ = true;
}

void Writer::run_each(Group& group) {
    if (group.size() == 1) return run_alone(group.front());
    for (auto& write : group) {
        write.result = run_one(*write.work);
        if (!connection_->is_in_transaction()) return;  // all is lost: do not run the rest
    }
}

/// It needs no savepoint: the transaction is its own.
void Writer::run_alone(PendingWrite& write) {
    write.result = run_guarded(*write.work);
    if (!write.result && connection_->is_in_transaction()) (void)connection_->execute("ROLLBACK");
}

Result<void> Writer::run_one(Write& work) {
    const std::size_t notices = connection_->changes().size();
    if (auto begun = connection_->execute("SAVEPOINT one"); !begun) return fail(begun.error());
    auto result = run_guarded(work);
    if (!connection_->is_in_transaction()) return result;
    if (!result) connection_->changes().resize(notices);
    const bool is_settled = (result || connection_->execute("ROLLBACK TO one")) &&
                            connection_->execute("RELEASE one").has_value();
    // Half a write must not be committed: then rather nothing of the group.
    if (!is_settled) (void)connection_->execute("ROLLBACK");
    return result;
}

Result<void> Writer::run_guarded(Write& work) {
    try {
        return work(*connection_);
    } catch (const std::exception& thrown) {
        log::error("a write threw", {{"what", thrown.what()}});
        return fail(ErrorCode::invalid,
                    "The host made a mistake while it wrote to the store; nothing of the change "
                    "was kept. The log has the details.");
    }
}

void Writer::end_transaction(Group& group) {
    Result<std::int64_t> committed = fail(
        ErrorCode::unavailable,
        "The store had to undo this change, because its disk is full or failed. Free some space or "
        "look at the disk, and try again.");
    if (connection_->is_in_transaction()) committed = connection_->execute("COMMIT");
    if (committed) return;
    connection_->changes().clear();
    if (connection_->is_in_transaction()) (void)connection_->execute("ROLLBACK");
    for (auto& write : group)
        if (write.result) write.result = fail(committed.error());
}

/// Notices go first, so that a caller who awaited the write never sees what it remembered before.
void Writer::report(Group& group) {
    const auto changes =
        std::make_shared<const std::vector<Change>>(std::move(connection_->changes()));
    connection_->changes().clear();
    {
        const std::scoped_lock lock(mutex_);
        for (const auto& channel : channels_) {
            if (changes->empty()) break;
            boost::asio::post(channel->executor, [channel, changes] {
                for (const auto& change : *changes)
                    for (const auto& listener : channel->listeners) listener(change);
            });
        }
        for (auto& write : group) {
            boost::asio::post(
                write.channel->executor,
                [done = std::move(write.done), result = std::move(write.result)]() mutable {
                    done(std::move(result));
                });
            write.guard.reset();
            --write.channel->waiting;
        }
    }
    reported_.notify_all();
}

}  // namespace calhost::storage
