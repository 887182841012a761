#include "plugin/dav.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace calhost::plugin::dav {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// What may stand in a path as it is. RFC 3986 section 3.3.
bool is_plain(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') ||
           std::string_view("-._~@:!$&'()*+,;=").contains(c);
}

/// "mailto" of "mailto:ann@example.com"; empty for a path.
std::string_view scheme_of(std::string_view url) {
    const auto end = std::ranges::find_if_not(url, is_letter);
    if (end == url.begin() || end == url.end() || *end != ':') return {};
    return {url.begin(), end};
}

/// "https://example.com" of an address; empty for a path.
std::string_view origin_of(std::string_view url) {
    const auto scheme = scheme_of(url);
    if (scheme.empty() || !url.substr(scheme.size()).starts_with("://")) return {};
    return url.substr(0, url.find_first_of("/?#", scheme.size() + 3));
}

std::optional<char> unescaped(std::string_view text) {
    unsigned code = 0;  // takes no sign
    if (text.size() < 3 || text[0] != '%') return std::nullopt;
    const auto* const last = text.data() + 3;
    if (std::from_chars(text.data() + 1, last, code, 16).ptr != last) return std::nullopt;
    return static_cast<char>(code);
}

std::string one_spelling(std::string_view url) {
    std::string out;
    for (std::size_t i = 0; i < url.size(); ++i) {
        const auto character = unescaped(url.substr(i));
        if (character && is_plain(*character))
            out += *character;
        else if (character)
            out += fmt::format("%{:02X}", static_cast<unsigned char>(*character));
        else
            out += url[i] == ' ' ? "%20" : std::string(1, url[i]);
        if (character) i += 2;
    }
    return out;
}

/// "/a/" of "https://example.com/a/b?c".
std::string_view folder_of(std::string_view url) {
    url.remove_prefix(origin_of(url).size());
    url = url.substr(0, url.find_first_of("?#"));
    const auto slash = url.rfind('/');
    return slash == url.npos ? "/" : url.substr(0, slash + 1);
}

const Element* child(const Element& element, std::string_view name) {
    const auto found = std::ranges::find(element.children, name, &Element::name);
    return found == element.children.end() ? nullptr : &*found;
}

std::string text_of(const Element& element, std::string_view name) {
    const auto* found = child(element, name);
    return found == nullptr ? "" : found->text;
}

/// "HTTP/1.1 404 Not Found"
std::optional<int> status_in(std::string_view line) {
    const auto space = line.find(' ');
    if (space == line.npos) return std::nullopt;
    int status = 0;
    const auto code = line.substr(space + 1, 3);
    if (std::from_chars(code.data(), code.data() + code.size(), status).ec != std::errc())
        return std::nullopt;
    return status;
}

void resolve_links(Element& element, Place at) {
    if (element.name == "D:href") element.text = resolve(element.text, at);
    for (auto& inner : element.children) resolve_links(inner, at);
}

Response read_response(Element& element) {
    Response response{.href = text_of(element, "D:href"),
                      .status = status_in(text_of(element, "D:status"))};
    for (auto& part : element.children) {
        if (part.name != "D:propstat") continue;
        const auto status = status_in(text_of(part, "D:status"));
        const auto prop = std::ranges::find(part.children, "D:prop", &Element::name);
        if (!status || *status / 100 != 2 || prop == part.children.end()) continue;
        response.found = std::move(*prop);
        break;
    }
    return response;
}

Element leaf(std::string_view name, std::string_view text = {}) {
    return {std::string(name), std::string(text), {}, {}};
}

Element with(std::string_view name, std::vector<Element> children) {
    return {std::string(name), "", {}, std::move(children)};
}

Element named(std::string_view element, std::string_view name, std::vector<Element> children) {
    return {std::string(element), "", {{"name", std::string(name)}}, std::move(children)};
}

/// "20261120T090000Z" of an RFC 3339 time in UTC.
std::string basic(std::string_view time) {
    std::string out(time.substr(0, 19));
    std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
    return out + 'Z';
}

Element condition_of(const Filter& filter) {
    if (!filter.property.empty()) {
        std::vector<Element> match;
        if (!filter.text.empty()) match.push_back(leaf("C:text-match", filter.text));
        return named("C:prop-filter", filter.property, std::move(match));
    }
    auto range = leaf("C:time-range");
    if (!filter.finish.empty()) range.attributes.emplace_back("end", basic(filter.finish));
    if (!filter.start.empty()) range.attributes.emplace_back("start", basic(filter.start));
    return range;
}

struct Meaning {
    int status;
    ErrorCode code;
};
constexpr Meaning kMeanings[] = {
    {400, ErrorCode::invalid},   {401, ErrorCode::unauthorized}, {403, ErrorCode::forbidden},
    {404, ErrorCode::not_found}, {409, ErrorCode::invalid},      {410, ErrorCode::not_found},
    {412, ErrorCode::conflict},  {413, ErrorCode::invalid},      {415, ErrorCode::invalid},
    {423, ErrorCode::conflict},  {429, ErrorCode::rate_limited}, {507, ErrorCode::forbidden}};

constexpr std::pair<std::string_view, ErrorCode> kConditions[] = {
    {"supported-calendar-component", ErrorCode::unsupported},
    {"supported-calendar-data", ErrorCode::unsupported},
    {"valid-calendar-data", ErrorCode::invalid},
    {"valid-calendar-object-resource", ErrorCode::invalid},
    {"max-resource-size", ErrorCode::invalid},
    {"max-instances", ErrorCode::invalid},
    {"min-date-time", ErrorCode::invalid},
    {"max-date-time", ErrorCode::invalid}};

ErrorCode meaning_of(int status) {
    const auto* const known = std::ranges::find(kMeanings, status, &Meaning::status);
    if (known != std::end(kMeanings)) return known->code;
    return status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid_response;
}

}  // namespace

const Namespaces& namespaces() {
    static const Namespaces all{{"D", "DAV:"},
                                {"C", "urn:ietf:params:xml:ns:caldav"},
                                {"A", "http://apple.com/ns/ical/"},
                                {"CS", "http://calendarserver.org/ns/"}};
    return all;
}

std::string resolve(std::string_view href, Place at) {
    const auto own = origin_of(at.home);
    std::string whole(href);
    if (origin_of(href).empty()) {
        if (!scheme_of(href).empty()) return whole;
        const auto origin = origin_of(at.url);
        whole = origin.empty() ? own : origin;
        if (!href.starts_with('/')) whole += folder_of(at.url);
        whole += href;
    }
    const bool is_own = origin_of(whole) == own;
    whole = one_spelling(whole);
    return is_own ? whole.substr(own.size()) : whole;
}

Result<Multistatus> read_multistatus(std::string_view text, Place at) {
    auto root = read_xml(text, namespaces());
    if (!root) return fail(root.error());
    if (root->name != "D:multistatus")
        return fail(ErrorCode::invalid_response, "The calendar server sent no multistatus.");
    resolve_links(*root, at);
    Multistatus all{.token = text_of(*root, "D:sync-token")};
    for (auto& element : root->children)
        if (element.name == "D:response") all.responses.push_back(read_response(element));
    return all;
}

Element propfind(std::span<const std::string> names) {
    std::vector<Element> wanted;
    for (const auto& name : names) wanted.push_back(leaf(name));
    return with("D:propfind", {with("D:prop", std::move(wanted))});
}

Element sync_collection(std::string_view token) {
    return with("D:sync-collection", {leaf("D:sync-token", token), leaf("D:sync-level", "1"),
                                      with("D:prop", {leaf("D:getetag")})});
}

Element multiget(std::span<const std::string> hrefs) {
    auto body =
        with("C:calendar-multiget", {with("D:prop", {leaf("D:getetag"), leaf("C:calendar-data")})});
    for (const std::string_view href : hrefs)
        body.children.push_back(leaf("D:href", href.substr(origin_of(href).size())));
    return body;
}

Element query(const Filter& filter) {
    auto events = named("C:comp-filter", "VEVENT", {condition_of(filter)});
    return with("C:calendar-query",
                {with("D:prop", {leaf("D:getetag")}),
                 with("C:filter", {named("C:comp-filter", "VCALENDAR", {std::move(events)})})});
}

Error failure(int status, std::string_view body) {
    Error error{.code = meaning_of(status),
                .message = fmt::format("The calendar server answered {}", status)};
    if (status >= 500) return error;
    for (const auto& [name, code] : kConditions) {
        if (!body.contains(name)) continue;
        error.code = code;
        error.message += fmt::format(" ({})", name);
    }
    return error;
}

}  // namespace calhost::plugin::dav
