#include "simulation/invariants/bookings_in_calendars.h"

#include <fmt/format.h>

#include "simulation/provider_reader.h"

namespace calhost::simulation {

std::vector<storage::Booking> BookingsInCalendars::promised_bookings() {
    std::vector<storage::Booking> stored;
    for (const auto& lesson : scene_->people.lessons) {
        const auto booking = test::must(storage::find_booking(host().sql(), "shop", lesson.id));
        const auto version = booking ? booking->version : 0;
        if (version < lesson.promised)
            violated(fmt::format("bookings in calendars: {} has version {}, and {} was promised",
                                 lesson.id, version, lesson.promised));
        if (booking) stored.push_back(*booking);
    }
    return stored;
}

void BookingsInCalendars::restarted() { promised_bookings(); }

void BookingsInCalendars::compare(const storage::Connection& connection, const json::array& items,
                                  const storage::Booking& booking) {
    const bool is_on = booking.status == "confirmed" && connection.takes_bookings;
    std::string found;
    for (const auto& item : items) {
        const auto title = json::text_of(item, "summary");
        if (!title.starts_with(booking.id + " ")) continue;
        found += fmt::format(
            "{} {}; ", title.substr(0, title.find(" with ")),
            format_rfc3339(*parse_rfc3339(json::text_of(*json::find(item, "start"), "dateTime"))));
    }
    const auto expected =
        is_on ? fmt::format("{} {}; ", booking.title, format_rfc3339(booking.starts_at)) : "";
    if (found != expected)
        violated(fmt::format("bookings in calendars: {} has [{}] instead of [{}]", connection.email,
                             found, expected));
}

void BookingsInCalendars::at_rest() {
    const auto bookings = promised_bookings();
    const auto now = host().time.now();
    for (const auto& row : stored_connections(host())) {
        const auto connection =
            test::must(storage::find_connection(host().sql(), row.user_id, row.id));
        const auto items =
            read_provider_events(host(), connection->email, {now, now + std::chrono::days{80}});
        for (const auto& booking : bookings) compare(*connection, items, booking);
    }
}

}  // namespace calhost::simulation
