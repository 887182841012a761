/// Where a script says what it says.
#pragma once

#include "lua/value.h"

namespace calhost::lua {

/// The line on which a function of a script begins; 0 for any other value.
int function_line(const Reader& function);

}  // namespace calhost::lua
