#include "calendar/zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>

namespace calhost::calendar {
namespace {

using std::chrono::local_seconds;
using std::chrono::seconds;

bool is_utc(std::string_view name) { return name == "Etc/UTC" || name == "UTC"; }

bool is_zone_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+-/").contains(c);
}

/// Abseil remembers every name it is asked for, known or not, for the life of the process, and
/// reads "right/..." (with leap seconds) and the machine's own zone too.
bool may_be_zone(std::string_view name) {
    if (name.empty() || name.size() > 64 || name.front() == '/') return false;
    if (!std::ranges::all_of(name, is_zone_character)) return false;
    for (const std::string_view other : {"posix/", "right/", "localtime", "posixrules", "Factory"})
        if (name.starts_with(other)) return false;
    static const std::filesystem::path root = [] {
        const char* folder = std::getenv("TZDIR");
        return folder != nullptr ? folder : "/usr/share/zoneinfo";
    }();
    std::error_code ignored;
    return std::filesystem::is_regular_file(root / name, ignored);
}

/// Zones by name, a table for each thread: no lock on the way of every conversion.
const absl::TimeZone* find_zone(std::string_view name) {
    thread_local std::map<std::string, absl::TimeZone, std::less<>> zones;
    const auto found = zones.find(name);
    if (found != zones.end()) return &found->second;
    absl::TimeZone zone;
    if (!may_be_zone(name) || !absl::LoadTimeZone(std::string(name), &zone)) return nullptr;
    return &zones.emplace(name, zone).first->second;
}

std::unexpected<Error> unknown_zone(std::string_view name) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' is not a time zone such as Europe/Berlin", name.substr(0, 64)));
}

constexpr absl::CivilSecond kEpoch(1970, 1, 1);

std::optional<int> digits(std::string_view text) {
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

EventTime timed(local_seconds local, std::string zone, Timestamp instant) {
    EventTime time;
    time.local = local;
    time.zone = std::move(zone);
    time.instant = instant;
    return time;
}

}  // namespace

bool is_zone(std::string_view name) { return find_zone(name) != nullptr; }

Result<Timestamp> to_instant(local_seconds local, std::string_view zone) {
    if (is_utc(zone)) return Timestamp(local.time_since_epoch());
    const auto* found = find_zone(zone);
    if (found == nullptr) return unknown_zone(zone);
    const auto info = found->At(kEpoch + local.time_since_epoch().count());
    return Timestamp(seconds(absl::ToUnixSeconds(info.pre)));
}

Result<local_seconds> to_local(Timestamp instant, std::string_view zone) {
    const auto since = std::chrono::floor<seconds>(instant.time_since_epoch());
    if (is_utc(zone)) return local_seconds(since);
    const auto* found = find_zone(zone);
    if (found == nullptr) return unknown_zone(zone);
    const auto civil = found->At(absl::FromUnixSeconds(since.count())).cs;
    return local_seconds(seconds(civil - kEpoch));
}

std::vector<Transition> transitions(std::string_view name, Timestamp from, Timestamp to) {
    std::vector<Transition> changes;
    const auto* zone = find_zone(name);
    if (zone == nullptr) return changes;
    auto at = absl::FromUnixMillis(to_millis(from));
    const auto end = absl::FromUnixMillis(to_millis(to));
    auto before = zone->At(at);
    const auto add = [&](absl::CivilSecond local, const absl::TimeZone::CivilInfo& after) {
        changes.push_back({local_seconds(seconds(local - kEpoch)), seconds(before.offset),
                           seconds(after.offset), after.is_dst, after.zone_abbr});
    };
    add(before.cs, before);
    absl::TimeZone::CivilTransition change;
    while (zone->NextTransition(at, &change)) {
        at = zone->At(change.to).trans;
        if (at >= end) break;
        const auto after = zone->At(at);
        add(change.from, after);
        before = after;
    }
    return changes;
}

EventTime make_date(Date date) {
    EventTime time;
    time.is_date = true;
    time.date = date;
    time.instant = std::chrono::sys_days(date);
    return time;
}

Result<EventTime> make_local(local_seconds local, std::string zone) {
    const auto instant = to_instant(local, zone);
    if (!instant) return fail(instant.error());
    return timed(local, std::move(zone), *instant);
}

Result<EventTime> make_instant(Timestamp instant, std::string zone) {
    const auto local = to_local(instant, zone);
    if (!local) return fail(local.error());
    return EventTime{
        .local = *local, .zone = std::move(zone), .instant = std::chrono::floor<seconds>(instant)};
}

Result<Date> parse_date(std::string_view text) {
    using namespace std::chrono;
    const auto refused = [&] {
        return fail(ErrorCode::invalid,
                    fmt::format("'{}' is not a date such as 2026-11-20", text.substr(0, 40)));
    };
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return refused();
    const auto y = digits(text.substr(0, 4)), m = digits(text.substr(5, 2)),
               d = digits(text.substr(8, 2));
    if (!y || !m || !d) return refused();
    const Date date{year(*y), month(unsigned(*m)), day(unsigned(*d))};
    if (!date.ok() || *y < 1) return refused();
    return date;
}

std::string format_date(Date date) {
    return format_rfc3339(std::chrono::sys_days(date)).substr(0, 10);
}

Result<local_seconds> parse_local(std::string_view text) {
    using namespace std::chrono;
    const auto refused = [&] {
        return fail(
            ErrorCode::invalid,
            fmt::format("'{}' is not a time such as 2026-11-20T09:00:00", text.substr(0, 40)));
    };
    if (text.size() != 19 || text[10] != 'T' || text[13] != ':' || text[16] != ':')
        return refused();
    const auto date = parse_date(text.substr(0, 10));
    const auto h = digits(text.substr(11, 2)), m = digits(text.substr(14, 2)),
               s = digits(text.substr(17, 2));
    if (!date || !h || !m || !s || *h > 23 || *m > 59 || *s > 59) return refused();
    return local_days(*date) + hours(*h) + minutes(*m) + seconds(*s);
}

std::string format_local(local_seconds local) {
    auto text = format_rfc3339(Timestamp(local.time_since_epoch()));
    text.pop_back();  // a wall clock has no Z
    return text;
}

}  // namespace calhost::calendar
