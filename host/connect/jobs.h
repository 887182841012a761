/// The kinds of jobs that connections have, and the one that every change of a connection ends in.
#pragma once

#include "connect/services.h"
#include "storage/connections.h"
#include "storage/jobs.h"

namespace calhost::connect {

/// What a job of this kind does is registered by the composition root.
inline constexpr std::string_view kSyncJob = "sync";
inline constexpr std::string_view kRevokeJob = "revoke";
inline constexpr std::string_view kPendingGrantJob = "pending_grant";
/// A person's bookings are to be looked at again (booking/jobs.h); the target is the user.
inline constexpr std::string_view kBookingsJob = "bookings";

/// A sync of the connection, due now. `trigger` is a word for the sync log.
storage::Job sync_job(Services& services, const storage::Connection& connection,
                      std::string_view trigger);

/// In the transaction of whatever gives a person's bookings another place: a new connection,
/// another calendar, a verified address.
Result<void> enqueue_bookings(storage::Sql& sql, std::string_view user_id, Timestamp now);

}  // namespace calhost::connect
