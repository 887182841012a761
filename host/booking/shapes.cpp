#include "booking/shapes.h"

#include "base/json.h"
#include "calendar/zone.h"

namespace calhost::booking {
namespace {

constexpr std::string_view kUtc = "Etc/UTC";

/// The one whom both see: the other's name, and nothing that only he told the host.
boost::json::object public_shape(const storage::BookingPerson& person) {
    return {{"role", person.role},
            {"user_id", person.user_id ? json::value(*person.user_id) : json::value(nullptr)},
            {"name", person.name},
            {"language", person.language}};
}

std::string local_text(Timestamp when, const std::string& zone) {
    const auto local = calendar::to_local(when, zone);
    return local ? calendar::format_local(*local) : format_rfc3339(when);
}

}  // namespace

std::string reading_zone(const storage::Booking& booking, const storage::User* user) {
    if (user != nullptr && !user->time_zone.empty() && user->time_zone != kUtc)
        return user->time_zone;
    return booking.time_zone.empty() ? std::string(kUtc) : booking.time_zone;
}

boost::json::object person_shape(const storage::Booking& booking,
                                 const storage::BookingPerson& person, const storage::User* user) {
    auto shape = public_shape(person);
    const auto zone = reading_zone(booking, user);
    if (user != nullptr) {
        shape["email"] = user->email;
        if (person.name.empty()) shape["name"] = user->name;
    }
    shape["time_zone"] = zone;
    shape["start"] = local_text(booking.starts_at, zone);
    shape["finish"] = local_text(booking.ends_at, zone);
    return shape;
}

boost::json::object booking_shape(const storage::Booking& booking) {
    const auto data = json::parse(booking.data);
    boost::json::object shape{{"id", booking.id},
                              {"version", booking.version},
                              {"title", booking.title},
                              {"status", booking.status},
                              {"start_time", format_rfc3339(booking.starts_at)},
                              {"end_time", format_rfc3339(booking.ends_at)},
                              {"time_zone", booking.time_zone},
                              {"location", booking.location},
                              {"price", booking.price},
                              {"data", data ? *data : json::value(json::object())}};
    for (const auto& person : booking.people) shape[person.role] = public_shape(person);
    return shape;
}

boost::json::object calendar_shape(const storage::Connection& connection) {
    return {{"id", connection.calendar_id},    {"connection_id", connection.id},
            {"provider", connection.provider}, {"account", connection.account},
            {"email", connection.email},       {"takes_bookings", connection.takes_bookings}};
}

}  // namespace calhost::booking
