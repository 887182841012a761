/// Reading one value: text in, the value or a sentence of what it must be out.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calhost::config {

// *Errors* of all: invalid; the message goes on after "server.listen: " and never repeats the
// value, which may have come from a variable that holds a secret.

Result<int> parse_integer(std::string_view text, int min, int max);
/// "90s", "15m", "2h", "1d".
Result<std::chrono::seconds> parse_duration(std::string_view text, std::chrono::seconds min,
                                            std::chrono::seconds max);
Result<std::string> parse_word(std::string_view text, std::span<const std::string_view> words);

/// "127.0.0.1:8080" or "[::1]:8080".
Result<std::string> parse_listen(std::string_view text);
/// An address or a network, such as "10.0.0.0/8".
Result<std::string> parse_network(std::string_view text);

/// "https://calendar.example.com"; a lone "/" at the end is dropped.
Result<std::string> parse_base_url(std::string_view text);
/// The same with a path allowed; "/" at its end is dropped.
Result<std::string> parse_page_url(std::string_view text);
/// "smtp://mail.example.com:587" or "smtps://…".
Result<std::string> parse_mail_url(std::string_view text);
/// "calendar@example.com" or "Calhost <calendar@example.com>".
Result<std::string> parse_sender(std::string_view text);
/// As a browser writes its Origin header: lower case, without a default port.
Result<std::string> parse_origin(std::string_view text);

/// "sqlite:" and a file.
Result<std::string> parse_storage_url(std::string_view text);
/// A role that may be given without the operator: not `admin`.
Result<std::string> parse_role(std::string_view text);
/// A file name in paths.scripts that ends in ".lua".
Result<std::string> parse_rule(std::string_view text);
/// What names a key, a provider or a plugin: letters, digits, '-' and '_', at most 64.
bool is_name(std::string_view text);

/// The one of `words` that `text` was probably meant to be, or empty.
std::string_view closest(std::string_view text, std::span<const std::string_view> words);
/// The end of a sentence about a name that is none of `words`: "did you mean url?", or "known are
/// name, url".
std::string suggestion(std::string_view text, std::span<const std::string_view> words);

}  // namespace calhost::config
