#include "api/booking_shapes.h"

#include "base/json.h"
#include "booking/states.h"

namespace calhost::api {
namespace {

using accounts::Principal;

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object person_shape(const storage::BookingPerson& person, const Principal& principal) {
    const bool is_known = person.user_id.has_value();
    json::object shape{{"user_id", is_known ? json::value(*person.user_id) : json::value(nullptr)},
                       {"name", person.name}};
    if (!principal.is_application() && person.user_id != principal.user_id) return shape;
    shape["email"] = text_or_null(person.email);
    shape["language"] = text_or_null(person.language);
    if (!principal.is_application()) return shape;
    shape["issuer"] = text_or_null(person.issuer);
    shape["subject"] = text_or_null(person.subject);
    shape["state"] = is_known ? "known" : "waiting";
    return shape;
}

json::object state_shape(const booking::PersonState& state) {
    return {{"role", state.role},
            {"user_id", state.user_id ? json::value(*state.user_id) : json::value(nullptr)},
            {"provider", text_or_null(state.provider)},
            {"account", text_or_null(state.account)},
            {"state", state.state},
            {"external_event_id", text_or_null(state.external_id)},
            {"error", text_or_null(state.error)}};
}

}  // namespace

Result<json::object> booking_shape(connect::Services& services, const storage::Booking& booking,
                                   const Principal& principal) {
    auto states = booking::list_states(services.database.reader(), booking, services.clock.now());
    if (!states) return fail(states.error());
    json::array sync;
    for (const auto& state : *states)
        if (principal.is_application() || state.user_id == principal.user_id)
            sync.push_back(state_shape(state));
    auto data = json::parse(booking.data);
    json::object shape{{"id", booking.id},
                       {"version", booking.version},
                       {"title", booking.title},
                       {"status", booking.status},
                       {"start_time", format_rfc3339(booking.starts_at)},
                       {"end_time", format_rfc3339(booking.ends_at)},
                       {"time_zone", text_or_null(booking.time_zone)},
                       {"location", booking.location},
                       {"price", booking.price}};
    for (const auto& person : booking.people) shape[person.role] = person_shape(person, principal);
    if (principal.is_application()) shape["data"] = data ? std::move(*data) : json::value(nullptr);
    shape["created_at"] = format_rfc3339(booking.created_at);
    shape["updated_at"] = format_rfc3339(booking.updated_at);
    shape["sync"] = std::move(sync);
    return shape;
}

}  // namespace calhost::api
