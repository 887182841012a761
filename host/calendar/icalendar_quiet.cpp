#include <algorithm>

#include "calendar/icalendar.h"
#include "calendar/icalendar_text.h"

namespace calhost::calendar {
namespace {

constexpr std::string_view kNoMail = ";SCHEDULE-AGENT=CLIENT";

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return out;
}

/// Where the value begins: after the first colon outside double quotes.
std::size_t value_at(std::string_view line) {
    bool is_quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') is_quoted = !is_quoted;
        if (line[i] == ':' && !is_quoted) return i;
    }
    return line.size();
}

/// Whether the owner's program and not the server is to send mail already.
bool is_quiet(std::string_view line) {
    const auto head = lower(line.substr(0, value_at(line)));
    return head.contains(";schedule-agent=client") || head.contains(";schedule-agent=none");
}

std::string quiet(std::string_view line) {
    auto head = std::string(line.substr(0, value_at(line)));
    if (const auto at = lower(head).find(";schedule-agent="); at != std::string::npos)
        head.erase(at, std::min(head.find(';', at + 1), head.size()) - at);
    return head.append(kNoMail).append(line.substr(value_at(line)));
}

/// The event's own lines: not those of its alarms, whose attendees are no guests.
std::vector<std::string_view> own_lines(std::string_view event) {
    std::vector<std::string_view> own;
    int depth = 0;
    for (const auto line : lines_of(event)) {
        const auto name = name_of(line);
        if (name == "BEGIN") ++depth;
        if (depth == 1) own.push_back(line);
        if (name == "END") --depth;
    }
    return own;
}

/// The lines of one event for which the server would send mail.
std::vector<std::string_view> loud_lines(std::string_view event, std::string_view owner) {
    const auto own = own_lines(event);
    const auto organizer =
        std::ranges::find_if(own, [](auto line) { return name_of(line) == "ORGANIZER"; });
    // Without an organizer it is nobody's meeting, and no server sends anything.
    if (organizer == own.end()) return {};
    const auto address = lower(organizer->substr(value_at(*organizer)));
    const bool is_owners = address == ":mailto:" + lower(owner);
    std::vector<std::string_view> loud;
    for (const auto line : own) {
        const auto name = name_of(line);
        const bool counts = (name == "ORGANIZER" && (owner.empty() || !is_owners)) ||
                            (name == "ATTENDEE" && (owner.empty() || is_owners));
        if (counts && !is_quiet(line)) loud.push_back(line);
    }
    return loud;
}

}  // namespace

std::string keep_quiet(std::string_view stored, std::string_view owner) {
    const auto text = clean(stored).text;
    std::vector<std::string_view> loud;
    for (const auto& chunk : cut(text))
        if (chunk.kind == Chunk::Kind::event)
            std::ranges::copy(loud_lines(chunk.text, owner), std::back_inserter(loud));
    if (loud.empty()) return std::string(stored);
    std::string out;
    auto next = loud.begin();
    for (const auto line : lines_of(text)) {
        const bool is_loud = next != loud.end() && next->data() == line.data();
        append_line(out, is_loud ? quiet(line) : line);
        if (is_loud) ++next;
    }
    return out;
}

}  // namespace calhost::calendar
