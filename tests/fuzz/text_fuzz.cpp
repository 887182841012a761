// Small texts from outside: queries, escapes, encodings, URLs, addresses, times.
#include <algorithm>

#include "base/encoding.h"
#include "base/time.h"
#include "fuzz/check.h"
#include "net/address.h"
#include "net/server.h"
#include "net/url.h"

using namespace calhost;
using fuzz::promise;

namespace {

void check_encodings(std::string_view text) {
    promise(hex_decode(hex_encode(text)) == text, "hexadecimal comes back");
    promise(base64_decode(base64_encode(text)) == text, "base64 comes back");
    promise(base64_decode(base64url_encode(text)) == text, "base64url comes back");
    promise(percent_decode(percent_encode(text)) == text, "percent escapes come back");
    promise(html_escape(text).find_first_of("<>\"'") == std::string::npos, "HTML is escaped");
    (void)hex_decode(text);
    (void)base64_decode(text);
    (void)percent_decode(text);
}

void check_query(std::string_view text) {
    const auto query = net::Query::parse(text);
    if (!query) return;
    const auto again = net::Query::parse(query->to_string());
    promise(again && std::ranges::equal(*again, *query), "a written query is the query");
    for (const auto& [name, value] : *query)
        promise(is_utf8(name) && is_utf8(value), "a query is UTF-8");
}

void check_url(std::string_view text) {
    if (const auto url = net::Url::parse(text)) {
        const auto again = net::Url::parse(url->origin() + url->target);
        promise(again && again->host == url->host && again->port == url->port,
                "a written URL is the URL");
    }
    static const auto base = net::Url::parse("https://acme.example/a/b?c").value();
    (void)base.resolve(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    const auto text = fuzz::to_text(bytes, size);
    check_encodings(text);
    check_query(text);
    check_url(text);
    (void)net::Endpoint::parse(text);
    (void)net::is_disguised_address(text);
    if (const auto time = parse_rfc3339(text))
        promise(parse_rfc3339(format_rfc3339(*time)) == *time, "a written time is the time");
    return 0;
}
