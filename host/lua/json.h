/// JSON straight into Lua's tables and out of them, without a tree between.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "lua/state.h"

namespace calhost::lua {

/// Writes the value that `text` holds: integers stay integers, null becomes `json.null`, arrays
/// keep their mark. Depth at most 32, finite numbers. Of a name given twice the last one counts.
/// *Errors*: invalid, and nothing is written.
Result<void> push_json_text(Writer& writer, std::string_view text);

/// What values that are decoded after each other share: indexes of tables, or 0.
struct Shared {
    int names = 0;   ///< where the names of members are found again
    int wanted = 0;  ///< its keys are the members of an outermost object that are made
};

/// The same for one value at the front of `text`; gives how many bytes it took, white space behind
/// it included.
Result<std::size_t> push_json_value(Writer& writer, std::string_view text,
                                    const Shared& shared = {});

/// The value as JSON text: marked and non-empty sequences become arrays, other tables objects.
/// *Errors*: invalid, for depth over 32, more than 16 MiB, functions, mixed keys, numbers that are
/// not finite, or text that is not UTF-8.
Result<std::string> json_text(const Reader& value);

/// What decoding gives for text that is not JSON: an error behind the nil that was pushed.
void give_decode_error(Call& call, const Error& error);

/// What `host.json` has: `decode(text, member, wanted)`, `encode(value)`, `array(table)` (marks it)
/// and `null`. All answer at once; decode and encode give `nil, err` for what they cannot take.
void fill_json(Table& table);

}  // namespace calhost::lua
