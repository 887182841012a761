#include <charconv>

#include "plugin/http_object.h"

namespace calhost::plugin {
namespace {

constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), the form that servers must send.
std::optional<Timestamp> parse_http_date(std::string_view text) {
    if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
    const auto month = kMonths.find(text.substr(8, 3));
    if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
    std::string iso(text.substr(12, 4));
    iso += month / 3 + 1 < 10 ? "-0" : "-";
    iso += std::to_string(month / 3 + 1) + "-" + std::string(text.substr(5, 2)) + "T" +
           std::string(text.substr(17, 8)) + "Z";
    const auto moment = parse_rfc3339(iso);
    return moment ? std::optional(*moment) : std::nullopt;
}

}  // namespace

std::optional<milliseconds> retry_after_of(const net::Headers& headers, Timestamp now) {
    const auto text = headers.get("Retry-After");
    if (text.empty()) return std::nullopt;
    constexpr std::int64_t kDay = 86'400;  // nobody is believed for longer
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), seconds);
    if (error == std::errc() && end == text.end())
        return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, kDay)};
    const auto date = parse_http_date(text);
    if (!date) return std::nullopt;
    return std::clamp<milliseconds>(*date - now, milliseconds{0}, std::chrono::seconds{kDay});
}

}  // namespace calhost::plugin
