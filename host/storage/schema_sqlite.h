/// SQLite's own part: the statements of each migration.
#pragma once

#include <span>
#include <string_view>

namespace calhost::storage {

/// Step n is at n - 1. A step that has been released is never edited.
std::span<const std::string_view> sqlite_migrations();

}  // namespace calhost::storage
