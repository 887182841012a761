/// Table `plugin_store`: each plugin's own keys.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

Result<std::optional<std::string>> get_plugin_value(Sql& sql, std::string_view plugin,
                                                    std::string_view key, Timestamp now);
Result<void> put_plugin_value(Sql& sql, std::string_view plugin, std::string_view key,
                              std::string_view value, std::optional<Timestamp> expires_at,
                              Timestamp now);
/// Those that begin with `prefix`, in order, at most `limit`.
Result<std::vector<std::string>> list_plugin_keys(Sql& sql, std::string_view plugin,
                                                  std::string_view prefix, Timestamp now,
                                                  int limit);
Result<bool> delete_plugin_value(Sql& sql, std::string_view plugin, std::string_view key);

}  // namespace calhost::storage
