#include "storage/bookings.h"

#include <algorithm>

#include "storage/changed.h"
#include "storage/email_key.h"

namespace calhost::storage {
namespace {

#define BOOKING_COLUMNS                                                                        \
    "b.number, b.application_id, b.id, b.version, b.title, b.status, b.starts_at, b.ends_at, " \
    "b.time_zone, b.location, b.price, b.data, b.created_at, b.updated_at"

Booking read_booking(const Row& row) {
    return {.number = row.integer(0),
            .application_id = row.string(1),
            .id = row.string(2),
            .version = row.integer(3),
            .title = row.string(4),
            .status = row.string(5),
            .starts_at = row.time(6),
            .ends_at = row.time(7),
            .time_zone = row.string(8),
            .location = row.string(9),
            .price = row.string(10),
            .data = row.string(11),
            .created_at = row.time(12),
            .updated_at = row.time(13),
            .people = {}};
}

BookingPerson read_person(const Row& row) {
    return {.role = row.string(0),
            .user_id = row.maybe_string(1),
            .issuer = row.string(2),
            .subject = row.string(3),
            .email = row.string(4),
            .name = row.string(5),
            .language = row.string(6)};
}

std::string read_id(const Row& row) { return row.string(0); }
std::int64_t read_number(const Row& row) { return row.integer(0); }

Result<std::optional<Booking>> with_people(Sql& sql, Result<std::optional<Booking>> found) {
    if (!found || !*found) return found;
    auto people = sql.all(
        "SELECT role, user_id, issuer, subject, email, name, language "
        "FROM booking_people WHERE booking = $1 ORDER BY role",
        {(*found)->number}, read_person);
    if (!people) return fail(std::move(people.error()));
    (*found)->people = std::move(*people);
    return found;
}

Result<std::vector<Booking>> all_with_people(Sql& sql, Result<std::vector<Booking>> rows) {
    if (!rows) return rows;
    for (auto& row : *rows) {
        auto whole = with_people(sql, std::optional(std::move(row)));
        if (!whole) return fail(std::move(whole.error()));
        row = std::move(**whole);
    }
    return rows;
}

/// Who of the application's users it is. An address names a person only when it is verified.
Result<std::optional<std::string>> find_person(Sql& sql, std::string_view application_id,
                                               const BookingPerson& person) {
    if (person.user_id)
        return sql.first(
            "SELECT user_id FROM application_users WHERE application_id = $1 AND user_id = $2",
            {application_id, *person.user_id}, read_id);
    if (person.email.empty()) return std::optional<std::string>();
    return sql.first(
        "SELECT u.id FROM users u JOIN application_users a ON a.user_id = u.id "
        "WHERE a.application_id = $1 AND u.email_key = $2 AND u.is_email_verified = 1",
        {application_id, email_key(person.email)}, read_id);
}

Result<void> find_people(Sql& sql, Booking& booking) {
    for (auto& person : booking.people) {
        auto user = find_person(sql, booking.application_id, person);
        if (!user) return fail(std::move(user.error()));
        if (!*user && person.user_id) return fail(ErrorCode::not_found, person.role);
        person.user_id = std::move(*user);
    }
    const auto& people = booking.people;
    if (people.size() == 2 && people[0].user_id && people[0].user_id == people[1].user_id)
        return fail(ErrorCode::invalid, "client and tutor are the same person");
    return {};
}

/// Whoever is named by an address or a subject is the same one, found meanwhile or not.
bool is_same_person(const BookingPerson& sent, BookingPerson stored) {
    if (!sent.email.empty() || !sent.subject.empty()) stored.user_id = sent.user_id;
    return sent == stored;
}

bool is_same_content(const Booking& sent, const Booking& stored) {
    return sent.title == stored.title && sent.status == stored.status &&
           sent.starts_at == stored.starts_at && sent.ends_at == stored.ends_at &&
           sent.time_zone == stored.time_zone && sent.location == stored.location &&
           sent.price == stored.price && sent.data == stored.data &&
           std::ranges::equal(sent.people, stored.people, is_same_person);
}

Result<std::int64_t> write_booking(Sql& sql, const Booking& b) {
    auto number = sql.first(
        "INSERT INTO bookings AS b (application_id, id, version, title, status, starts_at, "
        "ends_at, time_zone, location, price, data, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) "
        "ON CONFLICT (application_id, id) DO UPDATE SET version = excluded.version, "
        "title = excluded.title, status = excluded.status, starts_at = excluded.starts_at, "
        "ends_at = excluded.ends_at, time_zone = excluded.time_zone, "
        "location = excluded.location, price = excluded.price, data = excluded.data, "
        "updated_at = excluded.updated_at RETURNING number",
        {b.application_id, b.id, b.version, b.title, b.status, b.starts_at, b.ends_at, b.time_zone,
         b.location, b.price, b.data, b.updated_at},
        read_number);
    if (!number) return fail(std::move(number.error()));
    return number->value_or(0);
}

Result<void> write_person(Sql& sql, std::int64_t booking, const BookingPerson& p) {
    return to_void(sql.execute(
        "INSERT INTO booking_people (booking, role, user_id, issuer, subject, email, email_key, "
        "name, language) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (booking, role) DO UPDATE SET user_id = excluded.user_id, "
        "issuer = excluded.issuer, subject = excluded.subject, email = excluded.email, "
        "email_key = excluded.email_key, name = excluded.name, language = excluded.language",
        {booking, p.role, p.user_id, p.issuer, p.subject, p.email, email_key(p.email), p.name,
         p.language}));
}

/// What the version says of what was sent, or nothing: it is to be written.
std::optional<Outcome> settle(const Booking& sent, const Booking& stored) {
    if (sent.version != 0 && sent.version < stored.version) return Outcome::older;
    if (is_same_content(sent, stored) && (sent.version == 0 || sent.version == stored.version))
        return Outcome::unchanged;
    if (sent.version == stored.version) return Outcome::differs;
    return std::nullopt;
}

}  // namespace

Result<StoredBooking> store_booking(Sql& sql, const Booking& sent) {
    auto stored = find_booking(sql, sent.application_id, sent.id);
    if (!stored) return fail(std::move(stored.error()));
    Booking booking = sent;
    if (auto found = find_people(sql, booking); !found) return fail(std::move(found.error()));
    booking.created_at = *stored ? (*stored)->created_at : booking.updated_at;
    if (*stored)
        if (const auto outcome = settle(booking, **stored))
            return StoredBooking{*outcome, std::move(**stored)};
    if (booking.version == 0) booking.version = *stored ? (*stored)->version + 1 : 1;
    auto number = write_booking(sql, booking);
    if (!number) return fail(std::move(number.error()));
    booking.number = *number;
    for (const auto& person : booking.people)
        if (auto done = write_person(sql, *number, person); !done) return fail(done.error());
    return StoredBooking{*stored ? Outcome::updated : Outcome::created, std::move(booking)};
}

Result<std::optional<Booking>> find_booking(Sql& sql, std::string_view application_id,
                                            std::string_view id) {
    return with_people(sql, sql.first("SELECT " BOOKING_COLUMNS
                                      " FROM bookings b WHERE application_id = $1 AND id = $2",
                                      {application_id, id}, read_booking));
}

Result<std::optional<Booking>> find_booking_of_user(Sql& sql, std::string_view user_id,
                                                    std::string_view id) {
    return with_people(sql,
                       sql.first("SELECT " BOOKING_COLUMNS
                                 " FROM booking_people p JOIN bookings b ON b.number = p.booking "
                                 "WHERE p.user_id = $1 AND b.id = $2 ORDER BY b.number",
                                 {user_id, id}, read_booking));
}

Result<std::optional<Booking>> find_booking_for_job(Sql& sql, std::int64_t number) {
    return with_people(
        sql, sql.first("SELECT " BOOKING_COLUMNS " FROM bookings b WHERE number = $1", {number},
                       read_booking));
}

Result<std::vector<Booking>> list_bookings(Sql& sql, const BookingQuery& query) {
    const bool is_user = query.application_id.empty();
    const auto after = query.after.value_or(std::pair(Timestamp::min(), std::int64_t{0}));
    constexpr auto kOfUser =
        "SELECT " BOOKING_COLUMNS
        " FROM booking_people p JOIN bookings b ON b.number = p.booking WHERE p.user_id = $1 "
        "AND ($2 IS NULL OR b.ends_at > $2) AND ($3 IS NULL OR b.starts_at < $3) "
        "AND ($4 = '' OR b.status = $4) "
        "AND (b.starts_at > $5 OR (b.starts_at = $5 AND b.number > $6)) "
        "ORDER BY b.starts_at, b.number LIMIT $7";
    constexpr auto kOfApplication =
        "SELECT " BOOKING_COLUMNS
        " FROM bookings b WHERE b.application_id = $1 "
        "AND ($2 IS NULL OR b.ends_at > $2) AND ($3 IS NULL OR b.starts_at < $3) "
        "AND ($4 = '' OR b.status = $4) "
        "AND (b.starts_at > $5 OR (b.starts_at = $5 AND b.number > $6)) "
        "ORDER BY b.starts_at, b.number LIMIT $7";
    auto rows = sql.all(is_user ? kOfUser : kOfApplication,
                        {is_user ? query.user_id : query.application_id, query.from, query.to,
                         query.status, after.first, after.second, query.limit},
                        read_booking);
    return all_with_people(sql, std::move(rows));
}

Result<std::vector<Booking>> list_bookings_from(Sql& sql, Timestamp now, int limit) {
    return all_with_people(
        sql,
        sql.all("SELECT " BOOKING_COLUMNS
                " FROM bookings b WHERE b.ends_at > $1 ORDER BY b.starts_at, b.number LIMIT $2",
                {now, limit}, read_booking));
}

Result<std::vector<std::int64_t>> list_coming_bookings(Sql& sql, std::string_view user_id,
                                                       Timestamp now, std::int64_t after,
                                                       int limit) {
    return sql.all(
        "SELECT b.number AS number FROM booking_people p JOIN bookings b ON b.number = p.booking "
        "WHERE p.user_id = $1 AND p.booking > $2 AND b.ends_at > $3 AND b.status = 'confirmed' "
        "UNION SELECT b.number FROM booking_events e JOIN bookings b ON b.number = e.booking "
        "WHERE e.user_id = $1 AND e.booking > $2 AND b.ends_at > $3 AND e.state <> 'removed' "
        "ORDER BY number LIMIT $4",
        {user_id, after, now, limit}, read_number);
}

Result<std::int64_t> count_coming_bookings(Sql& sql, std::string_view user_id, Timestamp now) {
    auto count = sql.first(
        "SELECT count(*) FROM booking_people p JOIN bookings b ON b.number = p.booking "
        "WHERE p.user_id = $1 AND b.status = 'confirmed' AND b.ends_at > $2",
        {user_id, now}, read_number);
    if (!count) return fail(std::move(count.error()));
    return count->value_or(0);
}

Result<std::vector<Booking>> list_bookings_for_feed(Sql& sql, std::string_view user_id,
                                                    Timestamp from, int limit) {
    return all_with_people(
        sql, sql.all("SELECT " BOOKING_COLUMNS
                     " FROM booking_people p JOIN bookings b ON b.number = p.booking "
                     "WHERE p.user_id = $1 AND b.status IN ('confirmed', 'completed') "
                     "AND b.ends_at > $2 ORDER BY b.starts_at, b.number LIMIT $3",
                     {user_id, from, limit}, read_booking));
}

Result<void> store_feed(Sql& sql, std::string_view user_id, std::string_view hash, Timestamp now) {
    return to_void(
        sql.execute("INSERT INTO booking_feeds (user_id, hash, created_at) VALUES ($1, $2, $3) "
                    "ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, created_at = "
                    "excluded.created_at",
                    {user_id, hash, now}));
}

Result<std::optional<std::string>> find_feed_owner(Sql& sql, std::string_view hash) {
    return sql.first("SELECT user_id FROM booking_feeds WHERE hash = $1", {hash}, read_id);
}

Result<std::int64_t> bind_waiting_people(Sql& sql, std::string_view user_id) {
    // Somebody who is the other one already is not bound: nobody meets himself.
    return sql.execute(
        "UPDATE booking_people SET user_id = $1 WHERE user_id IS NULL AND email_key <> '' "
        "AND email_key = (SELECT u.email_key FROM users u WHERE u.id = $1 "
        "AND u.is_email_verified = 1) "
        "AND EXISTS (SELECT 1 FROM bookings b JOIN application_users a "
        "ON a.application_id = b.application_id "
        "WHERE b.number = booking_people.booking AND a.user_id = $1) "
        "AND NOT EXISTS (SELECT 1 FROM booking_people o "
        "WHERE o.booking = booking_people.booking AND o.user_id = $1)",
        {user_id});
}

Result<bool> remember_message(Sql& sql, std::string_view application_id, std::string_view id,
                              Timestamp now, Timestamp expires_at) {
    auto swept = sql.execute("DELETE FROM webhook_messages WHERE expires_at <= $1", {now});
    if (!swept) return fail(std::move(swept.error()));
    return is_changed(
        sql.execute("INSERT INTO webhook_messages (application_id, id, expires_at) "
                    "VALUES ($1, $2, $3) ON CONFLICT (application_id, id) DO NOTHING",
                    {application_id, id, expires_at}));
}

#undef BOOKING_COLUMNS

}  // namespace calhost::storage
