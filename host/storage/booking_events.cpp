#include "storage/booking_events.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define EVENT_COLUMNS                                                                        \
    "booking, connection_id, user_id, role, calendar_id, intent, external_id, etag, state, " \
    "version, written, error, updated_at"

BookingEvent read_event(const Row& row) {
    return {.booking = row.integer(0),
            .connection_id = row.string(1),
            .user_id = row.string(2),
            .role = row.string(3),
            .calendar_id = row.string(4),
            .intent = row.string(5),
            .external_id = row.string(6),
            .etag = row.string(7),
            .state = row.string(8),
            .version = row.integer(9),
            .written = row.string(10),
            .error = row.string(11),
            .updated_at = row.time(12)};
}

BookingTarget read_target(const Row& row) { return {row.string(0), row.string(1), row.string(2)}; }

}  // namespace

Result<void> save_booking_event(Sql& sql, const BookingEvent& e) {
    return to_void(sql.execute(
        "INSERT INTO booking_events (" EVENT_COLUMNS
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
        "ON CONFLICT (booking, connection_id) DO UPDATE SET user_id = excluded.user_id, "
        "role = excluded.role, calendar_id = excluded.calendar_id, intent = excluded.intent, "
        "external_id = excluded.external_id, etag = excluded.etag, state = excluded.state, "
        "version = excluded.version, written = excluded.written, error = excluded.error, "
        "updated_at = excluded.updated_at",
        {e.booking, e.connection_id, e.user_id, e.role, e.calendar_id, e.intent, e.external_id,
         e.etag, e.state, e.version, e.written, e.error, e.updated_at}));
}

Result<std::optional<BookingEvent>> find_booking_event(Sql& sql, std::int64_t booking,
                                                       std::string_view connection_id,
                                                       std::string_view user_id) {
    return sql.first("SELECT " EVENT_COLUMNS
                     " FROM booking_events "
                     "WHERE booking = $1 AND connection_id = $2 AND user_id = $3",
                     {booking, connection_id, user_id}, read_event);
}

Result<std::vector<BookingEvent>> list_booking_events(Sql& sql, std::int64_t booking) {
    return sql.all("SELECT " EVENT_COLUMNS
                   " FROM booking_events WHERE booking = $1 ORDER BY role, connection_id",
                   {booking}, read_event);
}

Result<std::vector<BookingTarget>> list_booking_targets(Sql& sql, std::int64_t booking) {
    return sql.all(
        "SELECT c.id, c.user_id, c.provider FROM booking_people p "
        "JOIN connections c ON c.user_id = p.user_id AND c.purpose = 'full' "
        "WHERE p.booking = $1 "
        "UNION SELECT c.id, c.user_id, c.provider FROM booking_events e "
        "JOIN connections c ON c.id = e.connection_id WHERE e.booking = $1",
        {booking}, read_target);
}

#undef EVENT_COLUMNS

}  // namespace calhost::storage
