#include "sync/upcoming.h"

#include "storage/events.h"

namespace calhost::sync {

Result<std::string> calendar_zone(storage::Sql& sql, const storage::Connection& connection) {
    auto calendars = storage::list_calendars(sql, connection.id, connection.user_id);
    if (!calendars) return fail(calendars.error());
    for (const auto& calendar : *calendars) {
        // "primary" is an alias of the one that says it is.
        const bool is_it = calendar.id == connection.calendar_id ||
                           (connection.calendar_id == "primary" && calendar.is_primary);
        if (is_it && !calendar.time_zone.empty()) return calendar.time_zone;
    }
    return std::string("Etc/UTC");
}

Result<calendar::Expansion> occurrences(storage::Sql& sql, const storage::Connection& connection,
                                        calendar::Window window) {
    auto zone = calendar_zone(sql, connection);
    if (!zone) return fail(zone.error());
    // All-day events are stored by their midnight in UTC; a day on each side catches every zone.
    const calendar::Window wide{window.start - std::chrono::days{1},
                                window.finish + std::chrono::days{1}};
    auto rows = storage::find_events(sql, connection.id, connection.calendar_id, wide);
    if (!rows) return fail(rows.error());
    return calendar::expand(std::move(*rows), window, *zone);
}

}  // namespace calhost::sync
