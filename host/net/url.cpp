#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url.hpp>
#include <charconv>

#include "net/head.h"
#include "net/text.h"

namespace calhost::net {
namespace {

namespace urls = boost::urls;

std::string to_string(boost::core::string_view text) { return {text.data(), text.size()}; }

bool read_port(boost::core::string_view text, Url& url) {
    url.port = url.is_tls ? 443 : 80;
    if (text.empty()) return true;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, url.port);
    return error == std::errc{} && stop == end && url.port != 0;
}

Result<Url> from_view(const urls::url_view& view) {
    const auto wrong = [](const char* why) { return fail(ErrorCode::invalid, why); };
    Url url;
    url.is_tls = view.scheme_id() == urls::scheme::https;
    if (!url.is_tls && view.scheme_id() != urls::scheme::http)
        return wrong("The URL does not begin with http:// or https://.");
    if (view.has_userinfo()) return wrong("The URL holds a user name; leave it out.");
    url.host = view.host_type() == urls::host_type::ipv6 ? view.host_ipv6_address().to_string()
                                                         : view.host();
    std::ranges::transform(url.host, url.host.begin(), to_lower);
    const bool is_v6 = view.host_type() == urls::host_type::ipv6;
    if (!is_authority(is_v6 ? "[" + url.host + "]" : url.host) ||
        (!is_v6 && url.host.contains(':')))
        return wrong("The URL's host is no host name.");
    if (!read_port(view.port(), url)) return wrong("The URL's port is no port number.");
    url.target = to_string(view.encoded_path());
    // Boost 1.81 ends a host or a port where it stops to understand it: "1.2.3.4.5", "h:0x50".
    if (!url.target.empty() && url.target.front() != '/')
        return wrong("The URL's host or port is malformed.");
    if (url.target.empty()) url.target = "/";
    if (view.has_query()) url.target += "?" + to_string(view.encoded_query());
    return url;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    const auto view = urls::parse_uri({text.data(), text.size()});
    if (!view) return fail(ErrorCode::invalid, "The URL is malformed.");
    return from_view(*view);
}

Result<Url> Url::resolve(std::string_view location) const {
    const std::string text = origin() + target;
    const auto base = urls::parse_uri(text);
    const auto reference = urls::parse_uri_reference({location.data(), location.size()});
    urls::url resolved;
    if (!base || !reference || !urls::resolve(*base, *reference, resolved))
        return fail(ErrorCode::invalid, "The redirect leads to a malformed URL.");
    return from_view(resolved);
}

std::string Url::origin() const {
    const bool is_v6 = host.contains(':');
    return fmt::format("{}://{}{}{}:{}", is_tls ? "https" : "http", is_v6 ? "[" : "", host,
                       is_v6 ? "]" : "", port);
}

std::string Url::authority() const {
    const std::string name = host.contains(':') ? "[" + host + "]" : host;
    return port == (is_tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

}  // namespace calhost::net
