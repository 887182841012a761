/// Events between two days with the slots that they leave: POST /api/calendar/events and its test
/// twin.
#pragma once

#include "api/context.h"

namespace calhost::api {

/// `{email, start_date, end_date, include_free_slots?, include_blocked_slots?, slot_minutes?,
/// time_zone?}`. 403 when the address is not the caller's own.
Task<net::Response> events_of_days(Context& context, net::Request& request,
                                   accounts::Principal principal);

struct DayQuestion {
    std::string email, start_date, end_date, time_zone;
    bool wants_free = true, wants_blocked = true;
    std::int64_t slot_minutes = 0;  ///< 0: gaps as they are
};
/// The answer to a question whose caller is known; from what the last sync saw.
net::Response answer_days(Context& context, const net::Request& request, const storage::User& user,
                          const DayQuestion& question);

/// The caller's own address, as it stands (http-api section 2). Nothing, when it is another's.
std::optional<storage::User> own_user(Context& context, const accounts::Principal& principal,
                                      std::string_view email);

}  // namespace calhost::api
