#include "storage/migrations.h"

#include <fmt/format.h>

#include "storage/schema_sqlite.h"

namespace calhost::storage {
namespace {

Result<int> stored_version(SqliteConnection& connection) {
    auto made = connection.run_script(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY) STRICT");
    if (!made) return fail(std::move(made.error()));
    int version = 0;
    auto read =
        connection.query("SELECT coalesce(max(version), 0) FROM schema_version", {},
                         [&](const Row& row) { version = static_cast<int>(row.integer(0)); });
    if (!read) return fail(std::move(read.error()));
    return version;
}

Result<void> run_step(SqliteConnection& connection, int version) {
    const auto statements = sqlite_migrations()[static_cast<std::size_t>(version - 1)];
    auto done = connection.run_script(fmt::format(
        "BEGIN IMMEDIATE;\n{}\nINSERT INTO schema_version (version) VALUES ({});\nCOMMIT",
        statements, version));
    if (!done && connection.is_in_transaction()) (void)connection.run_script("ROLLBACK");
    return done;
}

}  // namespace

int newest_schema_version() { return static_cast<int>(sqlite_migrations().size()); }

Result<int> migrate(SqliteConnection& connection) {
    auto version = stored_version(connection);
    if (!version) return version;
    if (*version > newest_schema_version())
        return fail(ErrorCode::misconfigured,
                    fmt::format("The store has schema {}, and this calhost knows only up to {}: a "
                                "newer calhost wrote it. Run that one, or put back a backup made "
                                "before the upgrade.",
                                *version, newest_schema_version()));
    while (*version < newest_schema_version()) {
        auto done = run_step(connection, *version + 1);
        if (!done) return fail(std::move(done.error()));
        ++*version;
    }
    return version;
}

}  // namespace calhost::storage
