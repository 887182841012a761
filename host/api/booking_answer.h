/// What a sender of bookings is told.
#pragma once

#include "api/context.h"
#include "storage/bookings.h"

namespace calhost::api {

/// 202 with the states of its calendars; 200 with what is stored when that is newer; 409 for a
/// version that is stored with other content.
net::Response booking_accepted(Context& context, const storage::StoredBooking& stored,
                               const std::vector<std::string>& warnings,
                               const accounts::Principal& principal, const net::Request& request);

/// What the store refuses in a booking is a field's fault.
net::Response booking_refused(const Error& error, const net::Request& request);

}  // namespace calhost::api
