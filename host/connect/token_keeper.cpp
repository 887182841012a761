#include "connect/token_keeper.h"

#include "base/log.h"
#include "connect/audit.h"
#include "connect/hooks.h"
#include "connect/sealing.h"
#include "connect/token_endpoint.h"

namespace calhost::connect {
namespace {

constexpr std::chrono::minutes kEarly{5};

std::unexpected<Error> gone() {
    return fail(ErrorCode::not_found, "The calendar was disconnected meanwhile.");
}

std::unexpected<Error> replaced() {
    return fail(ErrorCode::conflict, "Another account was connected meanwhile. Please try again.");
}

/// What the person must do once the grant is gone.
std::string_view reconnect_sentence(const storage::Connection& row) {
    return row.account_data.empty() ? kTokenExpired : kPasswordRefused;
}

std::unexpected<Error> reconnect(const storage::Connection& row) {
    return fail(ErrorCode::needs_reauth, std::string(reconnect_sentence(row)));
}

}  // namespace

bool TokenKeeper::is_fresh(const std::optional<Timestamp>& expires_at) const {
    return !expires_at || *expires_at - services_->clock.now() > kEarly;
}

Task<Result<Secret>> TokenKeeper::token(std::string connection_id, std::string user_id,
                                        std::string account, bool was_refused) {
    const auto held = held_.find(connection_id);
    if (held != held_.end() && !was_refused && held->second.account == account &&
        is_fresh(held->second.expires_at))
        co_return held->second.token;
    auto row = storage::find_connection(services_->database.reader(), user_id, connection_id);
    if (!row) co_return fail(row.error());
    if (!*row) co_return gone();
    if ((*row)->external_id != account) co_return replaced();
    if ((*row)->state == "needs_reauth") co_return reconnect(**row);
    auto renewed = co_await renew(**row, was_refused);
    if (!renewed) co_return fail(std::move(renewed.error()));
    if (renewed->account != account) co_return replaced();
    co_return std::move(renewed->token);
}

Task<Result<storage::Connection>> TokenKeeper::fresh_row(std::string connection_id,
                                                         std::string user_id) {
    auto& sql = services_->database.reader();
    auto row = storage::find_connection(sql, user_id, connection_id);
    if (!row) co_return fail(row.error());
    if (!*row) co_return gone();
    const auto token = co_await this->token(connection_id, user_id, (*row)->external_id, false);
    if (!token) co_return fail(token.error());
    row = storage::find_connection(sql, user_id, connection_id);
    if (!row) co_return fail(row.error());
    if (!*row) co_return gone();
    co_return std::move(**row);
}

Task<Result<TokenKeeper::Held>> TokenKeeper::renew(const Row& row, bool was_refused) {
    const auto held = held_.find(row.id);
    const std::int64_t refused_generation = held == held_.end() ? -1 : held->second.generation;
    auto read = co_await this->read(row);
    if (!read) co_return read;
    // Someone else may have stored a newer token than the one that was refused.
    const bool is_newer = row.generation != refused_generation;
    if (is_fresh(read->expires_at) && (!was_refused || (is_newer && refused_generation >= 0)))
        co_return held_.insert_or_assign(row.id, std::move(*read)).first->second;
    auto fresh = co_await refreshes_.run(
        row.id, [this, id = row.id, user_id = row.user_id, generation = row.generation] {
            return refresh(id, user_id, generation);
        });
    const bool still_lives =
        !was_refused && read->expires_at && *read->expires_at > services_->clock.now();
    // With a Retry-After the provider wants quiet, whatever the old token could still do.
    const bool may_use_old =
        still_lives && !fresh && is_transient(fresh.error().code) && !fresh.error().retry_after;
    co_return may_use_old ? std::move(read) : std::move(fresh);
}

Task<Result<TokenKeeper::Held>> TokenKeeper::read(const Row& row) {
    auto token =
        open_token(*services_, row.sealed_access_token, kAccessColumn, row.id, row.user_id);
    if (!token) co_return co_await unreadable(row, token.error());
    co_return Held{std::move(*token), row.external_id, row.token_expires_at, row.generation};
}

Task<std::unexpected<Error>> TokenKeeper::unreadable(const Row& row, Error error) {
    log::error("sealed token does not open",
               {{"connection_id", row.id}, {"reason", error.message}});
    co_await set_state(row, "error", std::string(kTokenUnreadable));
    co_return fail(
        error.code == ErrorCode::misconfigured ? ErrorCode::misconfigured : ErrorCode::needs_reauth,
        std::string(kTokenUnreadable));
}

Task<Result<TokenKeeper::Held>> TokenKeeper::refresh(std::string connection_id, std::string user_id,
                                                     std::int64_t generation) {
    auto row = storage::find_connection(services_->database.reader(), user_id, connection_id);
    if (!row) co_return fail(row.error());
    if (!*row) co_return gone();
    // Another worker or host was faster: its token is there.
    if ((*row)->generation != generation) co_return co_await read(**row);
    const auto now = services_->clock.now();
    if (const auto until = blocked_until(connection_id); until && *until > now)
        co_return std::unexpected(
            Error{ErrorCode::rate_limited, "The provider asked to wait.", *until - now});
    const auto* provider = services_->providers.find((*row)->provider);
    if (provider == nullptr)
        co_return fail(ErrorCode::misconfigured,
                       "The provider of this connection is not installed.");
    if (provider->info().auth.is_by_fields())
        co_return co_await refused(**row, {ErrorCode::needs_reauth, "the password is refused"});
    auto refresh_token = open_token(*services_, (*row)->sealed_refresh_token, kRefreshColumn,
                                    connection_id, user_id);
    if (!refresh_token) co_return co_await unreadable(**row, refresh_token.error());
    if (refresh_token->empty())
        co_return co_await refused(**row, {ErrorCode::needs_reauth, "no refresh token"});
    auto grant = co_await refresh_grant(*services_, provider->info(), *refresh_token);
    if (!grant) co_return co_await refused(**row, grant.error());
    co_return co_await store(**row, std::move(*grant));
}

Task<Result<TokenKeeper::Held>> TokenKeeper::store(const Row& row, Grant grant) {
    co_await services_->crash_points.reach("refresh.answered");
    const storage::Tokens tokens{
        .sealed_access_token =
            seal_token(*services_, grant.access_token, kAccessColumn, row.id, row.user_id),
        .sealed_refresh_token =
            seal_token(*services_, grant.refresh_token, kRefreshColumn, row.id, row.user_id),
        .expires_at = grant.expires_at};
    const auto now = services_->clock.now();
    const auto hooks = hook_jobs(*services_, "connection.refreshed", row);
    auto stored =
        co_await services_->database.write_for<bool>([&](storage::Sql& sql) -> Result<bool> {
            auto is_ours =
                storage::store_tokens(sql, row.id, row.user_id, row.generation, tokens, now);
            if (!is_ours || !*is_ours) return is_ours;
            if (auto told = enqueue_all(sql, hooks); !told) return fail(told.error());
            return true;
        });
    if (!stored) co_return fail(stored.error());
    if (!*stored) co_return co_await newer(row);
    co_await services_->crash_points.reach("refresh.committed");
    log::info("token refreshed", {{"connection_id", row.id}, {"provider", row.provider}});
    Held held{std::move(grant.access_token), row.external_id, grant.expires_at, row.generation + 1};
    co_return held_.insert_or_assign(row.id, std::move(held)).first->second;
}

/// A new grant or a disconnect came between: the refreshed token is not the one.
Task<Result<TokenKeeper::Held>> TokenKeeper::newer(const Row& row) {
    auto current = storage::find_connection(services_->database.reader(), row.user_id, row.id);
    if (!current) co_return fail(current.error());
    if (!*current) co_return gone();
    co_return co_await read(**current);
}

Task<std::unexpected<Error>> TokenKeeper::refused(const Row& row, Error error) {
    log::warning("token refresh failed", {{"connection_id", row.id},
                                          {"provider", row.provider},
                                          {"code", to_string(error.code)},
                                          {"reason", error.message}});
    if (error.code == ErrorCode::needs_reauth) {
        co_await set_state(row, "needs_reauth", std::string(reconnect_sentence(row)));
        co_return reconnect(row);
    }
    if (error.retry_after)
        co_await block_until(row.id, row.user_id, services_->clock.now() + *error.retry_after);
    // The operator's fault: nobody is asked to reconnect.
    if (error.code == ErrorCode::misconfigured) co_await tell(row, error.message);
    co_return fail(std::move(error));
}

Task<> TokenKeeper::tell(const Row& row, std::string last_error) {
    const auto now = services_->clock.now();
    const auto done = co_await services_->database.write([&](storage::Sql& sql) {
        return storage::set_last_error(sql, row.id, row.user_id, last_error, now);
    });
    if (!done)
        log::error("last error not stored",
                   {{"connection_id", row.id}, {"reason", done.error().message}});
}

Task<> TokenKeeper::set_state(const Row& row, std::string state, std::string last_error) {
    forget(row.id);
    const auto now = services_->clock.now();
    const auto hooks =
        row.state == state
            ? std::vector<storage::Job>{}
            : hook_jobs(*services_, "connection.failed", row,
                        {{"state", state}, {"was", row.state}, {"error", last_error}});
    const auto done = co_await services_->database.write([&](storage::Sql& sql) -> Result<void> {
        auto set = storage::set_connection_state(sql, row.id, row.user_id, row.generation, state,
                                                 last_error, now);
        if (!set) return fail(set.error());
        if (!*set || row.state == state) return {};
        const auto entry = audit_entry(now, "connection.failed", row, "host", {{"state", state}});
        if (auto told = storage::write_audit(sql, entry); !told) return told;
        return enqueue_all(sql, hooks);
    });
    if (!done)
        log::error("connection state not stored",
                   {{"connection_id", row.id}, {"reason", done.error().message}});
}

std::optional<Timestamp> TokenKeeper::blocked_until(const std::string& connection_id) {
    const auto found = blocked_.find(connection_id);
    if (found != blocked_.end()) return found->second;
    // The first call since the start: only the row remembers what was said before.
    const auto row = storage::find_connection_for_job(services_->database.reader(), connection_id);
    if (!row || !*row) return std::nullopt;
    return blocked_[connection_id] = (*row)->blocked_until;
}

Task<> TokenKeeper::block_until(std::string connection_id, std::string user_id, Timestamp when) {
    blocked_[connection_id] = std::max(when, blocked_until(connection_id).value_or(when));
    const auto done = co_await services_->database.write([&](storage::Sql& sql) {
        return storage::set_blocked_until(sql, connection_id, user_id, when);
    });
    if (!done)
        log::error("waiting time not stored",
                   {{"connection_id", connection_id}, {"reason", done.error().message}});
}

void TokenKeeper::forget(const std::string& connection_id) { held_.erase(connection_id); }

}  // namespace calhost::connect
