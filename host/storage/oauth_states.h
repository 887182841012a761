/// Tables `oauth_states` (a begun sign-in at a provider), `connect_links` (one-time URLs) and
/// `pending_grants` (a grant that waits for the person's yes).
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

struct OauthState {
    std::string hash;  ///< SHA-256 hex of the state
    std::string user_id;
    std::string provider;
    std::string account;
    std::string purpose;
    std::string redirect_uri;
    std::string return_to;
    std::string flow;          ///< "navigation" (browser cookie must come back) or "json"
    std::string browser_hash;  ///< of the cookie's value
    std::string sealed_verifier;
    Timestamp created_at{};
    Timestamp expires_at{};
    std::optional<Timestamp> used_at;
};
Result<void> insert_oauth_state(Sql& sql, const OauthState& state);
Result<std::optional<OauthState>> find_oauth_state(Sql& sql, std::string_view hash);
/// Marks it used if it is unused and not expired. False: it was used, or is gone.
Result<bool> use_oauth_state(Sql& sql, std::string_view hash, Timestamp now);
/// Gives a used state back after a provider fault, so that the person's reload works.
Result<void> release_oauth_state(Sql& sql, std::string_view hash);
Result<std::int64_t> delete_expired_states(Sql& sql, Timestamp now);

struct ConnectLink {
    std::string hash;
    std::string user_id, provider, account, purpose, return_to;
    Timestamp expires_at{};
};
Result<void> insert_connect_link(Sql& sql, const ConnectLink& link);
/// Takes the link out: it works once. Nothing if it is unknown or expired.
Result<std::optional<ConnectLink>> take_connect_link(Sql& sql, std::string_view hash,
                                                     Timestamp now);

/// Everything that `connections` needs, sealed, until the person says yes.
struct PendingGrant {
    std::string hash;  ///< of the confirmation token
    std::string user_id, provider, account;
    std::string sealed_grant;  ///< JSON: tokens, scopes, identity, return_to
    Timestamp expires_at{};
};
Result<void> insert_pending_grant(Sql& sql, const PendingGrant& grant);
Result<std::optional<PendingGrant>> find_pending_grant(Sql& sql, std::string_view hash);
/// Takes it out: one answer counts. Nothing if someone was faster.
Result<std::optional<PendingGrant>> take_pending_grant(Sql& sql, std::string_view hash);
Result<std::vector<PendingGrant>> list_expired_grants(Sql& sql, Timestamp now, int limit);

}  // namespace calhost::storage
