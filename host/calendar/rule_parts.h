/// An RRULE's text in its parts. The room's own.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace calhost::calendar {

/// The pieces between separators, empty ones too.
std::vector<std::string_view> split(std::string_view text, char separator);

/// A whole number, "+" allowed.
std::optional<int> number(std::string_view text);

/// NAME and VALUE of each part; views of the rule's text.
using Parts = std::vector<std::pair<std::string_view, std::string_view>>;

/// The part's value, or empty.
std::string_view value_of(const Parts& parts, std::string_view name);

}  // namespace calhost::calendar
