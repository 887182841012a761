/// A booking that an application sends is stored, and the calendars that it concerns are told by
/// jobs of the same transaction.
#pragma once

#include "connect/services.h"
#include "storage/bookings.h"

namespace calhost::booking {

/// Who sent it, for the audit log.
struct Sender {
    std::string actor;  ///< "application:<id>"
    std::string request_id;
};

/// *Errors*: not_found, for a user_id that the application does not reach (the message is the
/// role); invalid, when both are one person; those of the store.
Task<Result<storage::StoredBooking>> accept(connect::Services& services, storage::Booking booking,
                                            Sender sender);

/// The same for a webhook, once for each message; nothing: the message was here before.
Task<Result<std::optional<storage::StoredBooking>>> accept_message(connect::Services& services,
                                                                   storage::Booking booking,
                                                                   Sender sender,
                                                                   std::string message_id);

}  // namespace calhost::booking
