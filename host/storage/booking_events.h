/// Table `booking_events`: the calendar event that a booking became in one account. A row outlives
/// its connection: whoever connects the same account again finds his events known, and none comes
/// twice.
#pragma once

#include "calendar/event.h"
#include "storage/sql.h"

namespace calhost::storage {

struct BookingEvent {
    std::int64_t number = 0;   ///< the row's; 0: not stored yet
    std::int64_t booking = 0;  ///< its number
    std::string user_id;
    std::string provider;
    std::string account_id;     ///< the provider's id of the account
    std::string connection_id;  ///< empty: the account is not connected
    std::string role;           ///< of the person in the booking
    std::string calendar_id;    ///< where it is, chosen before the first call
    std::string intent;         ///< names the event to the provider; stored before the first call
    std::string external_id;    ///< empty: the provider's answer has not come yet
    std::string etag;
    /// writing (nobody knows whether the event is there), written, missing (a sync did not see it
    /// any more), removed, given_up (the person deleted it, and that is respected), failed.
    std::string state;
    std::int64_t version = 0;  ///< of the booking that the calendar shows, or that failed
    std::string written;       ///< the event as the host last wrote it (calendar/event_record.h)
    std::string error;         ///< a sentence; empty when all is well
    Timestamp updated_at{};
};

/// Gives the row's number. A connection that went meanwhile, or is another account's by now, leaves
/// the row without one. *Errors*: conflict, when booking or user are gone.
Result<std::int64_t> save_booking_event(Sql& sql, const BookingEvent& event);
/// The events of that connection's account are known again, and those of any other account that was
/// there before are not its own any more. In the transaction that stores or deletes the grant.
Result<void> attach_booking_events(Sql& sql, std::string_view connection_id);
Result<void> detach_booking_events(Sql& sql, std::string_view connection_id);
/// A sync saw that these are gone from the connection's calendar. Gives the bookings whose written
/// events are among them, now `missing`.
Result<std::vector<std::int64_t>> note_gone_events(Sql& sql, std::string_view connection_id,
                                                   std::string_view calendar_id,
                                                   const std::vector<std::string>& external_ids);
/// The same after everything was read: those that take place in the window and are not in `events`.
Result<std::vector<std::int64_t>> note_unseen_events(Sql& sql, std::string_view connection_id,
                                                     std::string_view calendar_id,
                                                     calendar::Window window);
/// `user_id` as everywhere: another's is not found.
Result<std::optional<BookingEvent>> find_booking_event(Sql& sql, std::int64_t booking,
                                                       std::string_view connection_id,
                                                       std::string_view user_id);
Result<std::vector<BookingEvent>> list_booking_events(Sql& sql, std::int64_t booking);

/// A calendar that a booking has to do with.
struct BookingTarget {
    std::string connection_id, user_id, provider;
};
/// Those of its people that can be written to, and those that already have an event of it.
Result<std::vector<BookingTarget>> list_booking_targets(Sql& sql, std::int64_t booking);

}  // namespace calhost::storage
