/// JSON in and out, with the limits that hostile input needs.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calhost::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// Parses one JSON text: depth at most 32, finite numbers, well-formed UTF-8, nothing behind it.
/// *Errors*: invalid, with the place.
Result<value> parse(std::string_view text);

std::string serialize(const value& value);

/// A member of an object, or nullptr when it is absent, null, or `value` is no object.
const value* find(const value& value, std::string_view name);
/// The same; without it an object would be copied into a value that dies before the answer is used.
const value* find(const object& members, std::string_view name);
/// The string member, or empty when it is absent or of another type.
std::string_view text_of(const value& value, std::string_view name);
std::string_view text_of(const object& members, std::string_view name);

}  // namespace calhost::json
