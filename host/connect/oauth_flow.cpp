#include "connect/oauth_flow.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"
#include "connect/received.h"
#include "connect/revocation.h"
#include "connect/sealing.h"
#include "crypto/crypto.h"
#include "storage/jobs.h"

namespace calhost::connect {
namespace {

constexpr std::chrono::minutes kStateLife{10};
/// A used state is remembered this long, so that a reload is told "used" and not "unknown".
constexpr std::chrono::hours kStateMemory{1};

/// A plugin::Access for the moment between exchange and storing.
class GrantAccess final : public plugin::Access {
  public:
    GrantAccess(const Secret& token, const std::string& user_id)
        : token_(token), id_("grant of " + user_id) {}
    Task<Result<Secret>> token(bool was_refused) override {
        if (was_refused)
            co_return fail(ErrorCode::unauthorized, "The provider refused its own new token.");
        co_return token_;
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp /*when*/) override { co_return; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    Secret token_;
    std::string id_;  ///< people do not wait for each other
};

std::string cookie_name(std::string_view state_hash) {
    return fmt::format("calhost_oauth_{}", state_hash.substr(0, 16));
}

crypto::Place verifier_place(const storage::OauthState& state) {
    return {"oauth_states", "sealed_verifier", state.hash, state.user_id};
}

/// The path of an absolute URL, without its query.
std::string_view path_of(std::string_view url) {
    const auto scheme = url.find("://");
    const auto slash = scheme == std::string_view::npos ? 0 : url.find('/', scheme + 3);
    if (slash == std::string_view::npos) return "/";
    return url.substr(slash, url.find_first_of("?#", slash) - slash);
}

/// Only the words of RFC 6749 section 4.1.2.1 and their like are repeated to people.
std::string safe_word(std::string_view word) {
    const bool is_word =
        !word.empty() && word.size() <= 64 && std::ranges::all_of(word, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        });
    return is_word ? std::string(word) : "unknown_error";
}

std::unexpected<FlowFailure> failed(std::string word, ErrorCode code, std::string message) {
    return std::unexpected(FlowFailure{std::move(word), Error{code, std::move(message)}, {}, {}});
}

std::unexpected<FlowFailure> failed(std::string word, Error error,
                                    const storage::OauthState& state) {
    return std::unexpected(
        FlowFailure{std::move(word), std::move(error), state.user_id, state.return_to});
}

std::string authorization_url(const plugin::ProviderInfo& provider, const Begin& request,
                              const std::string& redirect_uri, const std::string& state,
                              const std::string& challenge) {
    net::Query query;
    query.add("client_id", provider.client_id);
    query.add("redirect_uri", redirect_uri);
    query.add("response_type", "code");
    query.add("scope", fmt::format("{}", fmt::join(provider.asked_scopes(request.purpose), " ")));
    for (const auto& [name, value] : provider.auth.parameters) query.add(name, value);
    if (!request.login_hint.empty()) query.add("login_hint", request.login_hint);
    query.add("state", state);
    query.add("code_challenge", challenge);
    query.add("code_challenge_method", "S256");
    return fmt::format("{}?{}", provider.endpoints.authorize, query.to_string());
}

/// The word for a provider that does not work.
std::string fault_word(const Error& error) {
    return error.code == ErrorCode::invalid_response ? "invalid_response" : "provider_unavailable";
}

/// The sentence and word for a code that the provider would not exchange.
FlowFailure exchange_failure(const Error& error, const storage::OauthState& state) {
    if (error.code == ErrorCode::needs_reauth)
        return {"code_refused",
                {ErrorCode::invalid, error.message + " Please connect again."},
                state.user_id,
                state.return_to};
    if (is_transient(error.code)) return {fault_word(error), error, state.user_id, state.return_to};
    return {"provider_not_configured", error, state.user_id, state.return_to};
}

}  // namespace

std::string OauthFlow::redirect_uri(const plugin::ProviderInfo& provider) const {
    if (!provider.redirect_uri.empty()) return provider.redirect_uri;
    return fmt::format("{}/api/calendar/callback/{}", options_.public_url, provider.id);
}

Task<Result<Begun>> OauthFlow::begin(Begin request) {
    const auto* provider = services_->providers.find(request.provider);
    if (provider == nullptr)
        co_return fail(ErrorCode::not_found,
                       fmt::format("There is no provider '{}'.", request.provider.substr(0, 40)));
    const auto& info = provider->info();
    if (info.auth.is_by_fields())
        co_return fail(ErrorCode::unsupported,
                       fmt::format("{} has no page to go to: send what its fields ask for to POST "
                                   "/api/calendar/connect/{}.",
                                   info.title, info.id));
    if (!info.is_configured())
        co_return fail(ErrorCode::misconfigured,
                       fmt::format("{} OAuth not configured for calendar",
                                   info.title.substr(0, info.title.find(' '))));
    const auto state_token = new_token(services_->random);
    const auto browser_token = new_token(services_->random);
    const auto pkce = crypto::make_pkce(services_->random);
    const auto now = services_->clock.now();
    storage::OauthState state{.hash = crypto::token_hash(Secret(state_token)),
                              .user_id = request.user_id,
                              .provider = request.provider,
                              .account = request.account,
                              .purpose = request.purpose,
                              .redirect_uri = redirect_uri(info),
                              .return_to = request.return_to,
                              .flow = request.is_navigation ? "navigation" : "json",
                              .browser_hash = crypto::token_hash(Secret(browser_token)),
                              .sealed_verifier = {},
                              .created_at = now,
                              .expires_at = now + kStateLife,
                              .used_at = std::nullopt};
    state.sealed_verifier =
        services_->keys.current()->seal(pkce.verifier, verifier_place(state), services_->random);
    auto stored = co_await services_->database.write([&](storage::Sql& sql) -> Result<void> {
        if (auto pruned = storage::delete_expired_states(sql, now - kStateMemory); !pruned)
            return fail(pruned.error());
        return storage::insert_oauth_state(sql, state);
    });
    if (!stored) co_return fail(stored.error());
    co_return Begun{
        authorization_url(info, request, state.redirect_uri, state_token, pkce.challenge),
        cookie_name(state.hash), browser_token};
}

Task<std::expected<Finished, FlowFailure>> OauthFlow::finish(Callback callback) {
    auto state = co_await check_state(callback);
    if (!state) co_return std::unexpected(state.error());
    if (auto issuer = check_issuer(callback, *state); !issuer)
        co_return std::unexpected(issuer.error());
    const auto is_same_browser = check_browser(callback, *state);
    if (!is_same_browser) co_return std::unexpected(is_same_browser.error());
    auto received = co_await receive(callback, *state);
    if (!received) co_return std::unexpected(received.error());
    received->request_id = callback.request_id;
    co_await services_->crash_points.reach("connect.exchanged");
    if (!*is_same_browser && options_.unbound == "confirm")
        co_return co_await ask(std::move(*received));
    auto connected = co_await store(std::move(*received));
    if (!connected) co_return std::unexpected(connected.error());
    co_return std::move(*connected);
}

Task<std::expected<storage::OauthState, FlowFailure>> OauthFlow::check_state(
    const Callback& callback) {
    const auto oauth_error = fmt::format("OAuth error: {}", safe_word(callback.error));
    if (callback.state.empty()) {
        if (!callback.error.empty())
            co_return failed("oauth_error", ErrorCode::invalid, oauth_error);
        co_return failed("missing_state", ErrorCode::invalid, "Missing state parameter");
    }
    const auto hash = crypto::token_hash(Secret(callback.state));
    auto found = storage::find_oauth_state(services_->database.reader(), hash);
    if (!found) co_return failed("storage_unavailable", found.error().code, found.error().message);
    if (!*found)
        co_return failed(
            "unknown_state", ErrorCode::invalid,
            "This sign-in is not known here. Please begin again from your calendar settings.");
    auto& state = **found;
    if (path_of(state.redirect_uri) != callback.path)
        co_return failed("wrong_callback", ErrorCode::invalid,
                         "This sign-in belongs to another address.");
    if (state.used_at)
        co_return failed(
            "state_used", ErrorCode::invalid,
            "This sign-in was used already. Please begin again from your calendar settings.");
    if (state.expires_at <= services_->clock.now())
        co_return failed("state_expired", ErrorCode::invalid,
                         "This sign-in took longer than 10 minutes. Please begin again.");
    co_return std::move(state);
}

std::expected<void, FlowFailure> OauthFlow::check_issuer(const Callback& callback,
                                                         const storage::OauthState& state) {
    const auto* provider = services_->providers.find(state.provider);
    if (provider == nullptr)
        return failed("provider_not_configured",
                      Error{ErrorCode::misconfigured, "This provider is not installed."}, state);
    const auto& expected = provider->info().endpoints.issuer;
    if (callback.issuer.empty() || expected.empty() || callback.issuer == expected) return {};
    return failed("wrong_issuer", ErrorCode::invalid,
                  "The answer comes from another provider than the one that was asked.");
}

std::expected<bool, FlowFailure> OauthFlow::check_browser(const Callback& callback,
                                                          const storage::OauthState& state) {
    const Secret cookie(callback.cookie(cookie_name(state.hash)));
    if (!cookie.empty() && crypto::equal(crypto::token_hash(cookie), state.browser_hash))
        return true;
    const bool may_be_absent = state.flow == "json" && options_.unbound != "refuse";
    if (cookie.empty() && may_be_absent) return false;
    return failed("other_browser", ErrorCode::invalid,
                  "This sign-in was begun in another browser. Please begin again in this one.");
}

Task<std::expected<OauthFlow::Received, FlowFailure>> OauthFlow::receive(
    const Callback& callback, const storage::OauthState& state) {
    auto* provider = services_->providers.find(state.provider);
    const auto now = services_->clock.now();
    auto used = co_await services_->database.write_for<bool>(
        [&](storage::Sql& sql) { return storage::use_oauth_state(sql, state.hash, now); });
    if (!used) co_return failed("storage_unavailable", used.error(), state);
    if (!*used)
        co_return failed("state_used", ErrorCode::invalid,
                         "This sign-in was used already. Please begin again.");
    if (!callback.error.empty())
        co_return failed(
            "oauth_error",
            Error{ErrorCode::invalid, fmt::format("OAuth error: {}", safe_word(callback.error))},
            state);
    if (callback.code.empty())
        co_return failed("oauth_error", Error{ErrorCode::invalid, "OAuth error: no code"}, state);
    auto verifier = services_->keys.current()->open(state.sealed_verifier, verifier_place(state));
    if (!verifier) co_return failed("storage_unavailable", verifier.error(), state);
    auto grant = co_await exchange_code(*services_, provider->info(), state.redirect_uri,
                                        Secret(callback.code), *verifier);
    if (!grant) {
        if (is_transient(grant.error().code)) {
            const auto released = co_await services_->database.write(
                [&](storage::Sql& sql) { return storage::release_oauth_state(sql, state.hash); });
            if (!released) log::error("state not released", {{"reason", released.error().message}});
        }
        co_return std::unexpected(exchange_failure(grant.error(), state));
    }
    co_return co_await admit(std::move(*grant), state);
}

Task<std::expected<OauthFlow::Received, FlowFailure>> OauthFlow::admit(
    Grant grant, const storage::OauthState& state) {
    auto* provider = services_->providers.find(state.provider);
    const auto& info = provider->info();
    if (grant.scopes.empty())
        grant.scopes = fmt::format("{}", fmt::join(info.asked_scopes(state.purpose), " "));
    const auto missing = info.missing_scope(state.purpose, plugin::split_words(grant.scopes));
    // Asked in any case: what is refused is given back only when it is known whose account it is.
    GrantAccess access(grant.access_token, state.user_id);
    auto identity = co_await provider->identity(access);
    if (!missing.empty()) {
        if (identity)
            co_await give_back(*services_, {state.provider, identity->id}, std::move(grant));
        else
            log::warning("a refused grant stays: its account is not known",
                         {{"provider", state.provider}, {"reason", identity.error().message}});
        co_return failed(
            "missing_permission",
            Error{
                ErrorCode::forbidden,
                fmt::format("The permission {} was not granted. Please connect again and allow it.",
                            missing)},
            state);
    }
    if (!identity) co_return failed(fault_word(identity.error()), identity.error(), state);
    co_return Received{state.user_id,   state.provider,   state.account,       state.purpose,
                       state.return_to, std::move(grant), std::move(*identity)};
}

}  // namespace calhost::connect
