#include "storage/plugin_store.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

std::string read_value(const Row& row) { return row.string(0); }

}  // namespace

Result<std::optional<std::string>> get_plugin_value(Sql& sql, std::string_view plugin,
                                                    std::string_view key, Timestamp now) {
    return sql.first(
        "SELECT value FROM plugin_store "
        "WHERE plugin = $1 AND key = $2 AND (expires_at IS NULL OR expires_at > $3)",
        {plugin, key, now}, read_value);
}

Result<void> put_plugin_value(Sql& sql, std::string_view plugin, std::string_view key,
                              std::string_view value, std::optional<Timestamp> expires_at,
                              Timestamp now) {
    return to_void(
        sql.execute("INSERT INTO plugin_store (plugin, key, value, expires_at, updated_at) "
                    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (plugin, key) DO UPDATE SET "
                    "value = excluded.value, expires_at = excluded.expires_at, updated_at = "
                    "excluded.updated_at",
                    {plugin, key, value, expires_at, now}));
}

Result<std::vector<std::string>> list_plugin_keys(Sql& sql, std::string_view plugin,
                                                  std::string_view prefix, Timestamp now,
                                                  int limit) {
    return sql.all(
        "SELECT key FROM plugin_store WHERE plugin = $1 AND substr(key, 1, length($2)) = $2 "
        "AND (expires_at IS NULL OR expires_at > $3) ORDER BY key LIMIT $4",
        {plugin, prefix, now, limit}, read_value);
}

Result<bool> delete_plugin_value(Sql& sql, std::string_view plugin, std::string_view key) {
    return is_changed(
        sql.execute("DELETE FROM plugin_store WHERE plugin = $1 AND key = $2", {plugin, key}));
}

}  // namespace calhost::storage
