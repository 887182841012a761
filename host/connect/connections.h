/// A user's connections: finding them, disconnecting, reading their calendars.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/token_keeper.h"
#include "storage/events.h"

namespace calhost::connect {

/// Which connections a call means; an empty member means any.
struct Selection {
    std::string provider;
    std::string account;
    std::string id;
};

/// Those of the user that match, the oldest first.
Result<std::vector<storage::Connection>> select(Services& services, std::string_view user_id,
                                                const Selection& selection);

/// Forgets the tokens and enqueues the revocation, where there is something to revoke, in one
/// transaction. Gives how many there were.
/// `request_id` is for the audit log.
Task<Result<int>> disconnect(Services& services, std::string user_id, Selection selection,
                             std::string request_id);

/// Forgets one whose grant is another host's: nothing is revoked. False: there is none.
Task<Result<bool>> forget(Services& services, storage::Connection connection);

/// As the store has them.
std::vector<storage::CalendarRow> calendar_rows(const std::string& connection_id,
                                                std::vector<plugin::CalendarInfo> calendars);

/// The account's calendars, read now and remembered. *Thread*: the connection's home worker.
Task<Result<std::vector<storage::CalendarRow>>> read_calendars(Services& services,
                                                               TokenKeeper& keeper,
                                                               storage::Connection connection);

}  // namespace calhost::connect
