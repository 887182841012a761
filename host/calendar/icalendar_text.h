/// The raw text of a foreign iCalendar file, cut into components, and its lines. The
/// room's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calhost::calendar {

/// One VEVENT or VTIMEZONE with its lines, or a property of the calendar itself; broken is an event
/// that does not end, or holds parts that do not begin and end in turn.
struct Chunk {
    enum class Kind { event, zone, property, broken };
    Kind kind;
    std::string_view text;
};

/// A file's text, unfolded, in UTF-8 and without control characters. RFC 5545 section 3.1.
struct CleanText {
    std::string text;
    bool is_converted = false;  ///< it was not UTF-8 and has been read as Windows-1252
};
CleanText clean(std::string_view raw);

/// The chunks of clean text, which must outlive them. Components are cut one by one so that a
/// broken one spoils no other, and so that nesting without end never reaches the parser.
std::vector<Chunk> cut(std::string_view text);

/// The lines of clean text, or of a part of it, without their ends; empty ones are left out.
std::vector<std::string_view> lines_of(std::string_view text);

/// A content line's name, in upper case.
std::string name_of(std::string_view line);

/// Adds one content line, folded at 75 octets and never inside a character. RFC 5545 section 3.1.
void append_line(std::string& out, std::string_view line);

}  // namespace calhost::calendar
