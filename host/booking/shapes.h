/// Bookings as scripts see them: rules, templates and hooks get the same tables.
#pragma once

#include <boost/json/object.hpp>

#include "storage/bookings.h"
#include "storage/connections.h"
#include "storage/users.h"

namespace calhost::booking {

/// The zone in which a person reads times: his own, else the booking's, else UTC.
std::string reading_zone(const storage::Booking& booking, const storage::User* user);

/// `{role, user_id, name, email, language, time_zone, start, finish}`; `start` and `finish` are
/// local times in the person's zone, "2026-11-20T09:00:00". `user` is null for one who is not
/// known yet.
boost::json::object person_shape(const storage::Booking& booking,
                                 const storage::BookingPerson& person, const storage::User* user);

/// `{id, version, title, status, start_time, end_time, time_zone, location, price, data, client,
/// tutor}`, both people without what only they know of themselves.
boost::json::object booking_shape(const storage::Booking& booking);

/// `{id, connection_id, provider, account, email, takes_bookings}`.
boost::json::object calendar_shape(const storage::Connection& connection);

}  // namespace calhost::booking
