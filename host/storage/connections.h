/// Table `connections`: a user's grant at a provider. Tokens are sealed by the caller.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

struct Connection {
    std::string id;
    std::string user_id;
    std::string provider;
    std::string account;                  ///< label: "primary", "source", …
    std::string external_id;              ///< the provider's id of the account
    std::string email;                    ///< of the account
    std::string calendar_id = "primary";  ///< which calendar takes bookings
    /// Whose events count as busy; not chosen: those of `calendar_id`.
    std::optional<std::vector<std::string>> busy_calendars;
    std::string purpose = "full";  ///< full or availability
    /// Bookings go to this one of the person's connections.
    bool takes_bookings = false;
    bool sync_enabled = true;
    std::string sync_mode = "one_way";
    std::string state = "active";  ///< active needs_reauth error paused (not sync_enabled)
    std::string scopes;            ///< granted, space separated
    std::string sealed_access_token;
    std::string sealed_refresh_token;
    std::string token_type = "Bearer";
    std::optional<Timestamp> token_expires_at;
    std::int64_t generation =
        0;  ///< grows with every new grant and every refresh: the fence of the token keeper
    std::optional<Timestamp> last_synced_at;
    std::string last_error;                  ///< a sentence for the person; empty when all is well
    std::optional<Timestamp> blocked_until;  ///< the provider asked for quiet until then
    Timestamp connected_at{};                ///< when the grant was stored
    Timestamp updated_at{};
    /// JSON of the account at an address that a person entered (connect/account_data.h); else
    /// empty.
    std::string account_data;
};

/// Inserts, or replaces the grant of the same (user, provider, account) keeping its id, calendars,
/// cursors and events if the account is the same one (external_id), else dropping those.
/// The same account also keeps calendar_id, busy_calendars, sync_enabled (and with it the state
/// paused), sync_mode and last_synced_at.
/// `generation` becomes one more than the stored one. A person's first connection that can be
/// written to takes the bookings, and keeps that while the grant suffices. Gives the row as stored.
/// This and whatever else changes the state pauses or resumes the connection's jobs
/// (storage/jobs.h).
Result<Connection> store_grant(Sql& sql, const Connection& connection);

Result<std::vector<Connection>> list_connections(Sql& sql, std::string_view user_id);
Result<std::optional<Connection>> find_connection(Sql& sql, std::string_view user_id,
                                                  std::string_view id);
Result<std::optional<Connection>> find_connection(Sql& sql, std::string_view user_id,
                                                  std::string_view provider,
                                                  std::string_view account);
/// Of one of the users whom the application reaches.
Result<std::optional<Connection>> find_connection_of_application(Sql& sql,
                                                                 std::string_view application_id,
                                                                 std::string_view id);
/// For jobs, which know the row and not the person. Everything else asks with the user.
Result<std::optional<Connection>> find_connection_for_job(Sql& sql, std::string_view id);

struct Tokens {
    std::string sealed_access_token;
    std::string sealed_refresh_token;  ///< empty: keep the stored one
    std::optional<Timestamp> expires_at;
};
/// Stores refreshed tokens if the row still has `generation`, which grows by one; state becomes
/// active (or stays paused) and last_error empty. False: someone else was faster, nothing was
/// changed.
Result<bool> store_tokens(Sql& sql, std::string_view id, std::string_view user_id,
                          std::int64_t generation, const Tokens& tokens, Timestamp now);
/// Sets the state if the row still has `generation`. False: it changed meanwhile.
Result<bool> set_connection_state(Sql& sql, std::string_view id, std::string_view user_id,
                                  std::int64_t generation, std::string_view state,
                                  std::string_view last_error, Timestamp now);
/// Clears last_error too.
Result<void> set_last_synced(Sql& sql, std::string_view id, std::string_view user_id,
                             Timestamp when);
Result<void> set_last_error(Sql& sql, std::string_view id, std::string_view user_id,
                            std::string_view last_error, Timestamp now);
/// The provider's Retry-After, so that a restart does not forget it. A later moment stays.
Result<void> set_blocked_until(Sql& sql, std::string_view id, std::string_view user_id,
                               Timestamp when);
/// What a person chose; an empty member stays as it is.
struct ConnectionChoice {
    std::optional<bool> sync_enabled;
    std::optional<std::string> calendar_id;
    std::optional<std::vector<std::string>> busy_calendars;
    std::optional<bool> takes_bookings;  ///< true: the person's other ones no longer do
};
/// Another `calendar_id` also drops what was read from the old one, and `last_synced_at`. Gives the
/// row as it is then, or nothing when it is not the user's.
Result<std::optional<Connection>> choose(Sql& sql, std::string_view id, std::string_view user_id,
                                         const ConnectionChoice& choice, Timestamp now);
/// Calendars, cursors, events, sync runs and the jobs whose target or connection it is go with the
/// row (running ones finish): enqueue what must follow, such as the revocation, afterwards.
Result<bool> delete_connection(Sql& sql, std::string_view user_id, std::string_view id);

/// How many connections, of anybody, are to this account at the provider.
Result<std::int64_t> count_connections_to(Sql& sql, std::string_view provider,
                                          std::string_view external_id);

/// Active connections (not paused ones) for which no sync job waits or runs.
Result<std::vector<Connection>> list_unplanned_connections(Sql& sql);

}  // namespace calhost::storage
