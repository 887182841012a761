#include "booking/feed.h"

#include <fmt/format.h>

#include "base/log.h"
#include "booking/decision.h"
#include "calendar/icalendar.h"

namespace calhost::booking {
namespace {

constexpr std::chrono::days kPast{31};
constexpr int kMostBookings = 2'000;

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

Result<std::string> write_feed(connect::Services& services, std::string_view user_id,
                               std::string_view host) {
    auto& sql = services.database.reader();
    auto user = storage::find_user(sql, user_id);
    if (!user) return fail(std::move(user.error()));
    if (!*user) return fail(ErrorCode::not_found, "There is no such feed.");
    auto bookings =
        storage::list_bookings_for_feed(sql, user_id, services.clock.now() - kPast, kMostBookings);
    if (!bookings) return fail(std::move(bookings.error()));
    calendar::Calendar file{.name = "Bookings", .zone = {}, .events = {}, .warnings = {}};
    for (const auto& booking : *bookings) {
        auto view = view_of(sql, booking, **user);
        if (!view) return fail(std::move(view.error()));
        if (!*view) continue;
        auto composed = compose({services.rules, services.plugins}, **view);
        if (!composed) return fail(std::move(composed.error()));
        stamp(composed->event, booking, host);
        file.events.push_back(std::move(composed->event));
    }
    return calendar::write_icalendar(file);
}

}  // namespace calhost::booking
