#include "calendar/foreign_zone.h"

#include <algorithm>
#include <optional>

#include "calendar/windows_zones.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

seconds offset_at(local_seconds local, const ForeignZone& zone) {
    std::optional<local_seconds> latest;
    const Observance* holding = nullptr;
    const Observance* first = nullptr;
    for (const auto& part : zone.observances) {
        if (first == nullptr || part.onsets.front() < first->onsets.front()) first = &part;
        const auto next = std::ranges::upper_bound(part.onsets, local);
        if (next == part.onsets.begin()) continue;
        const auto onset = *std::prev(next);
        if (latest && onset <= *latest) continue;
        latest = onset;
        holding = &part;
    }
    if (holding != nullptr) return holding->after;
    return first != nullptr ? first->before : seconds(0);
}

using Probe = std::pair<local_seconds, Timestamp>;

/// The zone's own answers on days in each month that show in which week clocks change.
std::vector<Probe> probes(const ForeignZone& zone) {
    std::vector<Probe> out;
    for (int y = 2024; y <= 2026; ++y)
        for (unsigned m = 1; m <= 12; ++m)
            for (const unsigned d : {4U, 11U, 18U, 28U}) {
                const local_seconds noon = local_days(year(y) / month(m) / day(d)) + hours(12);
                out.emplace_back(noon, to_instant(noon, zone));
            }
    return out;
}

bool has_same_offsets(const std::vector<Probe>& probes, std::string_view iana) {
    return std::ranges::all_of(probes, [&](const Probe& probe) {
        return calendar::to_instant(probe.first, iana) == probe.second;
    });
}

/// Of the many zones with the same rules, the ones that most people mean come first.
constexpr std::string_view kLikely[] = {
    "Europe/London",   "Europe/Berlin",  "Europe/Kyiv",         "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles", "Asia/Kolkata",
    "Asia/Shanghai",   "Asia/Tokyo",     "Australia/Sydney",    "Etc/UTC",
};

std::string zone_by_rules(const ForeignZone& zone) {
    if (zone.observances.empty()) return {};
    const auto own = probes(zone);
    for (const auto iana : kLikely)
        if (has_same_offsets(own, iana)) return std::string(iana);
    for (const auto& row : windows_zones())
        if (has_same_offsets(own, row.iana)) return std::string(row.iana);
    return {};
}

}  // namespace

bool Observance::add_rule(const Rule& rule, local_seconds start) {
    if (rule.freq != "YEARLY") return false;
    std::optional<local_seconds> until;
    if (rule.until) until = rule.until->when + (rule.until->is_utc ? before : seconds(0));
    const auto slots = rule_slots(rule, start, until, local_days(year(1970) / 1 / 1),
                                  local_days(year(2100) / 1 / 1), 500);
    onsets.insert(onsets.end(), slots.times.begin(), slots.times.end());
    return !slots.times.empty();
}

std::string zone_by_name(std::string_view tzid) {
    while (!tzid.empty() && (tzid.front() == '"' || tzid.front() == ' ')) tzid.remove_prefix(1);
    while (!tzid.empty() && (tzid.back() == '"' || tzid.back() == ' ')) tzid.remove_suffix(1);
    if (const auto iana = windows_to_iana(tzid); !iana.empty()) return std::string(iana);
    // "/mozilla.org/20050126_1/Europe/Berlin": the longest end that is a zone.
    for (auto name = tzid; !name.empty();) {
        if (is_zone(name)) return std::string(name);
        const auto slash = name.find('/');
        if (slash == std::string_view::npos) break;
        name.remove_prefix(slash + 1);
    }
    return {};
}

ZoneMeaning meaning_of(const ForeignZone& zone) {
    for (const auto& name : {zone.tzid, zone.location})
        if (auto iana = zone_by_name(name); !iana.empty()) return {std::move(iana), nullptr};
    if (auto iana = zone_by_rules(zone); !iana.empty()) return {std::move(iana), nullptr};
    return {"", &zone};
}

Timestamp to_instant(local_seconds local, const ForeignZone& zone) {
    return Timestamp(local.time_since_epoch() - offset_at(local, zone));
}

}  // namespace calhost::calendar
