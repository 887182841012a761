#include "storage/expired.h"

namespace calhost::storage {

Result<std::int64_t> delete_expired(Sql& sql, Timestamp now) {
    std::int64_t count = 0;
    for (const std::string_view statement : {"DELETE FROM idempotency_keys WHERE expires_at <= $1",
                                             "DELETE FROM webhook_messages WHERE expires_at <= $1",
                                             "DELETE FROM plugin_store WHERE expires_at <= $1"}) {
        auto deleted = sql.execute(statement, {now});
        if (!deleted) return deleted;
        count += *deleted;
    }
    return count;
}

}  // namespace calhost::storage
