/// Compressed bodies.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace calhost::net {

/// *Errors*: invalid_response, for broken or truncated data and for more than `most` bytes of
/// text; it never holds much more than that.
Result<std::string> gunzip(std::string_view bytes, std::size_t most);

}  // namespace calhost::net
