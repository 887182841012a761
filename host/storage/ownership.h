/// Rows that hang on a connection are reached only by the connection's user.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

/// *Errors*: not_found, when the connection is gone or someone else's.
Result<void> require_owner(Sql& sql, std::string_view connection_id, std::string_view user_id);

}  // namespace calhost::storage
