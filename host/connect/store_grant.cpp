// The second half of the flow: a grant that passed every check becomes a connection, or waits for
// the person's yes.
#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "connect/audit.h"
#include "connect/hooks.h"
#include "connect/oauth_flow.h"
#include "connect/received.h"
#include "connect/revocation.h"
#include "connect/sealing.h"
#include "crypto/crypto.h"
#include "storage/jobs.h"

namespace calhost::connect {
namespace {

constexpr std::chrono::minutes kAnswerTime{10};

crypto::Place pending_place(std::string_view hash, std::string_view user_id) {
    return {"pending_grants", "sealed_grant", hash, user_id};
}

/// Without a user: it must revoke what was granted even when the user is deleted meanwhile.
storage::Job pending_job(Services& services, const storage::PendingGrant& pending) {
    return {.id = new_id(services.random),
            .kind = std::string(kPendingGrantJob),
            .target = pending.hash,
            .user_id = {},
            .payload = "{}",
            .run_at = pending.expires_at,
            .created_at = services.clock.now()};
}

/// The connection that the grant becomes. Its id is the stored one of the same account label, so
/// that sealed values can be bound to their row before it is written.
storage::Connection to_connection(Services& services, const OauthFlow::Received& received,
                                  std::string id) {
    const auto now = services.clock.now();
    storage::Connection connection;
    connection.id = std::move(id);
    connection.user_id = received.user_id;
    connection.provider = received.provider;
    connection.account = received.account;
    connection.purpose = received.purpose;
    connection.external_id = received.identity.id;
    connection.email = received.identity.email;
    connection.scopes = received.grant.scopes;
    connection.token_expires_at = received.grant.expires_at;
    connection.connected_at = now;
    connection.updated_at = now;
    connection.sealed_access_token = seal_token(services, received.grant.access_token,
                                                kAccessColumn, connection.id, connection.user_id);
    connection.sealed_refresh_token = seal_token(services, received.grant.refresh_token,
                                                 kRefreshColumn, connection.id, connection.user_id);
    return connection;
}

FlowFailure failure(std::string word, Error error, const OauthFlow::Received& received) {
    return {std::move(word), std::move(error), received.user_id, received.return_to};
}

}  // namespace

Task<std::expected<Connected, FlowFailure>> OauthFlow::store(Received received) {
    auto existing = storage::find_connection(services_->database.reader(), received.user_id,
                                             received.provider, received.account);
    if (!existing)
        co_return std::unexpected(failure("storage_unavailable", existing.error(), received));
    const auto& old = *existing;
    auto connection =
        to_connection(*services_, received, old ? old->id : new_id(services_->random));
    const bool is_same_account = old && old->external_id == received.identity.id;
    if (received.grant.refresh_token.empty()) {
        if (!is_same_account || old->sealed_refresh_token.empty()) {
            co_await give_back(*services_, {received.provider, received.identity.id},
                               received.grant);
            co_return std::unexpected(failure("no_refresh_token",
                                              {ErrorCode::invalid,
                                               "The provider gave no lasting permission. Remove "
                                               "this app from your account at the provider, "
                                               "then connect again."},
                                              received));
        }
        connection.sealed_refresh_token = old->sealed_refresh_token;
    }
    auto job = sync_job(*services_, connection, "connect");
    const auto hooks = hook_jobs(*services_, "connection.created", connection);
    // Another account takes the place: nobody here may use the old grant any more.
    const bool is_replacing = old && !is_same_account;
    const Account replaced{received.provider, old ? old->external_id : ""};
    const auto revocation = is_replacing ? revocation_job(*services_, new_id(services_->random),
                                                          replaced, stored_grant(*services_, *old))
                                         : storage::Job{};
    auto entry = audit_entry(connection.connected_at, "connection.created", connection,
                             owner_of(connection), {{"purpose", connection.purpose}});
    entry.request_id = received.request_id;
    auto stored = co_await services_->database.write_for<storage::Connection>(
        [&](storage::Sql& sql) -> Result<storage::Connection> {
            auto row = storage::store_grant(sql, connection);
            if (!row) return fail(row.error());
            // The tokens are sealed for the id that was not taken a moment ago.
            if (row->id != connection.id)
                return fail(ErrorCode::conflict,
                            "This calendar was connected by another request meanwhile.");
            if (is_replacing)
                if (auto queued = enqueue_revocation(sql, revocation, replaced); !queued)
                    return fail(queued.error());
            if (auto queued = storage::enqueue_job(sql, job); !queued) return fail(queued.error());
            if (auto told = storage::write_audit(sql, entry); !told) return fail(told.error());
            if (auto told = enqueue_all(sql, hooks); !told) return fail(told.error());
            if (auto queued = enqueue_bookings(sql, row->user_id, job.run_at); !queued)
                return fail(queued.error());
            return row;
        });
    if (!stored)
        co_return std::unexpected(failure("storage_unavailable", stored.error(), received));
    co_await services_->crash_points.reach("connect.stored");
    log::info("calendar connected", {{"connection_id", stored->id},
                                     {"user_id", stored->user_id},
                                     {"provider", stored->provider},
                                     {"account", stored->account}});
    co_return Connected{std::move(*stored), received.return_to};
}

Task<std::expected<Finished, FlowFailure>> OauthFlow::ask(Received received) {
    const auto token = new_token(services_->random);
    const auto now = services_->clock.now();
    storage::PendingGrant pending{.hash = crypto::token_hash(Secret(token)),
                                  .user_id = received.user_id,
                                  .provider = received.provider,
                                  .account = received.account,
                                  .sealed_grant = {},
                                  .expires_at = now + kAnswerTime};
    pending.sealed_grant = services_->keys.current()->seal(
        write_received(received), pending_place(pending.hash, pending.user_id), services_->random);
    const auto job = pending_job(*services_, pending);
    auto stored = co_await services_->database.write([&](storage::Sql& sql) -> Result<void> {
        if (auto done = storage::insert_pending_grant(sql, pending); !done) return done;
        return storage::enqueue_job(sql, job);
    });
    if (!stored)
        co_return std::unexpected(failure("storage_unavailable", stored.error(), received));
    const auto* provider = services_->providers.find(received.provider);
    co_return NeedsConfirmation{token, received.user_id, provider->info().title,
                                received.identity.email};
}

Task<std::expected<Connected, FlowFailure>> OauthFlow::confirm(std::string token, bool accepted,
                                                               std::string request_id) {
    const auto hash = crypto::token_hash(Secret(token));
    const auto broken = [](Error error) {
        return std::unexpected(FlowFailure{"storage_unavailable", std::move(error), {}, {}});
    };
    auto pending = storage::find_pending_grant(services_->database.reader(), hash);
    if (!pending) co_return broken(pending.error());
    auto text = *pending ? services_->keys.current()->open((*pending)->sealed_grant,
                                                           pending_place(hash, (*pending)->user_id))
                         : Result<Secret>(Secret("{}"));
    auto received = text ? read_received(*text) : Result<Received>(fail(text.error()));
    if (!received) co_return broken(received.error());
    const bool is_in_time = *pending && (*pending)->expires_at > services_->clock.now();
    const bool is_accepted = accepted && is_in_time;
    const Account account{received->provider, received->identity.id};
    const auto revocation = revocation_job(*services_, hash, account, received->grant);
    auto taken =
        co_await services_->database.write_for<bool>([&](storage::Sql& sql) -> Result<bool> {
            auto row = storage::take_pending_grant(sql, hash);
            if (!row) return fail(row.error());
            if (!*row) return false;
            if (is_accepted) return true;
            if (auto done = enqueue_revocation(sql, revocation, account); !done)
                return fail(done.error());
            return true;
        });
    if (!taken) co_return broken(taken.error());
    if (!*taken)
        co_return std::unexpected(FlowFailure{
            "state_used",
            {ErrorCode::invalid, "This question was answered already, or took too long."},
            {},
            {}});
    received->request_id = std::move(request_id);
    if (is_accepted) co_return co_await store(std::move(*received));
    co_return std::unexpected(failure(
        "access_denied",
        {ErrorCode::forbidden, "The calendar was not connected, and the permission is given back."},
        *received));
}

Task<Result<void>> OauthFlow::revoke_pending(std::string hash) {
    auto pending = storage::find_pending_grant(services_->database.reader(), hash);
    if (!pending) co_return fail(pending.error());
    if (!*pending) co_return Result<void>{};
    auto text = services_->keys.current()->open((*pending)->sealed_grant,
                                                pending_place(hash, (*pending)->user_id));
    auto received = text ? read_received(*text) : Result<Received>(fail(text.error()));
    if (received) {
        const auto* provider = services_->providers.find(received->provider);
        const auto& grant = received->grant;
        auto others = storage::count_connections_to(services_->database.reader(),
                                                    received->provider, received->identity.id);
        if (!others) co_return fail(others.error());
        if (provider != nullptr && *others == 0) {
            auto revoked = co_await revoke_token(
                *services_, provider->info(),
                grant.refresh_token.empty() ? grant.access_token : grant.refresh_token);
            if (!revoked) co_return revoked;  // the job tries again
        }
    }
    auto taken = co_await services_->database.write_for<std::optional<storage::PendingGrant>>(
        [&](storage::Sql& sql) { return storage::take_pending_grant(sql, hash); });
    if (!taken) co_return fail(taken.error());
    co_return Result<void>{};
}

}  // namespace calhost::connect
