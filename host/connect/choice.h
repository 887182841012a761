/// What a person chooses for a connection: which calendar takes bookings, which ones count as busy,
/// whether it is synced at all.
#pragma once

#include "connect/field_form.h"
#include "connect/token_keeper.h"
#include "storage/events.h"

namespace calhost::connect {

/// Why nothing was changed: fields that are wrong, or an error of the provider or of the store.
struct ChoiceFailure {
    std::vector<FieldProblem> fields;
    Error error;
};

/// Whose events count as busy.
std::vector<std::string> busy_calendars_of(const storage::Connection& connection);

/// Which calendar takes bookings until the person chooses another: the primary one, else the first
/// that can be written to. Of one or more.
const storage::CalendarRow& best_of(const std::vector<storage::CalendarRow>& calendars);

/// A connection by OAuth begins with the calendar "primary", a name that only some services know.
/// Stores the one that is meant in its place. False: nothing was to be named, as it was synced
/// under that name, or is called so. *Errors*: those of the provider and of the store.
/// *Thread*: the connection's home worker.
Task<Result<bool>> name_calendar(Services& services, TokenKeeper& keeper,
                                 storage::Connection connection);

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
