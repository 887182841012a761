#include "booking/states.h"

#include <algorithm>

#include "booking/jobs.h"
#include "storage/booking_events.h"

namespace calhost::booking {
namespace {

using storage::Booking;
using storage::BookingEvent;
using storage::Connection;

/// What the row alone says.
std::string word_of(const BookingEvent& row, const Booking& booking) {
    if (row.state == "given_up") return "deleted_by_person";
    if (row.version != booking.version || row.state == "writing" || row.state == "missing")
        return "pending";
    if (row.state == "written") return "synced";
    return row.state;
}

/// A booking that no calendar has: is it on its way to this one?
bool is_expected(const Booking& booking, const Connection& connection, Timestamp now) {
    return connection.takes_bookings && booking.status == "confirmed" && booking.ends_at > now;
}

/// What is on its way stays there while the connection rests, or for good when its job is dead.
Result<void> explain_pending(storage::Sql& sql, PersonState& state, const Connection& connection,
                             std::int64_t booking) {
    if (connection.state != "active") state.state = "paused";
    const auto job =
        storage::find_job(sql, connection.user_id, kBookingJob, target_of(connection.id, booking));
    if (!job) return fail(job.error());
    if (*job && (*job)->status == "dead") {
        state.state = "failed";
        state.error = (*job)->last_error;
    }
    return {};
}

const BookingEvent* find_row(const std::vector<BookingEvent>& rows, const Connection& connection) {
    const auto found = std::ranges::find(rows, connection.id, &BookingEvent::connection_id);
    return found == rows.end() ? nullptr : &*found;
}

Result<std::vector<PersonState>> states_of(storage::Sql& sql, const Booking& booking,
                                           const storage::BookingPerson& person,
                                           const std::vector<BookingEvent>& rows, Timestamp now) {
    if (!person.user_id)
        return std::vector{PersonState{person.role, {}, {}, {}, "waiting", {}, {}}};
    const auto connections = storage::list_connections(sql, *person.user_id);
    if (!connections) return fail(connections.error());
    std::vector<PersonState> states;
    for (const auto& connection : *connections) {
        const auto* row = find_row(rows, connection);
        if (row == nullptr && !is_expected(booking, connection, now)) continue;
        PersonState state{
            person.role, person.user_id, connection.provider, connection.account, "pending", {},
            {}};
        if (row != nullptr) {
            state.state = word_of(*row, booking);
            state.external_id = row->external_id;
            state.error = row->error;
        }
        if (state.state == "pending")
            if (auto done = explain_pending(sql, state, connection, booking.number); !done)
                return fail(done.error());
        states.push_back(std::move(state));
    }
    if (states.empty() && std::ranges::none_of(*connections, &Connection::takes_bookings))
        states.push_back({person.role, person.user_id, {}, {}, "not_connected", {}, {}});
    return states;
}

}  // namespace

Result<std::vector<PersonState>> list_states(storage::Sql& sql, const Booking& booking,
                                             Timestamp now) {
    const auto rows = storage::list_booking_events(sql, booking.number);
    if (!rows) return fail(rows.error());
    std::vector<PersonState> all;
    for (const auto& person : booking.people) {
        auto states = states_of(sql, booking, person, *rows, now);
        if (!states) return states;
        std::ranges::move(*states, std::back_inserter(all));
    }
    return all;
}

}  // namespace calhost::booking
