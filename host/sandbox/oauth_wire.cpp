#include "sandbox/oauth_wire.h"

#include <algorithm>
#include <boost/url.hpp>

#include "base/encoding.h"

namespace calhost::sandbox {
namespace {

bool is_loopback(std::string_view uri) {
    const auto url = boost::urls::parse_uri(uri);
    if (!url || url->has_fragment() || url->has_userinfo()) return false;
    const auto host = url->encoded_host();
    return (url->scheme() == "http" || url->scheme() == "https") &&
           (host == "127.0.0.1" || host == "localhost" || host == "[::1]");
}

}  // namespace

bool is_known_redirect(const Options& options, std::string_view uri) {
    const auto& known = options.redirect_uris;
    if (known.empty()) return is_loopback(uri);
    return std::ranges::find(known, uri) != known.end();
}

bool is_challenge(std::string_view text) {
    return text.size() == 43 && std::ranges::all_of(text, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '_';
           });
}

bool is_verifier(std::string_view text) {
    return text.size() >= 43 && text.size() <= 128 &&
           std::ranges::all_of(text, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
           });
}

Client read_client(const net::Request& request, const net::Query& form) {
    const auto field = request.headers.get("Authorization");
    if (!field.starts_with("Basic "))
        return {std::string(form.get("client_id")), std::string(form.get("client_secret"))};
    const auto pair = base64_decode(field.substr(6)).value_or("");
    const auto colon = pair.find(':');
    if (colon == std::string::npos) return {};
    // Both parts are form-encoded first.
    return {percent_decode(pair.substr(0, colon), true).value_or(""),
            percent_decode(pair.substr(colon + 1), true).value_or("")};
}

std::string_view bearer_of(const net::Request& request) {
    constexpr std::string_view kBearer = "Bearer ";
    auto field = request.headers.get("Authorization");
    if (field.size() <= kBearer.size()) return {};
    const bool is_bearer = std::ranges::equal(
        field.substr(0, kBearer.size()), kBearer,
        [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    return is_bearer ? field.substr(kBearer.size()) : std::string_view();
}

std::string with_query(std::string_view uri, const net::Query& query) {
    return std::string(uri) + (uri.find('?') == std::string_view::npos ? '?' : '&') +
           query.to_string();
}

net::Response no_store(net::Response response) {
    response.headers.set("Cache-Control", "no-store");
    return response;
}

net::Response consent_answer(int status, std::string html) {
    auto response = no_store(net::Response::html(status, std::move(html)));
    // form-action stays open: browsers would hold it against the redirect back to the host.
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; base-uri 'none'; "
                         "frame-ancestors 'none'");
    response.headers.set("Referrer-Policy", "no-referrer");
    return response;
}

}  // namespace calhost::sandbox
