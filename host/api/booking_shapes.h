/// How a booking looks outside.
#pragma once

#include <boost/json/object.hpp>

#include "accounts/accounts.h"
#include "connect/services.h"
#include "storage/bookings.h"

namespace calhost::api {

/// The whole booking with `sync`. The application sees all of it; a person sees how the other one
/// is called, and only his own calendars. *Errors*: those of the store.
Result<boost::json::object> booking_shape(connect::Services& services,
                                          const storage::Booking& booking,
                                          const accounts::Principal& principal);

}  // namespace calhost::api
