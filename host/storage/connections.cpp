#include "storage/connections.h"

#include "base/json.h"
#include "storage/changed.h"
#include "storage/connection_rows.h"
#include "storage/jobs.h"

namespace calhost::storage {
namespace {

#define CONNECTION_COLUMNS                                                                     \
    "id, user_id, provider, account, external_id, email, calendar_id, purpose, sync_enabled, " \
    "sync_mode, state, scopes, sealed_access_token, sealed_refresh_token, token_type, "        \
    "token_expires_at, generation, last_synced_at, last_error, connected_at, updated_at, "     \
    "account_data, busy_calendars, takes_bookings"
#define CONNECTION_ROW CONNECTION_COLUMNS ", blocked_until"

using Ids = std::optional<std::vector<std::string>>;

/// A JSON array; NULL: nothing was chosen.
Ids read_ids(std::optional<std::string> text) {
    if (!text) return std::nullopt;
    std::vector<std::string> ids;
    if (const auto list = json::parse(*text); list && list->is_array())
        for (const auto& id : list->get_array())
            if (id.is_string()) ids.emplace_back(id.get_string());
    return ids;
}

std::optional<std::string> ids_text(const Ids& ids) {
    if (!ids) return std::nullopt;
    return json::serialize(json::array(ids->begin(), ids->end()));
}

Connection read_connection(const Row& row) {
    return {.id = row.string(0),
            .user_id = row.string(1),
            .provider = row.string(2),
            .account = row.string(3),
            .external_id = row.string(4),
            .email = row.string(5),
            .calendar_id = row.string(6),
            .busy_calendars = read_ids(row.maybe_string(22)),
            .purpose = row.string(7),
            .takes_bookings = row.boolean(23),
            .sync_enabled = row.boolean(8),
            .sync_mode = row.string(9),
            .state = row.string(10),
            .scopes = row.string(11),
            .sealed_access_token = row.string(12),
            .sealed_refresh_token = row.string(13),
            .token_type = row.string(14),
            .token_expires_at = row.maybe_time(15),
            .generation = row.integer(16),
            .last_synced_at = row.maybe_time(17),
            .last_error = row.string(18),
            .blocked_until = row.maybe_time(24),
            .connected_at = row.time(19),
            .updated_at = row.time(20),
            .account_data = row.string(21)};
}

Result<bool> changed_connection(Sql& sql, Result<std::int64_t> done, std::string_view id,
                                std::string_view user_id) {
    return notify_if_changed(sql, std::move(done),
                             {"connections", std::string(id), std::string(user_id)});
}

/// The same after a change that its jobs wait for.
Result<bool> changed_state(Sql& sql, Result<std::int64_t> done, std::string_view id,
                           std::string_view user_id) {
    auto changed = changed_connection(sql, std::move(done), id, user_id);
    if (!changed || !*changed) return changed;
    if (auto followed = follow_connection(sql, id); !followed) return fail(followed.error());
    return changed;
}

}  // namespace

Result<void> insert_connection(Sql& sql, const Connection& c) {
    return to_void(sql.execute("INSERT INTO connections (" CONNECTION_COLUMNS
                               ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                               "$9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, "
                               "$22, $23, $24)",
                               {c.id,
                                c.user_id,
                                c.provider,
                                c.account,
                                c.external_id,
                                c.email,
                                c.calendar_id,
                                c.purpose,
                                c.sync_enabled,
                                c.sync_mode,
                                c.state,
                                c.scopes,
                                c.sealed_access_token,
                                c.sealed_refresh_token,
                                c.token_type,
                                c.token_expires_at,
                                c.generation,
                                c.last_synced_at,
                                c.last_error,
                                c.connected_at,
                                c.updated_at,
                                c.account_data,
                                ids_text(c.busy_calendars),
                                c.takes_bookings}));
}

Result<void> update_connection(Sql& sql, const Connection& c) {
    return to_void(sql.execute(
        "UPDATE connections SET external_id = $3, email = $4, calendar_id = $5, purpose = $6, "
        "sync_enabled = $7, sync_mode = $8, state = $9, scopes = $10, sealed_access_token = $11, "
        "sealed_refresh_token = $12, token_type = $13, token_expires_at = $14, generation = $15, "
        "last_synced_at = $16, last_error = $17, connected_at = $18, updated_at = $19, "
        "account_data = $20, busy_calendars = $21, takes_bookings = $22 WHERE id = $1 AND user_id "
        "= $2",
        {c.id,
         c.user_id,
         c.external_id,
         c.email,
         c.calendar_id,
         c.purpose,
         c.sync_enabled,
         c.sync_mode,
         c.state,
         c.scopes,
         c.sealed_access_token,
         c.sealed_refresh_token,
         c.token_type,
         c.token_expires_at,
         c.generation,
         c.last_synced_at,
         c.last_error,
         c.connected_at,
         c.updated_at,
         c.account_data,
         ids_text(c.busy_calendars),
         c.takes_bookings}));
}

Result<std::vector<Connection>> list_connections(Sql& sql, std::string_view user_id) {
    return sql.all("SELECT " CONNECTION_ROW
                   " FROM connections WHERE user_id = $1 ORDER BY provider, account",
                   {user_id}, read_connection);
}

Result<std::optional<Connection>> find_connection(Sql& sql, std::string_view user_id,
                                                  std::string_view id) {
    return sql.first("SELECT " CONNECTION_ROW " FROM connections WHERE id = $1 AND user_id = $2",
                     {id, user_id}, read_connection);
}

Result<std::optional<Connection>> find_connection(Sql& sql, std::string_view user_id,
                                                  std::string_view provider,
                                                  std::string_view account) {
    return sql.first("SELECT " CONNECTION_ROW
                     " FROM connections WHERE user_id = $1 AND provider = $2 AND account = $3",
                     {user_id, provider, account}, read_connection);
}

Result<std::optional<Connection>> find_connection_of_application(Sql& sql,
                                                                 std::string_view application_id,
                                                                 std::string_view id) {
    return sql.first("SELECT " CONNECTION_ROW
                     " FROM connections WHERE id = $2 AND user_id IN "
                     "(SELECT user_id FROM application_users WHERE application_id = $1)",
                     {application_id, id}, read_connection);
}

Result<std::optional<Connection>> find_connection_for_job(Sql& sql, std::string_view id) {
    return sql.first("SELECT " CONNECTION_ROW " FROM connections WHERE id = $1", {id},
                     read_connection);
}

Result<bool> store_tokens(Sql& sql, std::string_view id, std::string_view user_id,
                          std::int64_t generation, const Tokens& tokens, Timestamp now) {
    auto done = sql.execute(
        "UPDATE connections SET sealed_access_token = $4, "
        "sealed_refresh_token = CASE WHEN $5 = '' THEN sealed_refresh_token ELSE $5 END, "
        "token_expires_at = $6, generation = generation + 1, "
        "state = CASE sync_enabled WHEN 1 THEN 'active' ELSE 'paused' END, last_error = '', "
        "updated_at = $7 WHERE id = $1 AND user_id = $2 AND generation = $3",
        {id, user_id, generation, tokens.sealed_access_token, tokens.sealed_refresh_token,
         tokens.expires_at, now});
    return changed_state(sql, std::move(done), id, user_id);
}

Result<bool> set_connection_state(Sql& sql, std::string_view id, std::string_view user_id,
                                  std::int64_t generation, std::string_view state,
                                  std::string_view last_error, Timestamp now) {
    auto done = sql.execute(
        "UPDATE connections SET state = $4, last_error = $5, updated_at = $6 "
        "WHERE id = $1 AND user_id = $2 AND generation = $3",
        {id, user_id, generation, state, last_error, now});
    return changed_state(sql, std::move(done), id, user_id);
}

Result<void> set_last_synced(Sql& sql, std::string_view id, std::string_view user_id,
                             Timestamp when) {
    auto done = sql.execute(
        "UPDATE connections SET last_synced_at = $3, last_error = '', updated_at = $3 "
        "WHERE id = $1 AND user_id = $2",
        {id, user_id, when});
    return to_void(changed_connection(sql, std::move(done), id, user_id));
}

Result<void> set_last_error(Sql& sql, std::string_view id, std::string_view user_id,
                            std::string_view last_error, Timestamp now) {
    auto done = sql.execute(
        "UPDATE connections SET last_error = $3, updated_at = $4 WHERE id = $1 AND user_id = $2",
        {id, user_id, last_error, now});
    return to_void(changed_connection(sql, std::move(done), id, user_id));
}

Result<std::int64_t> count_connections_to(Sql& sql, std::string_view provider,
                                          std::string_view external_id) {
    std::int64_t count = 0;
    auto done =
        sql.query("SELECT count(*) FROM connections WHERE provider = $1 AND external_id = $2",
                  {provider, external_id}, [&](const Row& row) { count = row.integer(0); });
    if (!done) return fail(done.error());
    return count;
}

Result<std::vector<Connection>> list_unplanned_connections(Sql& sql) {
    return sql.all("SELECT " CONNECTION_ROW
                   " FROM connections c WHERE c.state = 'active' AND NOT EXISTS "
                   "(SELECT 1 FROM jobs j WHERE j.kind = 'sync' AND j.target = c.id AND "
                   "j.user_id = c.user_id AND j.status <> 'dead')",
                   {}, read_connection);
}

Result<void> set_blocked_until(Sql& sql, std::string_view id, std::string_view user_id,
                               Timestamp when) {
    return to_void(
        sql.execute("UPDATE connections SET blocked_until = $3 WHERE id = $1 AND user_id = $2 "
                    "AND (blocked_until IS NULL OR blocked_until < $3)",
                    {id, user_id, when}));
}

#undef CONNECTION_ROW
#undef CONNECTION_COLUMNS

}  // namespace calhost::storage
