/// What a person chooses for a connection: which calendar takes bookings, which ones count as busy,
/// whether it is synced at all.
#pragma once

#include "connect/field_form.h"
#include "connect/token_keeper.h"

namespace calhost::connect {

/// Why nothing was changed: fields that are wrong, or an error of the provider or of the store.
struct ChoiceFailure {
    std::vector<FieldProblem> fields;
    Error error;
};

/// Whose events count as busy.
std::vector<std::string> busy_calendars_of(const storage::Connection& connection);

/// Checks the calendars against the stored list, which is read anew when one of them is not there,
/// and stores; another calendar, or syncing that goes on again, enqueues a sync in the same
/// transaction. *Errors*: not_found, for a connection that is not the user's.
/// *Thread*: the connection's home worker.
Task<std::expected<storage::Connection, ChoiceFailure>> choose(Services& services,
                                                               TokenKeeper& keeper,
                                                               std::string user_id,
                                                               std::string connection_id,
                                                               storage::ConnectionChoice choice);

}  // namespace calhost::connect
