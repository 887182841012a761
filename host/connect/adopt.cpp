// Grants that another host got, and shares with this one.
#include <fmt/format.h>

#include "base/log.h"
#include "connect/audit.h"
#include "connect/connections.h"
#include "connect/hooks.h"
#include "connect/oauth_flow.h"
#include "connect/received.h"

namespace calhost::connect {
namespace {

std::unexpected<FlowFailure> refuse(const Offer& offer, std::string word, Error error) {
    return std::unexpected(FlowFailure{std::move(word), std::move(error), offer.user_id, {}});
}

/// As a provider call sees the grant before it is stored.
class OfferedAccess final : public plugin::Access {
  public:
    OfferedAccess(const Secret& token, const std::string& user_id) : token_(&token), id_(user_id) {}
    Task<Result<Secret>> token(bool was_refused) override {
        if (was_refused) co_return fail(ErrorCode::unauthorized, "The token was refused.");
        co_return *token_;
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp /*when*/) override { co_return; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    const Secret* token_;
    const std::string& id_;
};

}  // namespace

Task<std::expected<Connected, FlowFailure>> OauthFlow::adopt(Offer offer) {
    auto* provider = services_->providers.find(offer.provider);
    if (provider == nullptr || !provider->info().is_configured() ||
        provider->info().auth.is_by_fields())
        co_return refuse(offer, "provider_not_configured",
                         {ErrorCode::misconfigured, "This provider is not configured here."});
    const auto& info = provider->info();
    auto grant = co_await refresh_grant(*services_, info, offer.refresh_token);
    if (!grant && is_transient(grant.error().code))
        co_return refuse(offer, "provider_unavailable", grant.error());
    if (!grant)
        co_return refuse(offer, "foreign_grant",
                         {ErrorCode::invalid,
                          "The provider does not refresh these tokens for this host. They must "
                          "come from the same client id, and must not be withdrawn."});
    if (grant->refresh_token.empty()) grant->refresh_token = offer.refresh_token;
    if (grant->scopes.empty()) grant->scopes = offer.scopes;
    const auto missing = info.missing_scope("full", plugin::split_words(grant->scopes));
    if (!missing.empty())
        co_return refuse(
            offer, "missing_permission",
            {ErrorCode::invalid, fmt::format("The permission {} was not granted.", missing)});
    OfferedAccess access(grant->access_token, offer.user_id);
    auto identity = co_await provider->identity(access);
    if (!identity) co_return refuse(offer, "provider_unavailable", identity.error());
    co_return co_await store({.user_id = offer.user_id,
                              .provider = offer.provider,
                              .account = offer.account,
                              .purpose = "full",
                              .return_to = {},
                              .grant = std::move(*grant),
                              .identity = std::move(*identity)});
}

Task<Result<bool>> forget(Services& services, storage::Connection connection) {
    const auto hooks = hook_jobs(services, "connection.deleted", connection);
    const auto now = services.clock.now();
    auto gone = co_await services.database.write_for<bool>([&](storage::Sql& sql) -> Result<bool> {
        auto deleted = storage::delete_connection(sql, connection.user_id, connection.id);
        if (!deleted || !*deleted) return deleted;
        const auto entry = audit_entry(now, "connection.deleted", connection, "host");
        if (auto told = storage::write_audit(sql, entry); !told) return fail(told.error());
        if (auto told = enqueue_all(sql, hooks); !told) return fail(told.error());
        if (auto queued = enqueue_bookings(sql, connection.user_id, now); !queued)
            return fail(queued.error());
        return true;
    });
    if (gone && *gone)
        log::info("calendar forgotten",
                  {{"connection_id", connection.id}, {"user_id", connection.user_id}});
    co_return gone;
}

}  // namespace calhost::connect
