#include "storage/booking_events.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define EVENT_COLUMNS                                                                            \
    "number, booking, user_id, provider, account_id, connection_id, role, calendar_id, intent, " \
    "external_id, etag, state, version, written, error, updated_at"

BookingEvent read_event(const Row& row) {
    return {.number = row.integer(0),
            .booking = row.integer(1),
            .user_id = row.string(2),
            .provider = row.string(3),
            .account_id = row.string(4),
            .connection_id = row.string(5),
            .role = row.string(6),
            .calendar_id = row.string(7),
            .intent = row.string(8),
            .external_id = row.string(9),
            .etag = row.string(10),
            .state = row.string(11),
            .version = row.integer(12),
            .written = row.string(13),
            .error = row.string(14),
            .updated_at = row.time(15)};
}

std::int64_t read_number(const Row& row) { return row.integer(0); }

Result<std::int64_t> insert(Sql& sql, const BookingEvent& e) {
    auto number = sql.first(
        "INSERT INTO booking_events (booking, user_id, provider, account_id, connection_id, role, "
        "calendar_id, intent, external_id, etag, state, version, written, error, updated_at) "
        "VALUES ($1, $2, $3, $4, "
        "coalesce((SELECT id FROM connections WHERE id = $5 AND external_id = $4), ''), "
        "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING number",
        {e.booking, e.user_id, e.provider, e.account_id, e.connection_id, e.role, e.calendar_id,
         e.intent, e.external_id, e.etag, e.state, e.version, e.written, e.error, e.updated_at},
        read_number);
    if (!number) return fail(std::move(number.error()));
    return number->value_or(0);
}

BookingTarget read_target(const Row& row) { return {row.string(0), row.string(1), row.string(2)}; }

}  // namespace

Result<std::int64_t> save_booking_event(Sql& sql, const BookingEvent& e) {
    if (e.number == 0) return insert(sql, e);
    auto done = sql.execute(
        "UPDATE booking_events SET role = $3, calendar_id = $4, intent = $5, external_id = $6, "
        "etag = $7, state = $8, version = $9, written = $10, error = $11, updated_at = $12 "
        "WHERE number = $1 AND user_id = $2",
        {e.number, e.user_id, e.role, e.calendar_id, e.intent, e.external_id, e.etag, e.state,
         e.version, e.written, e.error, e.updated_at});
    if (!done) return fail(std::move(done.error()));
    if (*done == 0) return fail(ErrorCode::conflict, "The booking is gone.");
    return e.number;
}

Result<void> attach_booking_events(Sql& sql, std::string_view connection_id) {
    // Of one booking there may be two from two connections of the account: the older one is taken.
    return to_void(
        sql.execute("UPDATE booking_events SET connection_id = $1 WHERE number IN ("
                    "SELECT min(e.number) FROM booking_events e JOIN connections c ON c.id = $1 "
                    "WHERE e.user_id = c.user_id AND e.provider = c.provider "
                    "AND e.account_id = c.external_id AND e.connection_id = '' "
                    "AND NOT EXISTS (SELECT 1 FROM booking_events o "
                    "WHERE o.booking = e.booking AND o.connection_id = $1) GROUP BY e.booking)",
                    {connection_id}));
}

Result<void> detach_booking_events(Sql& sql, std::string_view connection_id) {
    return to_void(sql.execute(
        "UPDATE booking_events SET connection_id = '' WHERE connection_id = $1", {connection_id}));
}

#define ARE_MISSING                                \
    "UPDATE booking_events SET state = 'missing' " \
    "WHERE connection_id = $1 AND connection_id <> '' AND calendar_id = $2 AND state = 'written' "

Result<std::vector<std::int64_t>> note_gone_events(Sql& sql, std::string_view connection_id,
                                                   std::string_view calendar_id,
                                                   const std::vector<std::string>& external_ids) {
    std::vector<std::int64_t> bookings;
    for (const auto& id : external_ids) {
        auto booking = sql.first(ARE_MISSING "AND external_id = $3 RETURNING booking",
                                 {connection_id, calendar_id, id}, read_number);
        if (!booking) return fail(std::move(booking.error()));
        if (*booking) bookings.push_back(**booking);
    }
    return bookings;
}

Result<std::vector<std::int64_t>> note_unseen_events(Sql& sql, std::string_view connection_id,
                                                     std::string_view calendar_id,
                                                     calendar::Window window) {
    return sql.all(ARE_MISSING
                   "AND booking IN "
                   "(SELECT number FROM bookings WHERE ends_at > $3 AND starts_at < $4) "
                   "AND NOT EXISTS (SELECT 1 FROM event_calendars c JOIN events e "
                   "ON e.calendar = c.number WHERE c.connection_id = $1 AND c.calendar_id = $2 "
                   "AND e.id = booking_events.external_id) RETURNING booking",
                   {connection_id, calendar_id, window.start, window.finish}, read_number);
}

#undef ARE_MISSING

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
        "UNION ALL SELECT c.id, c.user_id, c.provider FROM booking_events e "
        "JOIN connections c ON c.id = e.connection_id WHERE e.booking = $1 "
        "AND NOT (c.purpose = 'full' AND EXISTS (SELECT 1 FROM booking_people p "
        "WHERE p.booking = $1 AND p.user_id = c.user_id))",
        {booking}, read_target);
}

#undef EVENT_COLUMNS

}  // namespace calhost::storage
