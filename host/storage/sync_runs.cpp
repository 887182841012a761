#include "storage/sync_runs.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define RUN_COLUMNS                                                                         \
    "id, connection_id, user_id, trigger, kind, started_at, finished_at, status, created, " \
    "updated, deleted, error"

SyncRun read_run(const Row& row) {
    return {.id = row.string(0),
            .connection_id = row.string(1),
            .user_id = row.string(2),
            .trigger = row.string(3),
            .kind = row.string(4),
            .started_at = row.time(5),
            .finished_at = row.maybe_time(6),
            .status = row.string(7),
            .created = row.integer(8),
            .updated = row.integer(9),
            .deleted = row.integer(10),
            .error = row.string(11)};
}

}  // namespace

Result<void> insert_sync_run(Sql& sql, const SyncRun& run) {
    return to_void(sql.execute("INSERT INTO sync_runs (" RUN_COLUMNS ") "
                               "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                               {run.id, run.connection_id, run.user_id, run.trigger, run.kind,
                                run.started_at, run.finished_at, run.status, run.created,
                                run.updated, run.deleted, run.error}));
}

Result<void> finish_sync_run(Sql& sql, const SyncRun& run) {
    return to_void(
        sql.execute("UPDATE sync_runs SET kind = $3, finished_at = $4, status = $5, created = $6, "
                    "updated = $7, deleted = $8, error = $9 WHERE id = $1 AND user_id = $2",
                    {run.id, run.user_id, run.kind, run.finished_at, run.status, run.created,
                     run.updated, run.deleted, run.error}));
}

Result<std::int64_t> fail_interrupted_runs(Sql& sql, Timestamp now) {
    return sql.execute(
        "UPDATE sync_runs SET status = 'failed', finished_at = $1, "
        "error = 'unavailable: The host ended while this sync ran.' WHERE status = 'running'",
        {now});
}

Result<std::vector<SyncRun>> list_sync_runs(Sql& sql, std::string_view user_id, int limit) {
    return sql.all("SELECT " RUN_COLUMNS
                   " FROM sync_runs WHERE user_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2",
                   {user_id, limit}, read_run);
}

Result<void> trim_sync_runs(Sql& sql, std::string_view connection_id, int keep) {
    return to_void(
        sql.execute("DELETE FROM sync_runs WHERE connection_id = $1 AND id NOT IN "
                    "(SELECT id FROM sync_runs WHERE connection_id = $1 "
                    "ORDER BY started_at DESC, id DESC LIMIT $2)",
                    {connection_id, keep}));
}

#undef RUN_COLUMNS

}  // namespace calhost::storage
