/// The schema, built up in numbered steps that only go forward.
#pragma once

#include "storage/sqlite_connection.h"

namespace calhost::storage {

/// The newest step that this program knows.
int newest_schema_version();

/// Runs the steps that are missing, each in its own transaction. Gives the version reached.
/// *Errors*: misconfigured, when the store was written by a newer program.
Result<int> migrate(SqliteConnection& connection);

}  // namespace calhost::storage
