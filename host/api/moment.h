/// Times that callers send (http-api section 1): RFC 3339 with any offset, or a local time with a
/// zone beside it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace calhost::api {

struct Moment {
    Timestamp when{};
    /// A sentence for a local time that its zone does not have, or has twice; else empty.
    std::string doubt;
};

/// Nothing for a text that is no time, a local time without `zone`, or a year past 9999.
std::optional<Moment> read_moment(std::string_view text, std::string_view zone);

}  // namespace calhost::api
