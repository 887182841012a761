/// Log entries whose fields are known only when they are written.
#pragma once

#include <span>

#include "base/log.h"

namespace calhost::log {

void write_fields(Level level, std::string_view message, std::span<const Field> fields);

}  // namespace calhost::log
