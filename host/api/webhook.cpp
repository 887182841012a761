#include "api/webhook.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"
#include "crypto/crypto.h"

namespace calhost::api {
namespace {

constexpr std::size_t kIdBytes = 256;

std::optional<Timestamp> parse_seconds(std::string_view text) {
    std::int64_t seconds = 0;
    const auto read = std::from_chars(text.begin(), text.end(), seconds);
    // Beyond this no clock goes, and milliseconds still fit.
    if (read.ec != std::errc() || read.ptr != text.end() || seconds < 0 ||
        seconds > 253'402'300'799)
        return std::nullopt;
    return Timestamp{std::chrono::seconds{seconds}};
}

}  // namespace

Result<WebhookHeaders> read_webhook_headers(const net::Request& request, Timestamp now) {
    WebhookHeaders headers{std::string(request.headers.get("webhook-id")),
                           std::string(request.headers.get("webhook-timestamp")),
                           std::string(request.headers.get("webhook-signature"))};
    if (headers.id.empty() || headers.id.size() > kIdBytes || headers.signatures.empty())
        return fail(ErrorCode::unauthorized,
                    "The message needs the headers webhook-id, webhook-timestamp and "
                    "webhook-signature.");
    const auto sent = parse_seconds(headers.timestamp);
    if (!sent || *sent > now + kWebhookAge || *sent < now - kWebhookAge)
        return fail(ErrorCode::unauthorized,
                    "webhook-timestamp must be the time of sending in Unix seconds, at most five "
                    "minutes off.");
    return headers;
}

bool is_signed(const WebhookHeaders& headers, std::string_view body, const Secret& key) {
    const auto expected =
        "v1," + base64_encode(crypto::hmac_sha256(
                    key.expose(), fmt::format("{}.{}.{}", headers.id, headers.timestamp, body)));
    bool is_good = false;
    std::string_view rest = headers.signatures;
    while (!rest.empty()) {
        const auto space = rest.find(' ');
        is_good = crypto::equal(rest.substr(0, space), expected) || is_good;
        rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    }
    return is_good;
}

}  // namespace calhost::api
