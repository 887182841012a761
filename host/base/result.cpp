#include "base/result.h"

#include <algorithm>
#include <array>

namespace calhost {
namespace {

struct Word {
    ErrorCode code;
    std::string_view word;
};

constexpr std::array kWords{
    Word{ErrorCode::unauthorized, "unauthorized"},
    Word{ErrorCode::needs_reauth, "needs_reauth"},
    Word{ErrorCode::misconfigured, "misconfigured"},
    Word{ErrorCode::forbidden, "forbidden"},
    Word{ErrorCode::rate_limited, "rate_limited"},
    Word{ErrorCode::unavailable, "unavailable"},
    Word{ErrorCode::timeout, "timeout"},
    Word{ErrorCode::invalid_response, "invalid_response"},
    Word{ErrorCode::not_found, "not_found"},
    Word{ErrorCode::already_exists, "already_exists"},
    Word{ErrorCode::conflict, "conflict"},
    Word{ErrorCode::cursor_expired, "cursor_expired"},
    Word{ErrorCode::invalid, "invalid"},
    Word{ErrorCode::unsupported, "unsupported"},
    Word{ErrorCode::cancelled, "cancelled"},
};

}  // namespace

std::string_view to_string(ErrorCode code) {
    const auto* found = std::ranges::find(kWords, code, &Word::code);
    return found == kWords.end() ? "unknown" : found->word;
}

std::optional<ErrorCode> parse_error_code(std::string_view word) {
    const auto* found = std::ranges::find(kWords, word, &Word::word);
    if (found == kWords.end()) return std::nullopt;
    return found->code;
}

bool is_transient(ErrorCode code) {
    return code == ErrorCode::rate_limited || code == ErrorCode::unavailable ||
           code == ErrorCode::timeout || code == ErrorCode::invalid_response;
}

}  // namespace calhost
