/// Windows' names of time zones, for foreign iCalendar and for Microsoft Graph.
#pragma once

#include <span>
#include <string_view>

namespace calhost::calendar {

struct WindowsZone {
    std::string_view windows;  ///< "W. Europe Standard Time"
    std::string_view iana;     ///< "Europe/Berlin"
};

/// All that are known.
std::span<const WindowsZone> windows_zones();

/// The IANA zone, or empty for a name that is not known.
std::string_view windows_to_iana(std::string_view name);

/// The Windows name of an IANA zone, alias or not: CLDR's, else one whose clock goes the same;
/// empty when there is none. "Europe/Amsterdam" gives "W. Europe Standard Time", so names do not
/// come back as they went.
std::string_view iana_to_windows(std::string_view zone);

}  // namespace calhost::calendar
