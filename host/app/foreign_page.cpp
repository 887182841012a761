#include "app/foreign_page.h"

#include <algorithm>
#include <array>

namespace calhost::app {
namespace {

constexpr std::array<std::string_view, 3> kLoopback{"127.0.0.1", "localhost", "[::1]"};

/// "https://app.example.org/x" → "https://app.example.org"
std::string_view origin_of(std::string_view url) {
    return url.substr(0, url.find('/', url.find("://") + 3));
}

/// "localhost:8080" → "localhost", "[::1]:8080" → "[::1]"
std::string_view name_of(std::string_view authority) {
    const auto bracket = authority.find(']');
    return authority.substr(0, authority.find(':', bracket == authority.npos ? 0 : bracket));
}

}  // namespace

bool is_from_foreign_page(const net::Request& request, std::string_view own_url) {
    const auto own = origin_of(own_url);
    const auto host = request.headers.get("Host");
    if (!host.empty() && !own.ends_with("//" + std::string(host)) &&
        std::ranges::find(kLoopback, name_of(host)) == kLoopback.end())
        return true;
    const auto site = request.headers.get("Sec-Fetch-Site");
    if (!site.empty() && site != "same-origin" && site != "none") return true;
    const auto origin = request.headers.get("Origin");
    if (origin.empty() || origin == own) return false;
    // A page without a referrer says "null"; whose it is stands in Sec-Fetch-Site then.
    return origin != "null" || site.empty();
}

}  // namespace calhost::app
