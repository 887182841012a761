#include "sandbox/graph_times.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "calendar/windows_zones.h"
#include "calendar/zone.h"

namespace calhost::sandbox::graph {
namespace {

using calendar::EventTime;

bool is_utc(std::string_view name) {
    return name == "UTC" || name == "Etc/UTC" || name == "Etc/GMT" ||
           name == "tzone://Microsoft/Utc";
}

/// "2026-11-20T09:00:00.0000000" without its fraction, which must be zero to seven digits.
std::string_view without_fraction(std::string_view text) {
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return text;
    const auto digits = text.substr(dot + 1);
    const bool is_fraction = digits.size() <= 7 && std::ranges::all_of(digits, [](char c) {
                                 return c >= '0' && c <= '9';
                             });
    return is_fraction ? text.substr(0, dot) : text;
}

}  // namespace

std::string zone_of(std::string_view name) {
    if (is_utc(name)) return "Etc/UTC";
    if (const auto iana = calendar::windows_to_iana(name); !iana.empty()) return std::string(iana);
    const auto zones = calendar::windows_zones();
    const bool is_published =
        std::ranges::find(zones, name, &calendar::WindowsZone::iana) != zones.end();
    return is_published ? std::string(name) : std::string();
}

std::string windows_name(std::string_view zone) {
    if (is_utc(zone)) return "UTC";
    const auto zones = calendar::windows_zones();
    const auto found = std::ranges::find(zones, zone, &calendar::WindowsZone::iana);
    return std::string(found == zones.end() ? zone : found->windows);
}

Answer<EventTime> read_time(const json::value* value, std::string_view name, bool is_date) {
    if (value == nullptr || !value->is_object()) return refuse_property(name, "it is missing");
    const auto zone_name = json::text_of(*value, "timeZone");
    const auto zone = zone_of(zone_name);
    if (zone.empty())
        return refuse(400, "TimeZoneNotSupportedException",
                      fmt::format("A valid TimeZone value must be specified for {}. The following "
                                  "TimeZone value is not supported: '{}'.",
                                  name, zone_name));
    const auto local = calendar::parse_local(without_fraction(json::text_of(*value, "dateTime")));
    if (!local) return refuse_property(name, "its dateTime is no time without offset");
    if (is_date) {
        const auto day = std::chrono::floor<std::chrono::days>(*local);
        if (*local != day) return refuse_property(name, "an all-day event needs midnight");
        return calendar::make_date(calendar::Date(day));
    }
    const auto time = calendar::make_local(*local, zone);
    if (!time) return refuse_property(name, "it cannot be placed in its zone");
    return *time;
}

std::string format_seven(std::chrono::local_seconds local) {
    return calendar::format_local(local) + ".0000000";
}

json::object write_time(const EventTime& time, const std::string& zone_name) {
    const auto local =
        time.is_date ? std::chrono::local_seconds(std::chrono::local_days(time.date))
                     : calendar::to_local(time.instant, zone_of(zone_name)).value_or(time.local);
    return {{"dateTime", format_seven(local)}, {"timeZone", zone_name}};
}

Answer<Timestamp> read_moment(std::string_view text, std::string_view name) {
    if (text.empty())
        return refuse(400, "ErrorInvalidParameter",
                      fmt::format("This request requires a time window: {} is missing.", name));
    if (text.size() == 10)
        if (const auto date = calendar::parse_date(text)) return calendar::make_date(*date).instant;
    if (const auto local = calendar::parse_local(without_fraction(text)))
        return Timestamp(local->time_since_epoch());
    // Seven decimals and an offset: RFC 3339 in the base room wants at most what it can keep.
    if (const auto when = parse_rfc3339(text)) return *when;
    return refuse(400, "ErrorInvalidParameter", fmt::format("{} is no valid time.", name));
}

}  // namespace calhost::sandbox::graph
