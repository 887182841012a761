#include "booking/decision.h"

#include <algorithm>

namespace calhost::booking {
namespace {

const storage::BookingPerson* find_person(const storage::Booking& booking, auto matches) {
    const auto found = std::ranges::find_if(booking.people, matches);
    return found == booking.people.end() ? nullptr : &*found;
}

/// What the application did not name the other one, he may have named himself.
Result<void> name(storage::Sql& sql, storage::BookingPerson& person) {
    if (!person.name.empty() || !person.user_id) return {};
    auto user = storage::find_user(sql, *person.user_id);
    if (!user) return fail(std::move(user.error()));
    if (*user) person.name = (*user)->name;
    return {};
}

}  // namespace

bool may_be_there(const storage::BookingEvent& row) {
    return row.state == "writing" || row.state == "written" || row.state == "missing" ||
           row.state == "failed";
}

Result<std::optional<View>> view_of(storage::Sql& sql, const storage::Booking& booking,
                                    const storage::User& user) {
    const auto* person =
        find_person(booking, [&](const auto& one) { return one.user_id == user.id; });
    if (person == nullptr) return std::optional<View>();
    View view{booking, *person, {}, user};
    const auto* other =
        find_person(booking, [&](const auto& one) { return one.role != person->role; });
    if (other != nullptr) view.other = *other;
    if (auto named = name(sql, view.other); !named) return fail(std::move(named.error()));
    return view;
}

plugin::Ruled<bool> belongs(Scripts scripts, const View& view,
                            const storage::Connection& connection, const storage::BookingEvent& row,
                            Timestamp now) {
    const auto& booking = view.booking;
    const bool is_known = may_be_there(row);
    const bool is_on = booking.status == "confirmed" || (booking.status == "completed" && is_known);
    if (!is_on || (!is_known && booking.ends_at <= now)) return {false, {}};
    return goes_to(scripts, view, connection);
}

}  // namespace calhost::booking
