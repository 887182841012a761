/// Tables `bookings` and `booking_people`: what applications sent, and who takes part.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

/// One of the two who meet.
struct BookingPerson {
    std::string role;                    ///< client or tutor
    std::optional<std::string> user_id;  ///< none: not known here yet, so the booking waits for him
    std::string issuer, subject;         ///< named by an outside identity; else empty
    std::string email;                   ///< named by an address, as given; else empty
    std::string name;                    ///< what the other one reads
    std::string language;                ///< BCP 47, such as "de"; may be empty
    friend bool operator==(const BookingPerson&, const BookingPerson&) = default;
};

struct Booking {
    std::int64_t number = 0;     ///< the host's own name for it
    std::string application_id;  ///< whose it is
    std::string id;              ///< the application's, unique within it
    /// Grows with every change; 0 in a booking to be stored: the next one.
    std::int64_t version = 0;
    std::string title;
    std::string status;  ///< pending confirmed cancelled completed
    Timestamp starts_at{};
    Timestamp ends_at{};
    std::string time_zone;  ///< IANA; empty: each person's own
    std::string location;
    std::string price;  ///< as people read it: "40 EUR"
    std::string data;   ///< JSON object of the application, for templates and rules
    Timestamp created_at{};
    Timestamp updated_at{};
    std::vector<BookingPerson> people;  ///< client, tutor
};

/// What became of a booking that was sent.
enum class Outcome {
    created,
    updated,
    unchanged,  ///< the same one again
    older,      ///< a newer version is stored
    differs,    ///< the version is stored already, with other content
};
struct StoredBooking {
    Outcome outcome{};
    Booking booking;  ///< as it is stored now
};

/// Stores it unless a newer version is there. People who cannot be found wait. *Errors*:
/// not_found, for a user_id that the application does not reach (the message is the role);
/// invalid, when both are one person.
Result<StoredBooking> store_booking(Sql& sql, const Booking& booking);

Result<std::optional<Booking>> find_booking(Sql& sql, std::string_view application_id,
                                            std::string_view id);
/// One that the user takes part in, of whichever application.
Result<std::optional<Booking>> find_booking_of_user(Sql& sql, std::string_view user_id,
                                                    std::string_view id);
/// For jobs, which know the row and not the caller.
Result<std::optional<Booking>> find_booking_for_job(Sql& sql, std::int64_t number);

/// What a list asks for. Exactly one of the two ids is set: whose bookings they are.
struct BookingQuery {
    std::string application_id;
    std::string user_id;                ///< takes part
    std::optional<Timestamp> from, to;  ///< that end after `from` and start before `to`
    std::string status;                 ///< empty: any
    /// The last one of the page before, by start.
    std::optional<std::pair<Timestamp, std::int64_t>> after;
    int limit = 50;
};
/// By start.
Result<std::vector<Booking>> list_bookings(Sql& sql, const BookingQuery& query);

/// Of every application, those that end after `now`, by start.
Result<std::vector<Booking>> list_bookings_from(Sql& sql, Timestamp now, int limit);

/// Numbers of the bookings that end after `now`, are confirmed and have the user as one of their
/// people, or are in one of his calendars (whoever was taken out of them, too), from behind `after`
/// on, at most `limit`.
Result<std::vector<std::int64_t>> list_coming_bookings(Sql& sql, std::string_view user_id,
                                                       Timestamp now, std::int64_t after,
                                                       int limit);

Result<std::int64_t> count_coming_bookings(Sql& sql, std::string_view user_id, Timestamp now);

/// What a person's feed shows: confirmed and completed ones that he takes part in and that end
/// after `from`, by start.
Result<std::vector<Booking>> list_bookings_for_feed(Sql& sql, std::string_view user_id,
                                                    Timestamp from, int limit);
/// The person's feed is behind this secret from now on, and behind no other.
Result<void> store_feed(Sql& sql, std::string_view user_id, std::string_view hash, Timestamp now);
/// Whose feed it is.
Result<std::optional<std::string>> find_feed_owner(Sql& sql, std::string_view hash);

/// Binds what waits for this user's verified address in the applications that reach him. Gives how
/// many bookings know him now.
Result<std::int64_t> bind_waiting_people(Sql& sql, std::string_view user_id);

/// Remembers a webhook's message until then; false: it was here before. Old ones are forgotten.
Result<bool> remember_message(Sql& sql, std::string_view application_id, std::string_view id,
                              Timestamp now, Timestamp expires_at);

}  // namespace calhost::storage
