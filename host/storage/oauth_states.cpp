#include "storage/oauth_states.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define STATE_COLUMNS                                                            \
    "hash, user_id, provider, account, purpose, redirect_uri, return_to, flow, " \
    "browser_hash, sealed_verifier, created_at, expires_at, used_at"
#define LINK_COLUMNS "hash, user_id, provider, account, purpose, return_to, expires_at"
#define GRANT_COLUMNS "hash, user_id, provider, account, sealed_grant, expires_at"

OauthState read_state(const Row& row) {
    return {.hash = row.string(0),
            .user_id = row.string(1),
            .provider = row.string(2),
            .account = row.string(3),
            .purpose = row.string(4),
            .redirect_uri = row.string(5),
            .return_to = row.string(6),
            .flow = row.string(7),
            .browser_hash = row.string(8),
            .sealed_verifier = row.string(9),
            .created_at = row.time(10),
            .expires_at = row.time(11),
            .used_at = row.maybe_time(12)};
}

ConnectLink read_link(const Row& row) {
    return {.hash = row.string(0),
            .user_id = row.string(1),
            .provider = row.string(2),
            .account = row.string(3),
            .purpose = row.string(4),
            .return_to = row.string(5),
            .expires_at = row.time(6)};
}

PendingGrant read_grant(const Row& row) {
    return {.hash = row.string(0),
            .user_id = row.string(1),
            .provider = row.string(2),
            .account = row.string(3),
            .sealed_grant = row.string(4),
            .expires_at = row.time(5)};
}

}  // namespace

Result<void> insert_oauth_state(Sql& sql, const OauthState& state) {
    return to_void(
        sql.execute("INSERT INTO oauth_states (" STATE_COLUMNS ") "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                    {state.hash, state.user_id, state.provider, state.account, state.purpose,
                     state.redirect_uri, state.return_to, state.flow, state.browser_hash,
                     state.sealed_verifier, state.created_at, state.expires_at, state.used_at}));
}

Result<std::optional<OauthState>> find_oauth_state(Sql& sql, std::string_view hash) {
    return sql.first("SELECT " STATE_COLUMNS " FROM oauth_states WHERE hash = $1", {hash},
                     read_state);
}

Result<bool> use_oauth_state(Sql& sql, std::string_view hash, Timestamp now) {
    return is_changed(
        sql.execute("UPDATE oauth_states SET used_at = $2 "
                    "WHERE hash = $1 AND used_at IS NULL AND expires_at > $2",
                    {hash, now}));
}

Result<void> release_oauth_state(Sql& sql, std::string_view hash) {
    return to_void(sql.execute("UPDATE oauth_states SET used_at = NULL WHERE hash = $1", {hash}));
}

Result<std::int64_t> delete_expired_states(Sql& sql, Timestamp now) {
    auto states = sql.execute("DELETE FROM oauth_states WHERE expires_at <= $1", {now});
    if (!states) return states;
    auto links = sql.execute("DELETE FROM connect_links WHERE expires_at <= $1", {now});
    if (!links) return links;
    return *states + *links;
}

Result<void> insert_connect_link(Sql& sql, const ConnectLink& link) {
    return to_void(sql.execute("INSERT INTO connect_links (" LINK_COLUMNS ") "
                               "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                               {link.hash, link.user_id, link.provider, link.account, link.purpose,
                                link.return_to, link.expires_at}));
}

Result<std::optional<ConnectLink>> take_connect_link(Sql& sql, std::string_view hash,
                                                     Timestamp now) {
    return sql.first(
        "DELETE FROM connect_links WHERE hash = $1 AND expires_at > $2 "
        "RETURNING " LINK_COLUMNS,
        {hash, now}, read_link);
}

Result<void> insert_pending_grant(Sql& sql, const PendingGrant& grant) {
    return to_void(sql.execute("INSERT INTO pending_grants (" GRANT_COLUMNS
                               ") VALUES ($1, $2, $3, $4, $5, $6)",
                               {grant.hash, grant.user_id, grant.provider, grant.account,
                                grant.sealed_grant, grant.expires_at}));
}

Result<std::optional<PendingGrant>> find_pending_grant(Sql& sql, std::string_view hash) {
    return sql.first("SELECT " GRANT_COLUMNS " FROM pending_grants WHERE hash = $1", {hash},
                     read_grant);
}

Result<std::optional<PendingGrant>> take_pending_grant(Sql& sql, std::string_view hash) {
    return sql.first("DELETE FROM pending_grants WHERE hash = $1 RETURNING " GRANT_COLUMNS, {hash},
                     read_grant);
}

Result<std::vector<PendingGrant>> list_expired_grants(Sql& sql, Timestamp now, int limit) {
    return sql.all("SELECT " GRANT_COLUMNS
                   " FROM pending_grants WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
                   {now, limit}, read_grant);
}

#undef STATE_COLUMNS
#undef LINK_COLUMNS
#undef GRANT_COLUMNS

}  // namespace calhost::storage
