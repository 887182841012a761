/// Bookings become events in the calendars of both people, through durable jobs: one for each
/// booking and connection, and one for each person whose bookings are to be looked at again.
#pragma once

#include "connect/jobs.h"
#include "storage/bookings.h"
#include "storage/jobs.h"

namespace calhost::booking {

/// Brings one booking into one connection: target "<connection>/<number>".
inline constexpr std::string_view kBookingJob = "booking";

/// What a job of kind kBookingJob is about.
struct JobTarget {
    std::string connection_id;
    std::int64_t booking = 0;
};
std::string target_of(std::string_view connection_id, std::int64_t booking);
/// *Errors*: invalid.
Result<JobTarget> parse_target(std::string_view target);

/// A job for each calendar that the booking has to do with, in the transaction of its change; the
/// same one waiting already stays one. Gives how many.
Result<int> enqueue_booking_jobs(storage::Sql& sql, std::int64_t booking, Timestamp now);

/// A sync saw that these are gone from the connection's calendar; with a window everything in it
/// was read. What a booking wrote there is looked at again, in the transaction of the sync.
Result<void> note_gone(storage::Sql& sql, const storage::Connection& connection,
                       const std::vector<std::string>& ids,
                       const std::optional<calendar::Window>& whole, Timestamp now);

/// Runs a connect::kBookingsJob: binds what waits for the person, then plans all coming bookings,
/// 500 a transaction. *Errors*: those of the store.
Task<Result<void>> run_bookings_job(connect::Services& services, std::string user_id);

}  // namespace calhost::booking
