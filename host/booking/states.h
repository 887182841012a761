/// How far a booking has come in the calendars of its people.
#pragma once

#include "storage/bookings.h"

namespace calhost::booking {

/// One calendar, or a person without one.
struct PersonState {
    std::string role;
    std::optional<std::string> user_id;
    std::string provider, account;  ///< empty: no calendar is meant
    /// waiting (who it is, nobody knows yet), not_connected, pending, paused (until the person
    /// connects again or goes on), synced, removed, deleted_by_person, failed.
    std::string state;
    std::string external_id;  ///< the provider's name of the event; empty: none is known
    std::string error;        ///< of failed: a sentence
};

/// In the order client, tutor. *Errors*: those of the store.
Result<std::vector<PersonState>> list_states(storage::Sql& sql, const storage::Booking& booking,
                                             Timestamp now);

}  // namespace calhost::booking
