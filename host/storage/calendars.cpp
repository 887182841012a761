// Tables `calendars` and `cursors`.
#include "storage/changed.h"
#include "storage/events.h"
#include "storage/ownership.h"

namespace calhost::storage {
namespace {

CalendarRow read_calendar(const Row& row) {
    return {.connection_id = row.string(0),
            .id = row.string(1),
            .name = row.string(2),
            .is_primary = row.boolean(3),
            .is_read_only = row.boolean(4),
            .color = row.string(5),
            .time_zone = row.string(6)};
}

Result<void> insert_calendar(Sql& sql, std::string_view connection_id, const CalendarRow& row,
                             std::size_t position) {
    // A provider that lists a calendar twice means it once.
    return to_void(sql.execute(
        "INSERT INTO calendars (connection_id, id, position, name, is_primary, is_read_only, "
        "color, time_zone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
        "ON CONFLICT (connection_id, id) DO NOTHING",
        {connection_id, row.id, position, row.name, row.is_primary, row.is_read_only, row.color,
         row.time_zone}));
}

std::string read_cursor(const Row& row) { return row.string(0); }

Timestamp read_moment(const Row& row) { return row.time(0); }

}  // namespace

Result<void> replace_calendars(Sql& sql, std::string_view connection_id, std::string_view user_id,
                               const std::vector<CalendarRow>& calendars) {
    if (auto owned = require_owner(sql, connection_id, user_id); !owned) return owned;
    auto gone = sql.execute("DELETE FROM calendars WHERE connection_id = $1", {connection_id});
    if (!gone) return fail(std::move(gone.error()));
    for (std::size_t i = 0; i < calendars.size(); ++i) {
        auto done = insert_calendar(sql, connection_id, calendars[i], i);
        if (!done) return done;
    }
    return {};
}

Result<std::vector<CalendarRow>> list_calendars(Sql& sql, std::string_view connection_id,
                                                std::string_view user_id) {
    return sql.all(
        "SELECT c.connection_id, c.id, c.name, c.is_primary, c.is_read_only, c.color, c.time_zone "
        "FROM calendars c JOIN connections n ON n.id = c.connection_id "
        "WHERE c.connection_id = $1 AND n.user_id = $2 ORDER BY c.is_primary DESC, c.position",
        {connection_id, user_id}, read_calendar);
}

Result<std::optional<std::string>> find_cursor(Sql& sql, std::string_view connection_id,
                                               std::string_view calendar_id) {
    return sql.first("SELECT cursor FROM cursors WHERE connection_id = $1 AND calendar_id = $2",
                     {connection_id, calendar_id}, read_cursor);
}

Result<void> save_cursor(Sql& sql, std::string_view connection_id, std::string_view calendar_id,
                         std::string_view cursor, Timestamp now,
                         std::optional<Timestamp> window_finish) {
    return to_void(sql.execute(
        "INSERT INTO cursors (connection_id, calendar_id, cursor, saved_at, window_finish) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (connection_id, calendar_id) "
        "DO UPDATE SET cursor = excluded.cursor, saved_at = excluded.saved_at, "
        "window_finish = coalesce(excluded.window_finish, cursors.window_finish)",
        {connection_id, calendar_id, cursor, now, window_finish}));
}

Result<std::optional<Timestamp>> find_window_finish(Sql& sql, std::string_view connection_id,
                                                    std::string_view calendar_id) {
    return sql.first(
        "SELECT window_finish FROM cursors WHERE connection_id = $1 AND calendar_id = $2 "
        "AND window_finish IS NOT NULL",
        {connection_id, calendar_id}, read_moment);
}

Result<void> delete_cursor(Sql& sql, std::string_view connection_id, std::string_view calendar_id) {
    return to_void(sql.execute("DELETE FROM cursors WHERE connection_id = $1 AND calendar_id = $2",
                               {connection_id, calendar_id}));
}

}  // namespace calhost::storage
