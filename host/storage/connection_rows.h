/// A connection's row written whole. For this room only: whoever changes less has a function of his
/// own in connections.h.
#pragma once

#include "storage/connections.h"

namespace calhost::storage {

Result<void> insert_connection(Sql& sql, const Connection& connection);
/// All but who and what it is of: id, user, provider, label. What is not there is no error.
Result<void> update_connection(Sql& sql, const Connection& connection);

}  // namespace calhost::storage
