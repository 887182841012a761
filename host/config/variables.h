/// Where variables come from.
#pragma once

#include <filesystem>

#include "config/settings.h"

namespace calhost::config {

/// The process environment first, then `.env` beside `file`. *Errors*: misconfigured, for a `.env`
/// that cannot be read.
Result<Environment> make_environment(const std::filesystem::path& file);

}  // namespace calhost::config
