/// Pulls one connection's calendar: incremental by cursor, page by page to the end, each page
/// stored with what it covers. Two syncs of one connection at once are one.
#pragma once

#include <string>

#include "base/signal.h"
#include "connect/token_keeper.h"
#include "storage/jobs.h"
#include "storage/sync_runs.h"

namespace calhost::sync {

/// Told in the transaction of a page: `ids` are gone from the connection's calendar; with a window,
/// everything that is left in it is in `events` now.
using OnGone = std::function<Result<void>(storage::Sql& sql, const storage::Connection& connection,
                                          const std::vector<std::string>& ids,
                                          const std::optional<calendar::Window>& whole)>;

struct SyncOptions {
    std::chrono::seconds interval{900};             ///< of polling; 0: only when asked
    std::chrono::days history{30};                  ///< how far back the first pull reaches
    std::chrono::days lookahead{366};               ///< and how far ahead, where it has to end
    std::chrono::days slide{7};                     ///< how much nearer it may come until it moves
    std::function<void(bool is_good)> on_finished;  ///< for counting; may be empty
    OnGone on_gone;                                 ///< may be empty
};

struct SyncOutcome {
    std::int64_t created = 0, updated = 0, deleted = 0;
    bool is_full = false;
    Timestamp finished_at{};
    std::string calendar_id;  ///< that was read; a first sync may have named it
};

/// The cursor of a windowed feed belongs to its window. When the end of that has come nearer than
/// `lookahead` by `slide`, the next sync is a full pull of a new window: what is known stays known,
/// what lies outside leaves the store and does not count as deleted.
/// A run's row comes with its first page, in the same transaction, and with its last page it ends:
/// a sync of one page is written once. The log shows a long pull as `running` from its first page
/// on, and a start finds those that a crash cut (storage::fail_interrupted_runs). A row at the very
/// start would double the fsyncs of every poll that finds nothing new, and no caller needs it.
/// *Thread*: the connection's home worker.
class Puller {
  public:
    Puller(connect::Services& services, connect::TokenKeeper& keeper, SyncOptions options)
        : services_(&services), keeper_(&keeper), options_(std::move(options)) {}

    /// Brings `events` up to date and plans the next poll. The cursor is saved only with the batch
    /// that it covers, so a crash repeats a page and loses none. *Errors*: not_found (no such
    /// connection), conflict (paused, or connected or chosen anew meanwhile), needs_reauth, those
    /// of the provider's calls, those of the store. A failed sync leaves its sentence in
    /// `last_error` and in the sync log.
    Task<Result<SyncOutcome>> sync(std::string connection_id, std::string user_id,
                                   std::string trigger);

    [[nodiscard]] bool is_running(const std::string& connection_id) const {
        return flights_.is_running(connection_id);
    }

  private:
    struct Run;

    Task<Result<SyncOutcome>> run(std::string connection_id, std::string user_id,
                                  std::string trigger);
    [[nodiscard]] bool is_windowed(const storage::Connection& connection) const;
    /// The cursor to go on from; none for a first pull, and for a window that has to move.
    Result<std::optional<std::string>> find_cursor(const storage::Connection& connection);
    Task<Result<void>> pull(Run& run);
    Task<Result<void>> pull_page(Run& run);
    Task<Result<void>> store_page(Run& run, plugin::Changes changes);
    Task<> record_failure(Run& run, const Error& error);
    [[nodiscard]] Timestamp next_poll();

    connect::Services* services_;
    connect::TokenKeeper* keeper_;
    SyncOptions options_;
    SingleFlight<SyncOutcome> flights_;
};

/// The job of a poll or of a new connection: a connection that is gone, is paused, or waits for the
/// person, has nothing to do.
Task<Result<void>> run_sync_job(Puller& puller, const storage::Job& job);

}  // namespace calhost::sync
