/// Windows' names of time zones, for foreign iCalendar.
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

}  // namespace calhost::calendar
