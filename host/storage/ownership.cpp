#include "storage/ownership.h"

namespace calhost::storage {

Result<void> require_owner(Sql& sql, std::string_view connection_id, std::string_view user_id) {
    bool is_owned = false;
    auto read = sql.query("SELECT 1 FROM connections WHERE id = $1 AND user_id = $2",
                          {connection_id, user_id}, [&](const Row&) { is_owned = true; });
    if (!read) return read;
    if (!is_owned) return fail(ErrorCode::not_found, "This connection does not exist any more.");
    return {};
}

}  // namespace calhost::storage
