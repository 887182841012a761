#include "api/booking_answer.h"

#include "api/booking_shapes.h"
#include "api/problem.h"
#include "base/json.h"

namespace calhost::api {

using storage::Outcome;

net::Response booking_refused(const Error& error, const net::Request& request) {
    if (error.code == ErrorCode::not_found)
        return invalid_fields(
            {{error.message + ".user_id", "no user of this application has this id"}},
            request.request_id);
    if (error.code == ErrorCode::invalid)
        return invalid_fields({{"tutor", error.message}}, request.request_id);
    return host_problem(error, request.request_id);
}

net::Response booking_accepted(Context& context, const storage::StoredBooking& stored,
                               const std::vector<std::string>& warnings,
                               const accounts::Principal& principal, const net::Request& request) {
    if (stored.outcome == Outcome::differs)
        return problem(409, "version_differs",
                       "This version of the booking is stored with other content. Send a change "
                       "with a higher version.",
                       request.request_id);
    auto shape = booking_shape(context.services, stored.booking, principal);
    if (!shape) return host_problem(shape.error(), request.request_id);
    if (stored.outcome == Outcome::older) return net::Response::json(200, *shape);
    json::object answer{{"id", stored.booking.id},
                        {"version", stored.booking.version},
                        {"sync", std::move((*shape)["sync"])}};
    if (!warnings.empty()) answer["warnings"] = json::array(warnings.begin(), warnings.end());
    return net::Response::json(202, std::move(answer));
}

}  // namespace calhost::api
