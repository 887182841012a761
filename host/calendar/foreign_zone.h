/// The zones that a foreign iCalendar text names. The room's own.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "calendar/event.h"
#include "calendar/rule.h"

namespace calhost::calendar {

/// One STANDARD or DAYLIGHT part of a VTIMEZONE. RFC 5545 section 3.6.5.
struct Observance {
    std::chrono::seconds before{};                     ///< TZOFFSETFROM
    std::chrono::seconds after{};                      ///< TZOFFSETTO
    std::vector<std::chrono::local_seconds> onsets{};  ///< when it begins to hold, ascending

    /// Adds what a yearly rule gives from 1970 to 2100; false for one that gives nothing.
    bool add_rule(const Rule& rule, std::chrono::local_seconds start);
};

/// A VTIMEZONE as its file wrote it.
struct ForeignZone {
    std::string tzid;
    std::string location;  ///< X-LIC-LOCATION
    std::vector<Observance> observances;
};

/// What a TZID means: an IANA name, or only rules.
struct ZoneMeaning {
    std::string iana;  ///< empty: use `rules`
    const ForeignZone* rules = nullptr;
};

/// The IANA zone behind a name: itself, without a vendor's prefix, or a Windows name; else empty.
std::string zone_by_name(std::string_view tzid);

/// By the zone's names, else by its rules: an IANA zone with the same offsets through 2024 to 2026.
ZoneMeaning meaning_of(const ForeignZone& zone);

/// The moment of a wall clock by the zone's own rules.
Timestamp to_instant(std::chrono::local_seconds local, const ForeignZone& zone);

}  // namespace calhost::calendar
