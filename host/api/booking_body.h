/// A booking as applications send it.
#pragma once

#include "api/body.h"
#include "storage/bookings.h"

namespace calhost::api {

struct ReadBooking {
    storage::Booking booking;           ///< without application; `people` as they were named
    std::vector<std::string> warnings;  ///< sentences for the sender: what was taken how
};

/// What is wrong with it is in the body's errors then.
ReadBooking read_booking(Body& body, std::string id, std::string status);

}  // namespace calhost::api
