/// Where a script defines something: Lua keeps no lines of values, so they are looked up in the
/// text.
#pragma once

#include <span>
#include <string_view>

namespace calhost::plugin {

/// The line of the innermost of these nested names that is found, from 1; 0: none.
int line_of(std::string_view code, std::span<const std::string_view> path);

}  // namespace calhost::plugin
