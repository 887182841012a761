#include "booking/feed.h"

#include <fmt/format.h>

#include "base/log.h"
#include "booking/decision.h"
#include "calendar/icalendar.h"

namespace calhost::booking {
namespace {

constexpr std::chrono::days kPast{31};
constexpr int kMostBookings = 2'000;
constexpr int kInOneGo = 50;

/// What is in the store only, so that an unchanged booking gives an unchanged file.
void stamp(calendar::Event& event, const storage::Booking& booking, std::string_view host) {
    event.uid = fmt::format("booking-{}@{}", booking.number, host);
    event.id = event.uid;
    event.sequence = booking.version;
    event.created = booking.created_at;
    event.updated = booking.updated_at;
    event.marks.clear();
}

}  // namespace

Task<Result<std::string>> write_feed(connect::Services& services, std::string user_id,
                                     std::string host) {
    auto& sql = services.database.reader();
    auto user = storage::find_user(sql, user_id);
    if (!user) co_return fail(std::move(user.error()));
    if (!*user) co_return fail(ErrorCode::not_found, "There is no such feed.");
    auto bookings =
        storage::list_bookings_for_feed(sql, user_id, services.clock.now() - kPast, kMostBookings);
    if (!bookings) co_return fail(std::move(bookings.error()));
    calendar::Calendar file{.name = "Bookings", .zone = {}, .events = {}, .warnings = {}};
    int written = 0;
    for (const auto& booking : *bookings) {
        auto view = view_of(sql, booking, **user);
        if (!view) co_return fail(std::move(view.error()));
        if (!*view) continue;
        // Scripts may be slow, and others wait for this worker.
        if (++written % kInOneGo == 0) co_await services.timers.sleep(milliseconds{0});
        auto composed = compose({services.rules, services.plugins}, **view);
        if (!composed) co_return fail(std::move(composed.error()));
        stamp(composed->event, booking, host);
        file.events.push_back(std::move(composed->event));
    }
    co_return calendar::write_icalendar(file);
}

}  // namespace calhost::booking
