/// Bytes as text and back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace calhost {

/// Lower-case hexadecimal.
std::string hex_encode(std::string_view bytes);
/// *Errors*: invalid, for an odd length or another character.
Result<std::string> hex_decode(std::string_view text);

/// RFC 4648 section 4, padded.
std::string base64_encode(std::string_view bytes);
/// Standard or URL alphabet, padded or not. *Errors*: invalid.
Result<std::string> base64_decode(std::string_view text);
/// RFC 4648 section 5 without padding.
std::string base64url_encode(std::string_view bytes);

/// Everything but RFC 3986's unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);
/// *Errors*: invalid, for a broken escape. `plus_is_space` is the rule of forms and queries.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

/// The five characters that HTML and XML give a meaning.
std::string html_escape(std::string_view text);

/// True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

}  // namespace calhost
