#include "net/head.h"

#include <algorithm>
#include <ranges>

#include "base/encoding.h"
#include "net/text.h"

namespace calhost::net {
namespace {

Fault bad_target(std::string detail) { return {400, "bad_request", std::move(detail)}; }

bool is_visible_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

/// "http://host/path" → authority, and the target without both. False for another scheme.
bool split_absolute(std::string_view& target, std::string_view& authority) {
    const auto scheme = target.substr(0, std::min(target.find("://"), target.size()));
    if (!is_same_word(scheme, "http") && !is_same_word(scheme, "https")) return false;
    target.remove_prefix(std::min(scheme.size() + 3, target.size()));
    const auto end = std::min(target.find_first_of("/?"), target.size());
    authority = target.substr(0, end);
    target.remove_prefix(end);
    return is_authority(authority);
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        const auto segment = take_until(path, '/');
        if (segment == "." || segment == "..") return true;
    }
    return false;
}

bool has_encoded_slash(std::string_view path) {
    for (auto at = path.find('%'); at != path.npos; at = path.find('%', at + 1)) {
        const auto escape = path.substr(at + 1, 2);
        if (is_same_word(escape, "2f") || is_same_word(escape, "5c")) return true;
    }
    return false;
}

std::optional<Fault> read_path(Request& request, std::string_view raw) {
    if (has_encoded_slash(raw)) return bad_target("The path has an encoded slash.");
    if (!raw.contains('%')) {
        request.path = raw;
    } else {
        auto path = percent_decode(raw);
        if (!path || !is_utf8(*path)) return bad_target("The path has a broken percent escape.");
        request.path = std::move(*path);
    }
    if (std::ranges::any_of(request.path, is_control) || request.path.contains('\\'))
        return bad_target("The path has a character that no path may have.");
    if (has_dot_segment(request.path)) return bad_target("The path has a dot segment.");
    return std::nullopt;
}

bool is_request_id(std::string_view id) {
    constexpr auto is_allowed = [](char c) {
        return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '.' ||
               c == '_' || c == '-';
    };
    return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, is_allowed);
}

bool is_lower_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// "00-<trace id>-<parent id>-<flags>" (W3C Trace Context section 3.2); later versions may go on.
std::string_view trace_id(std::string_view text) {
    if (text.size() < 55 || (text.size() > 55 && (text.starts_with("00") || text[55] != '-')))
        return {};
    const auto version = text.substr(0, 2), trace = text.substr(3, 32),
               parent = text.substr(36, 16);
    const bool is_shaped = text[2] == '-' && text[35] == '-' && text[52] == '-' &&
                           is_lower_hex(version) && is_lower_hex(trace) && is_lower_hex(parent) &&
                           is_lower_hex(text.substr(53, 2));
    const bool is_zero =
        trace.find_first_not_of('0') == trace.npos || parent.find_first_not_of('0') == parent.npos;
    return is_shaped && !is_zero && version != "ff" ? trace : std::string_view{};
}

/// A control byte but the tab. Without an early exit, so that it becomes vector instructions.
bool has_control(std::string_view text) {
    bool is_found = false;
    for (const char c : text) is_found |= is_control(c) && c != '\t';
    return is_found;
}

/// An entry of X-Forwarded-For: an address, perhaps with a port, IPv6 perhaps in brackets.
std::optional<Address> parse_hop(std::string_view hop) {
    if (hop.starts_with('[')) {
        hop.remove_prefix(1);
        hop = hop.substr(0, std::min(hop.find(']'), hop.size()));
    } else if (std::ranges::count(hop, ':') == 1) {
        hop = hop.substr(0, hop.find(':'));
    }
    return parse_address(hop);
}

/// All values of a list field, in order (RFC 9110 section 5.3).
std::vector<std::string_view> list_of(const Headers& headers, std::string_view name) {
    std::vector<std::string_view> items;
    for (const auto& [key, value] : headers) {
        if (!is_same_word(key, name)) continue;
        std::string_view rest = value;
        while (!rest.empty()) items.push_back(trim(take_until(rest, ',')));
    }
    return items;
}

}  // namespace

HeadScanner::State HeadScanner::refuse(const char* reason) {
    reason_ = reason;
    return State::bad;
}

HeadScanner::State HeadScanner::scan(std::string_view bytes) {
    while (at_ < bytes.size()) {
        if (at_ == line_ && line_ > 0 && (bytes[at_] == ' ' || bytes[at_] == '\t'))
            return refuse("A header field is folded over several lines.");
        const auto end = std::min(bytes.find('\n', at_), bytes.size());
        // What the last call left may end with the CR of this line's CRLF.
        const auto begin = at_ > line_ ? at_ - 1 : at_;
        auto part = bytes.substr(begin, end - begin);
        const bool has_cr = part.ends_with('\r');
        if (has_cr) part.remove_suffix(1);
        if (has_control(part))
            return refuse(part.contains('\r') ? "A line has a carriage return inside."
                                              : "The header has a control character.");
        at_ = end;
        if (end == bytes.size()) break;
        if (!has_cr) return refuse("A line does not end with CRLF.");
        const bool is_empty = end - line_ == 1;
        line_ = ++at_;
        if (first_line_ == 0) first_line_ = line_;
        if (is_empty) return State::complete;
    }
    return State::more;
}

bool is_authority(std::string_view text) {
    if (const auto colon = text.rfind(':'); colon != text.npos && !text.ends_with(']')) {
        const auto port = text.substr(colon + 1);
        if (port.size() > 5 ||
            !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }))
            return false;
        text = text.substr(0, colon);
    }
    if (text.starts_with('[')) {
        if (!text.ends_with(']')) return false;
        const auto address = parse_address(text.substr(1, text.size() - 2));
        return address && address->is_v6();
    }
    constexpr auto is_name_char = [](char c) {
        return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '.' ||
               c == '-' || c == '_';
    };
    return !text.empty() && std::ranges::all_of(text, is_name_char);
}

std::optional<Fault> read_target(Request& request) {
    std::string_view target = request.target;
    if (!is_visible_ascii(target) || target.contains('#'))
        return bad_target("The request target has a character that no URL may have.");
    if (target == "*" && request.method == "OPTIONS") {
        request.path = "*";
        return std::nullopt;
    }
    if (std::string_view authority; !target.starts_with('/')) {
        if (!split_absolute(target, authority))
            return bad_target("The request target is no path and no http URL.");
        request.headers.set("Host", std::string(authority));
    }
    const auto raw_path = take_until(target, '?');
    if (auto fault = read_path(request, raw_path.empty() ? "/" : raw_path)) return fault;
    auto query = Query::parse(target);
    if (!query) return bad_target("The query cannot be read: " + query.error().message);
    request.query = std::move(*query);
    return std::nullopt;
}

std::string incoming_request_id(const Headers& headers) {
    if (const auto id = headers.get("X-Request-Id"); is_request_id(id)) return std::string(id);
    return std::string(trace_id(headers.get("traceparent")));
}

void read_forwarded(Request& request, const Address& peer, const Networks& trusted) {
    Address client = unmapped(peer);
    if (!trusted.contains(client)) return;
    for (const auto& hop : list_of(request.headers, "X-Forwarded-For") | std::views::reverse) {
        const auto address = parse_hop(hop);
        if (!address) break;
        client = unmapped(*address);
        if (!trusted.contains(client)) break;
    }
    request.client_address = client.to_string();
    const auto protocols = list_of(request.headers, "X-Forwarded-Proto");
    if (!protocols.empty()) request.is_secure = is_same_word(protocols.back(), "https");
}

}  // namespace calhost::net
