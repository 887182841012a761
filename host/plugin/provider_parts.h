/// Pieces that the calls of a provider share. Nobody outside the room includes this.
#pragma once

#include <fmt/format.h>

#include <span>

#include "lua/state.h"
#include "plugin/provider_values.h"

namespace calhost::plugin {

// Long enough for five attempts of 30 s and the waits between them: a provider that hangs is a
// timeout, not the script's fault.
inline constexpr lua::Budget kCallBudget{.instructions = 200'000'000,
                                         .deadline = milliseconds{300'000}};

inline std::unexpected<Error> wrong_result(std::string_view what) {
    return fail(ErrorCode::invalid_response, fmt::format("the provider gave {}", what));
}

lua::Push push_text(std::string text);
/// nil when there is none.
lua::Push push_maybe(std::optional<std::string> text);
/// `{id}`
lua::Push push_calendar(std::string id);
/// `{start, finish}` as RFC 3339.
lua::Push push_window(calendar::Window window);

/// The line in Lua's "redirect.lua:3: …", which is in the message or in the traceback below it; 0
/// where it has none.
int line_in(std::string_view details, std::string_view chunk);
/// What a traceback says first, with the place in `chunk` where it was.
std::string first_line(std::string_view details, std::string_view chunk);

/// A member that an answer may have. `json.null` counts as one that is not there.
struct AnswerMember {
    std::string_view name;
    lua::Type type;
};
/// *Errors*: invalid_response, for a member of another type.
Result<void> check_types(const lua::Reader& answer, std::span<const AnswerMember> members);
/// The same, and nothing else may be there: for what is not just handed on from the service.
Result<void> check_members(const lua::Reader& answer, std::span<const AnswerMember> members);
/// What check_members finds, as the object of a sentence: "a number as `title`; …"; empty: nothing.
std::string member_fault(const lua::Reader& answer, std::span<const AnswerMember> members);

/// A zone that nobody knows becomes UTC, which may be hours off: whoever writes the provider is
/// told.
void warn_of_zone(std::string_view provider, std::string_view zone);

/// Reads what `function` gave first. *Errors*: those of `read`, with the function's name.
Result<void> read_first(std::string_view function, std::span<const lua::Reader> results,
                        const std::function<Result<void>(const lua::Reader&)>& read);

std::optional<std::string> maybe_text(const lua::Reader& table, std::string_view name);

}  // namespace calhost::plugin
