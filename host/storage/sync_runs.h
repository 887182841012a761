/// Table `sync_runs`: each sync with its counts and how it ended. A run is there from its first
/// stored page on (sync/pull.h says why not earlier).
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

struct SyncRun {
    std::string id;
    std::string connection_id;
    std::string user_id;
    std::string trigger;  ///< "manual", "connect", "schedule"
    std::string kind;     ///< "full" or "incremental"
    Timestamp started_at{};
    std::optional<Timestamp> finished_at;
    std::string status;  ///< running, done, failed
    std::int64_t created = 0, updated = 0, deleted = 0;
    std::string error;  ///< code and sentence
};
Result<void> insert_sync_run(Sql& sql, const SyncRun& run);
Result<void> finish_sync_run(Sql& sql, const SyncRun& run);
/// Runs that a crash left `running` become failed; called at start.
Result<std::int64_t> fail_interrupted_runs(Sql& sql, Timestamp now);
/// Newest first.
Result<std::vector<SyncRun>> list_sync_runs(Sql& sql, std::string_view user_id, int limit);
/// Keeps the newest `keep` of the connection.
Result<void> trim_sync_runs(Sql& sql, std::string_view connection_id, int keep);

}  // namespace calhost::storage
