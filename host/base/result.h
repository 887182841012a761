/// The one error type of the house. Expected failures travel as `Result`; exceptions are for bugs,
/// out-of-memory and a failed start, and never cross a room for an expected failure.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace calhost {

/// Closed list, the same words in Lua (`err.code`). Callers branch on the code, never on the text.
enum class ErrorCode {
    unauthorized,      ///< the caller's or the provider's credentials were refused
    needs_reauth,      ///< the grant is gone: only the person can mend it
    misconfigured,     ///< the operator must mend it
    forbidden,         ///< known, and not allowed
    rate_limited,      ///< later; `retry_after` says when if it is known
    unavailable,       ///< network or server fault; trying again may help
    timeout,           ///< no answer in time; the effect is unknown
    invalid_response,  ///< the other side's answer makes no sense
    not_found,
    already_exists,
    conflict,        ///< changed meanwhile: read again and merge
    cursor_expired,  ///< the change feed must start anew
    invalid,         ///< the input is wrong; `message` says what
    unsupported,     ///< the other side cannot express it
    cancelled,       ///< the host stops, or the caller went away
};

/// The code's word, such as "rate_limited".
std::string_view to_string(ErrorCode code);

/// The code of a word, or nothing for a word that is not one.
std::optional<ErrorCode> parse_error_code(std::string_view word);

/// What happened. `message` is a sentence for people: it never holds a token or a secret.
struct Error {
    ErrorCode code{};
    std::string message;
    std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::invalid, "…")` from any function that returns a Result.
inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
    return std::unexpected(Error{code, std::move(message)});
}

/// Hands an error on: `if (!x) return fail(x.error());`
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

/// True for faults that a later attempt of the same call may not meet.
bool is_transient(ErrorCode code);

}  // namespace calhost
