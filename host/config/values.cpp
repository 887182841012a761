#include "config/values.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <optional>
#include <vector>

#include "base/mail_address.h"

namespace calhost::config {
namespace {

std::unexpected<Error> wrong(std::string message) {
    return fail(ErrorCode::invalid, std::move(message));
}

template <class T>
std::optional<T> read_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

bool is_address(int family, std::string_view text) {
    in6_addr room{};
    return inet_pton(family, std::string(text).c_str(), &room) == 1;
}

std::string describe(std::chrono::seconds duration) {
    if (duration.count() % 86400 == 0) return fmt::format("{}d", duration.count() / 86400);
    if (duration.count() % 3600 == 0) return fmt::format("{}h", duration.count() / 3600);
    if (duration.count() % 60 == 0) return fmt::format("{}m", duration.count() / 60);
    return fmt::format("{}s", duration.count());
}

/// An address with one of the schemes, without user, query and fragment.
std::optional<boost::urls::url_view> read_url(std::string_view text,
                                              std::initializer_list<std::string_view> schemes = {
                                                  "http", "https"}) {
    const auto url = boost::urls::parse_uri(boost::urls::string_view(text.data(), text.size()));
    if (!url || url->has_userinfo() || url->has_query() || url->has_fragment() ||
        url->encoded_host().empty())
        return std::nullopt;
    const auto scheme = lower(std::string_view(url->scheme().data(), url->scheme().size()));
    const auto port = read_number<std::uint16_t>({url->port().data(), url->port().size()});
    const bool has_wrong_port = url->has_port() && port.value_or(0) == 0;
    if (std::ranges::find(schemes, scheme) == schemes.end() || has_wrong_port) return std::nullopt;
    return *url;
}

bool has_path(const boost::urls::url_view& url) {
    return !url.encoded_path().empty() && url.encoded_path() != "/";
}

/// Letters that must be added, dropped, changed or swapped to make `a` into `b`.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t changed = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    return cost[a.size()][b.size()];
}

}  // namespace

Result<int> parse_integer(std::string_view text, int min, int max) {
    const auto value = read_number<int>(text);
    if (!value || *value < min || *value > max)
        return wrong(fmt::format("must be a whole number from {} to {}", min, max));
    return *value;
}

Result<std::chrono::seconds> parse_duration(std::string_view text, std::chrono::seconds min,
                                            std::chrono::seconds max) {
    constexpr std::string_view kUnits = "smhd";
    constexpr std::int64_t kSeconds[] = {1, 60, 3600, 86400};
    const auto unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
    const auto number = unit == std::string_view::npos
                            ? std::nullopt
                            : read_number<std::int32_t>(text.substr(0, text.size() - 1));
    if (!number) return wrong("must be a number with a unit, such as 90s, 15m, 2h or 1d");
    const std::chrono::seconds value(*number * kSeconds[unit]);
    if (value < min || value > max)
        return wrong(fmt::format("must lie between {} and {}", describe(min), describe(max)));
    return value;
}

Result<std::string> parse_word(std::string_view text, std::span<const std::string_view> words) {
    if (std::ranges::find(words, text) != words.end()) return std::string(text);
    const auto meant = closest(text, words);
    return wrong(fmt::format("must be one of {}{}", fmt::join(words, ", "),
                             meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
}

Result<std::string> parse_listen(std::string_view text) {
    const auto colon = text.rfind(':');
    const auto port = colon == std::string_view::npos
                          ? std::nullopt
                          : read_number<std::uint16_t>(text.substr(colon + 1));
    const auto host = text.substr(0, std::min(colon, text.size()));
    const bool is_v6 = host.size() > 2 && host.starts_with('[') && host.ends_with(']') &&
                       is_address(AF_INET6, host.substr(1, host.size() - 2));
    if (!port || !(is_v6 || is_address(AF_INET, host)))
        return wrong(
            "must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080 (names such as "
            "localhost are not looked up here)");
    return std::string(text);
}

Result<std::string> parse_network(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = text.substr(0, slash);
    const bool is_v4 = is_address(AF_INET, address);
    bool is_right = is_v4 || is_address(AF_INET6, address);
    if (slash != std::string_view::npos) {
        const auto prefix = read_number<int>(text.substr(slash + 1));
        is_right = is_right && prefix && *prefix >= 0 && *prefix <= (is_v4 ? 32 : 128);
    }
    if (!is_right)
        return wrong("must be an address or a network, such as 192.168.1.5 or 10.0.0.0/8");
    return std::string(text);
}

Result<std::string> parse_base_url(std::string_view text) {
    const auto url = read_url(text);
    if (!url || has_path(*url))
        return wrong(
            "must be an http or https address without a path, such as "
            "https://calendar.example.com");
    if (text.ends_with('/')) text.remove_suffix(1);
    return std::string(text);
}

Result<std::string> parse_page_url(std::string_view text) {
    if (!read_url(text))
        return wrong("must be an http or https address, such as https://app.example.com");
    while (text.ends_with('/')) text.remove_suffix(1);
    return std::string(text);
}

Result<std::string> parse_mail_url(std::string_view text) {
    const auto url = read_url(text, {"smtp", "smtps"});
    if (!url || has_path(*url))
        return wrong(
            "must be an smtp or smtps address, such as smtp://mail.example.com:587; user name and "
            "password have keys of their own");
    if (text.ends_with('/')) text.remove_suffix(1);
    return lower(text);
}

Result<std::string> parse_sender(std::string_view text) {
    if (!parse_mail_address(text))
        return wrong("must be a mail address, such as Calhost <calendar@example.com>");
    return std::string(text);
}

Result<std::string> parse_origin(std::string_view text) {
    const auto url = read_url(text);
    if (!url || has_path(*url))
        return wrong(
            "must be an origin such as https://app.example.com: scheme and host, no path, no *");
    auto origin = lower(text.ends_with('/') ? text.substr(0, text.size() - 1) : text);
    const std::string_view default_port = origin.starts_with("https:") ? ":443" : ":80";
    if (url->has_port() && origin.ends_with(default_port))
        origin.resize(origin.size() - default_port.size());
    return origin;
}

Result<std::string> parse_storage_url(std::string_view text) {
    constexpr std::string_view kSqlite = "sqlite:";
    const auto file = text.starts_with(kSqlite) ? text.substr(kSqlite.size()) : "";
    if (text.starts_with(kSqlite) && !file.empty() && file != ":memory:") return std::string(text);
    if (text.starts_with("postgres"))
        return wrong(
            "has the scheme of PostgreSQL, for which this version has no driver; write "
            "sqlite:calhost.db");
    return wrong(
        "must be sqlite: and a file, such as sqlite:calhost.db; this version has no driver for "
        "anything else, memory included");
}

Result<std::string> parse_role(std::string_view text) {
    if (lower(text) == "admin")
        return wrong("must not hold admin: only the operator makes administrators");
    if (!is_name(text)) return wrong("must hold roles of letters, digits, '-' and '_'");
    return std::string(text);
}

Result<std::string> parse_rule(std::string_view text) {
    constexpr std::string_view kEnd = ".lua";
    if (!text.ends_with(kEnd) || !is_name(text.substr(0, text.size() - kEnd.size())))
        return wrong("must be the name of a file in paths.scripts, such as redirect.lua");
    return std::string(text);
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

std::string_view closest(std::string_view text, std::span<const std::string_view> words) {
    // One letter in three may be wrong; long texts are no slips of a short word.
    const std::size_t allowed = std::min<std::size_t>(3, (text.size() + 2) / 3);
    std::string_view best;
    std::size_t best_distance = allowed + 1;
    if (text.size() > 64) return best;
    for (const auto word : words)
        if (const auto found = distance(lower(text), word); found < best_distance) {
            best = word;
            best_distance = found;
        }
    return best;
}

std::string suggestion(std::string_view text, std::span<const std::string_view> words) {
    const auto meant = closest(text, words);
    return meant.empty() ? fmt::format("known are {}", fmt::join(words, ", "))
                         : fmt::format("did you mean {}?", meant);
}

}  // namespace calhost::config
