/// Partial responses: the `fields` parameter, such as "items(id,start/dateTime),nextPageToken".
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "base/result.h"

namespace calhost::sandbox {

/// Keeps what the selector names. *Errors*: invalid, for a selector that cannot be read.
Result<boost::json::value> select_fields(const boost::json::value& body, std::string_view selector);

/// With line breaks and two blanks a level.
std::string pretty_print(const boost::json::value& value);

}  // namespace calhost::sandbox
