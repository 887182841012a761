#include "sandbox/times.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/json.h"
#include "calendar/recurrence.h"
#include "calendar/zone.h"

namespace calhost::sandbox {
namespace {

using calendar::EventTime;

std::unexpected<ApiError> bad_time(std::string_view name) {
    return refuse(400, "invalid", fmt::format("Invalid value for: {} time", name));
}

bool has_offset(std::string_view text) {
    return text.ends_with('Z') || text.ends_with('z') ||
           (text.size() > 6 && (text[text.size() - 6] == '+' || text[text.size() - 6] == '-') &&
            text[text.size() - 3] == ':');
}

/// "20261120T090000" → "2026-11-20T09:00:00"; the date part alone stays a date.
std::string from_basic(std::string_view text) {
    if (text.size() != 8 && text.size() != 15) return {};
    std::string out =
        fmt::format("{}-{}-{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2));
    if (text.size() == 15)
        out += fmt::format("T{}:{}:{}", text.substr(9, 2), text.substr(11, 2), text.substr(13, 2));
    return out;
}

std::string to_basic(std::string text) {
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

Result<EventTime> read_basic(std::string_view text, std::string_view zone, bool is_date) {
    if (is_date || text.size() == 8) {
        auto date = calendar::parse_date(from_basic(text));
        if (!date) return fail(date.error());
        return calendar::make_date(*date);
    }
    const bool is_utc = text.ends_with('Z');
    if (is_utc) text.remove_suffix(1);
    auto local = calendar::parse_local(from_basic(text));
    if (!local) return fail(local.error());
    return calendar::make_local(*local, is_utc ? "Etc/UTC" : std::string(zone));
}

/// The values of one "EXDATE;TZID=Europe/Berlin:…" line behind its name.
Result<std::vector<EventTime>> read_dates(std::string_view rest, const EventTime& start) {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return fail(ErrorCode::invalid, "a line without a colon");
    const auto parameters = rest.substr(0, colon);
    std::string zone = start.zone;
    if (const auto at = parameters.find("TZID="); at != std::string_view::npos) {
        const auto tail = parameters.substr(at + 5);
        zone = tail.substr(0, tail.find(';'));
    }
    const bool is_date = parameters.find("VALUE=DATE") != std::string_view::npos &&
                         parameters.find("VALUE=DATE-TIME") == std::string_view::npos;
    std::vector<EventTime> times;
    auto values = rest.substr(colon + 1);
    while (!values.empty()) {
        const auto comma = values.find(',');
        auto time = read_basic(values.substr(0, comma), zone, is_date);
        if (!time) return fail(time.error());
        times.push_back(*time);
        if (comma == std::string_view::npos) break;
        values.remove_prefix(comma + 1);
    }
    return times;
}

std::string date_line(std::string_view name, const EventTime& time) {
    if (time.is_date)
        return fmt::format("{};VALUE=DATE:{}", name, to_basic(calendar::format_date(time.date)));
    const auto local = to_basic(calendar::format_local(time.local));
    if (time.zone == "Etc/UTC" || time.zone == "UTC") return fmt::format("{}:{}Z", name, local);
    return fmt::format("{};TZID={}:{}", name, time.zone, local);
}

}  // namespace

Answer<EventTime> read_time(const json::value* value, std::string_view name,
                            const std::string& calendar_zone) {
    if (value == nullptr || !value->is_object())
        return refuse(400, "required", fmt::format("Missing {} time.", name));
    const auto date = json::text_of(*value, "date");
    const auto date_time = json::text_of(*value, "dateTime");
    std::string zone(json::text_of(*value, "timeZone"));
    if (!zone.empty() && !calendar::is_zone(zone))
        return refuse(400, "invalid",
                      fmt::format("Invalid time zone definition for {} time.", name));
    if (date.empty() == date_time.empty()) return bad_time(name);
    if (!date.empty()) {
        auto parsed = calendar::parse_date(date);
        if (!parsed) return bad_time(name);
        return calendar::make_date(*parsed);
    }
    if (!has_offset(date_time)) {
        if (zone.empty())
            return refuse(400, "required",
                          fmt::format("Missing time zone definition for {} time.", name));
        auto local = calendar::parse_local(date_time.substr(0, date_time.find('.')));
        if (!local) return bad_time(name);
        auto time = calendar::make_local(*local, zone);
        if (!time) return bad_time(name);
        return *time;
    }
    auto instant = parse_rfc3339(date_time);
    if (!instant) return bad_time(name);
    auto time = calendar::make_instant(*instant, zone.empty() ? calendar_zone : zone);
    if (!time) return bad_time(name);
    return *time;
}

json::object write_time(const EventTime& time, std::string_view shown_zone) {
    if (time.is_date) return {{"date", calendar::format_date(time.date)}};
    return {{"dateTime", format_in_zone(time.instant, shown_zone)}, {"timeZone", time.zone}};
}

std::string format_in_zone(Timestamp instant, std::string_view zone) {
    const auto local = calendar::to_local(instant, zone);
    if (!local) return format_rfc3339(instant);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch();
    const auto offset =
        std::chrono::duration_cast<std::chrono::minutes>(local->time_since_epoch() - seconds)
            .count();
    const auto text = calendar::format_local(*local);
    if (offset == 0) return text + "Z";
    const auto size = offset < 0 ? -offset : offset;
    return fmt::format("{}{}{:02}:{:02}", text, offset < 0 ? '-' : '+', size / 60, size % 60);
}

std::string format_millis(Timestamp when) {
    auto text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(when));
    text.pop_back();
    const auto millis = to_millis(when) - to_millis(std::chrono::floor<std::chrono::seconds>(when));
    return fmt::format("{}.{:03}Z", text, millis);
}

Answer<calendar::Recurrence> read_recurrence(const json::value& lines, const EventTime& start) {
    const auto bad = [] { return refuse(400, "invalid", "Invalid recurrence rule."); };
    if (!lines.is_array()) return bad();
    calendar::Recurrence recurrence;
    for (const auto& line : lines.as_array()) {
        if (!line.is_string()) return bad();
        const std::string_view text = line.as_string();
        if (text.starts_with("RRULE:")) {
            if (!recurrence.rrule.empty() || !calendar::check_rrule(text.substr(6))) return bad();
            recurrence.rrule = text.substr(6);
        } else if (text.starts_with("RDATE") || text.starts_with("EXDATE")) {
            const bool is_rdate = text.starts_with("RDATE");
            auto dates = read_dates(text.substr(is_rdate ? 5 : 6), start);
            if (!dates) return bad();
            auto& list = is_rdate ? recurrence.rdate : recurrence.exdate;
            list.insert(list.end(), dates->begin(), dates->end());
        } else {
            return bad();
        }
    }
    if (recurrence.rrule.empty() && recurrence.rdate.empty()) return bad();
    return recurrence;
}

json::array write_recurrence(const calendar::Recurrence& recurrence) {
    json::array lines;
    if (!recurrence.rrule.empty()) lines.emplace_back("RRULE:" + recurrence.rrule);
    for (const auto& time : recurrence.rdate) lines.emplace_back(date_line("RDATE", time));
    for (const auto& time : recurrence.exdate) lines.emplace_back(date_line("EXDATE", time));
    return lines;
}

}  // namespace calhost::sandbox
