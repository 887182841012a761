#include "calendar/recurrence_lines.h"

#include <fmt/format.h>

#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

struct Line {
    std::string_view name;
    std::string zone;
    std::string_view value;
};

/// "EXDATE;TZID=Europe/Berlin:2026…" in its parts.
Line split(std::string_view line, std::string_view zone) {
    const auto colon = line.find(':');
    std::string_view head = line.substr(0, colon);
    Line parts{head.substr(0, head.find(';')), std::string(zone),
               colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1)};
    constexpr std::string_view kZone = ";TZID=";
    if (const auto at = head.find(kZone); at != std::string_view::npos) {
        const auto name = head.substr(at + kZone.size());
        parts.zone = name.substr(0, name.find(';'));
    }
    return parts;
}

Result<void> read_list(const Line& line, std::vector<EventTime>& into) {
    std::string_view rest = line.value;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        auto time = parse_basic_time(rest.substr(0, comma), line.zone);
        if (!time) return fail(time.error());
        into.push_back(std::move(*time));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return {};
}

std::string join(std::string_view name, const std::vector<EventTime>& times, bool dates) {
    std::string line = fmt::format("{}{}:", name, dates ? ";VALUE=DATE" : "");
    bool is_first = true;
    for (const auto& time : times) {
        if (time.is_date != dates) continue;
        line += (is_first ? "" : ",") + format_basic_time(time);
        is_first = false;
    }
    return is_first ? std::string() : line;
}

}  // namespace

Result<Recurrence> parse_recurrence_lines(const std::vector<std::string>& lines,
                                          std::string_view zone) {
    Recurrence recurrence;
    for (const auto& text : lines) {
        const Line line = split(text, zone);
        Result<void> read;
        if (line.name == "RRULE") recurrence.rrule = line.value;
        if (line.name == "RDATE") read = read_list(line, recurrence.rdate);
        if (line.name == "EXDATE") read = read_list(line, recurrence.exdate);
        if (!read) return fail(read.error());
    }
    return recurrence;
}

std::vector<std::string> format_recurrence_lines(const Recurrence& recurrence) {
    std::vector<std::string> lines;
    if (!recurrence.rrule.empty()) lines.push_back("RRULE:" + recurrence.rrule);
    for (const bool dates : {false, true}) {
        for (const auto& [name, times] :
             {std::pair{"RDATE", &recurrence.rdate}, {"EXDATE", &recurrence.exdate}})
            if (auto line = join(name, *times, dates); !line.empty())
                lines.push_back(std::move(line));
    }
    return lines;
}

Result<EventTime> parse_basic_time(std::string_view text, std::string_view zone) {
    const bool is_utc = text.ends_with('Z');
    if (is_utc) text.remove_suffix(1);
    if (text.size() == 8 && !is_utc) {
        const auto date = parse_date(
            fmt::format("{}-{}-{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2)));
        if (!date) return fail(date.error());
        return make_date(*date);
    }
    if (text.size() != 15 || text[8] != 'T')
        return fail(ErrorCode::invalid,
                    fmt::format("'{}' is not a date or time of iCalendar", text));
    const auto local = parse_local(
        fmt::format("{}-{}-{}T{}:{}:{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                    text.substr(9, 2), text.substr(11, 2), text.substr(13, 2)));
    if (!local) return fail(local.error());
    return make_local(*local, is_utc ? std::string("Etc/UTC") : std::string(zone));
}

std::string format_basic_time(const EventTime& time) {
    std::string text = time.is_date ? format_date(time.date) : format_rfc3339(time.instant);
    if (const auto dot = text.find('.'); dot != std::string::npos) text.erase(dot, 4);
    std::erase(text, '-');
    std::erase(text, ':');
    return text;
}

}  // namespace calhost::calendar
