#include "booking/plan.h"

#include "booking/decision.h"
#include "calendar/event_record.h"

namespace calhost::booking {
namespace {

using storage::BookingEvent;
using storage::Connection;

Result<std::string> change_of(const BookingEvent& row, const Connection& connection,
                              const calendar::Event& wanted) {
    if (row.state == "given_up") return "none";
    if (!may_be_there(row)) return "create";
    if (row.state != "written") return "update";
    calendar::Event base;
    if (auto read = calendar::read_record(base, row.written); !read) return fail(read.error());
    const bool is_same = calendar::content_hash(base) == calendar::content_hash(wanted) &&
                         row.calendar_id == connection.calendar_id;
    return is_same ? "none" : "update";
}

Result<PlannedEvent> plan_one(Scripts scripts, const View& view, const Connection& connection,
                              const BookingEvent& row, Timestamp now) {
    auto planned = PlannedEvent{view.booking.id,
                                view.person.role,
                                connection.user_id,
                                connection.provider,
                                connection.account,
                                "none",
                                {},
                                {}};
    auto is_wanted = belongs(scripts, view, connection, row, now);
    planned.failures = std::move(is_wanted.failures);
    if (!is_wanted.answer) {
        if (may_be_there(row)) planned.change = "remove";
        return planned;
    }
    auto composed = compose(scripts, view);
    if (!composed) return fail(std::move(composed.error()));
    std::ranges::move(composed->failures, std::back_inserter(planned.failures));
    auto change = change_of(row, connection, composed->event);
    if (!change) return fail(std::move(change.error()));
    planned.change = std::move(*change);
    if (planned.change != "none" && connection.state != "active") planned.change = "wait";
    planned.event = std::move(composed->event);
    return planned;
}

Result<void> plan_person(storage::Sql& sql, Scripts scripts, const storage::Booking& booking,
                         const std::string& user_id, Timestamp now,
                         std::vector<PlannedEvent>& into) {
    auto user = storage::find_user(sql, user_id);
    if (!user) return fail(std::move(user.error()));
    auto connections = storage::list_connections(sql, user_id);
    if (!connections) return fail(std::move(connections.error()));
    if (!*user) return {};
    auto view = view_of(sql, booking, **user);
    if (!view) return fail(std::move(view.error()));
    for (const auto& connection : *connections) {
        auto row = storage::find_booking_event(sql, booking.number, connection.id, user_id);
        if (!row) return fail(std::move(row.error()));
        if (connection.purpose != "full" && !*row) continue;
        auto planned = plan_one(scripts, **view, connection, row->value_or(BookingEvent{}), now);
        if (!planned) return fail(std::move(planned.error()));
        const bool says_nothing = planned->change == "none" && !*row && planned->failures.empty();
        if (!says_nothing) into.push_back(std::move(*planned));
    }
    return {};
}

}  // namespace

Result<std::vector<PlannedEvent>> plan(storage::Sql& sql, Scripts scripts, Timestamp now,
                                       int limit) {
    auto bookings = storage::list_bookings_from(sql, now, limit);
    if (!bookings) return fail(std::move(bookings.error()));
    std::vector<PlannedEvent> all;
    for (const auto& booking : *bookings)
        for (const auto& person : booking.people) {
            if (!person.user_id) continue;
            auto done = plan_person(sql, scripts, booking, *person.user_id, now, all);
            if (!done) return fail(std::move(done.error()));
        }
    return all;
}

}  // namespace calhost::booking
