/// Keeps each connection's access token fresh: one refresh in flight, the new token committed
/// before it is used, the grant's end noticed once.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/signal.h"
#include "connect/account_data.h"
#include "connect/services.h"
#include "plugin/access.h"
#include "storage/connections.h"

namespace calhost::connect {

/// What people read in `last_error` (http-api, section 9).
inline constexpr std::string_view kTokenExpired = "Token expired. Please reconnect your calendar.";
inline constexpr std::string_view kPasswordRefused =
    "The server refuses the password. Please connect the calendar again with a new one.";
inline constexpr std::string_view kTokenUnreadable =
    "The stored sign-in cannot be read. Please reconnect your calendar.";

/// *Thread*: the connection's home worker, so that one thing happens at a time without locks.
class TokenKeeper {
  public:
    explicit TokenKeeper(Services& services) : services_(&services) {}

    /// A token good for at least a moment: refreshed five minutes before its end, or at once when
    /// `was_refused`. A refresh that fails while the old token still lives gives the old one. An
    /// account with a password has no other: once refused, only the person can mend it. The token
    /// is that account's (the provider's id of it), never its successor's under the same label.
    /// *Errors*: needs_reauth (the state says so now, too), unavailable, timeout, rate_limited,
    /// misconfigured, not_found (disconnected meanwhile), conflict (another account meanwhile).
    Task<Result<Secret>> token(std::string connection_id, std::string user_id, std::string account,
                               bool was_refused);

    /// The row with a token that is good now; all it says belongs together. *Errors*: those above.
    Task<Result<storage::Connection>> fresh_row(std::string connection_id, std::string user_id);

    /// The provider asked for quiet until then; survives a restart.
    [[nodiscard]] std::optional<Timestamp> blocked_until(const std::string& connection_id);
    Task<> block_until(std::string connection_id, std::string user_id, Timestamp when);

    /// Forgets what is remembered of a connection whose row changed.
    void forget(const std::string& connection_id);
    /// For the simulation's invariant: at most one a connection.
    [[nodiscard]] bool is_refreshing(const std::string& connection_id) const {
        return refreshes_.is_running(connection_id);
    }

  private:
    struct Held {
        Secret token;
        std::string account;
        std::optional<Timestamp> expires_at;
        std::int64_t generation = 0;
    };
    using Row = storage::Connection;

    [[nodiscard]] bool is_fresh(const std::optional<Timestamp>& expires_at) const;
    Task<Result<Held>> read(const Row& row);
    Task<Result<Held>> renew(const Row& row, bool was_refused);
    Task<Result<Held>> refresh(std::string connection_id, std::string user_id,
                               std::int64_t generation);
    Task<Result<Held>> store(const Row& row, struct Grant grant);
    Task<Result<Held>> newer(const Row& row);
    Task<std::unexpected<Error>> refused(const Row& row, Error error);
    Task<std::unexpected<Error>> unreadable(const Row& row, Error error);
    Task<> tell(const Row& row, std::string last_error);
    Task<> set_state(const Row& row, std::string state, std::string last_error);

    Services* services_;
    SingleFlight<Held> refreshes_;
    std::map<std::string, Held> held_;
    std::map<std::string, std::optional<Timestamp>> blocked_;  ///< as in the rows
};

/// Access of one stored connection as its row was: what belongs to that account is never asked of
/// another that took its place. For provider calls. *Thread*: its home worker.
class ConnectionAccess final : public plugin::Access {
  public:
    ConnectionAccess(TokenKeeper& keeper, const storage::Connection& row)
        : keeper_(&keeper),
          connection_id_(row.id),
          user_id_(row.user_id),
          account_id_(row.external_id) {
        if (!row.account_data.empty()) account_ = read_account(row.account_data);
    }
    Task<Result<Secret>> token(bool was_refused) override {
        return keeper_->token(connection_id_, user_id_, account_id_, was_refused);
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override {
        return keeper_->blocked_until(connection_id_);
    }
    Task<> block_until(Timestamp when) override {
        return keeper_->block_until(connection_id_, user_id_, when);
    }
    [[nodiscard]] const plugin::Account* account() const override {
        return account_ ? &*account_ : nullptr;
    }
    [[nodiscard]] const std::string& connection_id() const override { return connection_id_; }

  private:
    TokenKeeper* keeper_;
    std::string connection_id_;
    std::string user_id_;
    std::string account_id_;
    std::optional<plugin::Account> account_;
};

}  // namespace calhost::connect
