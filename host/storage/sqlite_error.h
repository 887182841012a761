/// SQLite's result codes as the house's errors.
#pragma once

#include <string_view>

#include "base/result.h"

namespace calhost::storage {

/// `code` is an extended result code, `detail` SQLite's own words, which name tables and columns
/// but never a value.
Error sqlite_error(int code, std::string_view detail);

}  // namespace calhost::storage
