/// `calhost plan bookings`: what the scripts, as they are on disk now, would make of every booking
/// to come. Nothing is written and no provider is asked.
#pragma once

#include <boost/json/object.hpp>

#include "app/host.h"
#include "connect/services.h"

namespace calhost::app {

/// At most `limit` bookings: `{events: [{booking, role, user_id, provider, account, change, title,
/// start, finish, description, location, reminders, failures}]}`. *Errors*: misconfigured, when a
/// script does not load; those of the store.
Task<Result<boost::json::object>> plan_bookings(const HostOptions& options,
                                                connect::Services& services, int limit);

/// Prints the answer. Gives the exit status: 1 when a script failed.
int print_plan(const boost::json::object& answer);

}  // namespace calhost::app
