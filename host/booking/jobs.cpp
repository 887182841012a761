#include "booking/jobs.h"

#include <fmt/format.h>

#include <charconv>

#include "base/log.h"
#include "storage/booking_events.h"

namespace calhost::booking {
namespace {

constexpr int kBookingsAtOnce = 500;

/// Its id says what it is about; the pair is unique among jobs anyway.
storage::Job job_for(std::int64_t booking, const storage::BookingTarget& target, Timestamp now) {
    const auto name = target_of(target.connection_id, booking);
    return {.id = fmt::format("booking/{}", name),
            .kind = std::string(kBookingJob),
            .target = name,
            .user_id = target.user_id,
            .payload = "{}",
            .lane = target.provider,
            .connection_id = target.connection_id,
            .run_at = now,
            .created_at = now};
}

}  // namespace

std::string target_of(std::string_view connection_id, std::int64_t booking) {
    return fmt::format("{}/{}", connection_id, booking);
}

Result<JobTarget> parse_target(std::string_view target) {
    const auto slash = target.find('/');
    JobTarget parsed{std::string(target.substr(0, slash)), 0};
    if (slash != std::string_view::npos) {
        const auto number = target.substr(slash + 1);
        const auto read = std::from_chars(number.begin(), number.end(), parsed.booking);
        if (read.ec == std::errc() && read.ptr == number.end()) return parsed;
    }
    return fail(ErrorCode::invalid, "This job names no booking.");
}

Result<int> enqueue_booking_jobs(storage::Sql& sql, std::int64_t booking, Timestamp now) {
    auto targets = storage::list_booking_targets(sql, booking);
    if (!targets) return fail(std::move(targets.error()));
    for (const auto& target : *targets)
        if (auto done = storage::enqueue_job(sql, job_for(booking, target, now)); !done)
            return fail(std::move(done.error()));
    return static_cast<int>(targets->size());
}

Result<void> note_gone(storage::Sql& sql, const storage::Connection& connection,
                       const std::vector<std::string>& ids,
                       const std::optional<calendar::Window>& whole, Timestamp now) {
    auto gone = storage::note_gone_events(sql, connection.id, connection.calendar_id, ids);
    if (!gone) return fail(std::move(gone.error()));
    if (whole) {
        auto unseen =
            storage::note_unseen_events(sql, connection.id, connection.calendar_id, *whole);
        if (!unseen) return fail(std::move(unseen.error()));
        gone->insert(gone->end(), unseen->begin(), unseen->end());
    }
    const storage::BookingTarget target{connection.id, connection.user_id, connection.provider};
    for (const auto booking : *gone)
        if (auto queued = storage::enqueue_job(sql, job_for(booking, target, now)); !queued)
            return queued;
    return {};
}

Task<Result<void>> run_bookings_job(connect::Services& services, std::string user_id) {
    const auto now = services.clock.now();
    auto bound = co_await services.database.write_for<std::int64_t>(
        [&](storage::Sql& sql) { return storage::bind_waiting_people(sql, user_id); });
    if (!bound) co_return fail(std::move(bound.error()));
    for (std::int64_t after = 0, count = kBookingsAtOnce; count == kBookingsAtOnce;) {
        auto numbers = storage::list_coming_bookings(services.database.reader(), user_id, now,
                                                     after, kBookingsAtOnce);
        if (!numbers) co_return fail(std::move(numbers.error()));
        count = static_cast<std::int64_t>(numbers->size());
        if (count > 0) after = numbers->back();
        auto done = co_await services.database.write([&](storage::Sql& sql) -> Result<void> {
            for (const auto number : *numbers)
                if (auto queued = enqueue_booking_jobs(sql, number, now); !queued)
                    return fail(std::move(queued.error()));
            return {};
        });
        if (!done) co_return done;
    }
    log::info("bookings planned", {{"user_id", user_id}, {"bound", std::to_string(*bound)}});
    co_return Result<void>{};
}

}  // namespace calhost::booking
