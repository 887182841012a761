/// What nobody needs any more.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

/// Remembered answers and messages, and plugins' values, whose time is over. Gives how many.
Result<std::int64_t> delete_expired(Sql& sql, Timestamp now);

}  // namespace calhost::storage
