#include "accounts/accounts.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/json.hpp>

#include "accounts/keys.h"
#include "accounts/registration.h"
#include "accounts/throttle.h"
#include "accounts/token_cache.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/password.h"
#include "storage/api_keys.h"
#include "storage/audit.h"

namespace calhost::accounts {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr seconds kSkew = 60s;
// An office behind one address makes a few honest mistakes at once.
constexpr int kFreeFailuresOfAnAddress = 10;
constexpr auto kKeyMemory = 15min;
// 9999-12-31; beyond it a claim would overflow a Timestamp.
constexpr std::int64_t kLatest = 253'402'300'799;

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

/// Whoever has one IPv6 address has all of its /64.
std::string network_of(const std::string& client_address) {
    boost::system::error_code unreadable;
    const auto address = boost::asio::ip::make_address(client_address, unreadable);
    if (unreadable || !address.is_v6() || address.to_v6().is_v4_mapped()) return client_address;
    auto bytes = address.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return boost::asio::ip::make_address_v6(bytes).to_string();
}

std::string text_claim(const boost::json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

/// A NumericDate in whole seconds (RFC 7519 section 2), which is all that this host writes.
std::optional<Timestamp> time_claim(const boost::json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    const auto since = value->get_int64();
    if (since < 0 || since > kLatest) return std::nullopt;
    return Timestamp{seconds{since}};
}

storage::AuditEntry audit_entry(Timestamp at, std::string action, const std::string& user_id,
                                std::string request_id) {
    return {.at = at,
            .action = std::move(action),
            .actor = "user:" + user_id,
            .user_id = user_id,
            .subject = user_id,
            .request_id = std::move(request_id)};
}

Error bad_credentials() {
    return {ErrorCode::unauthorized, "The e-mail address or the password is wrong."};
}

Error bad_token() {
    return {ErrorCode::unauthorized, "The access token is not valid. Sign in again."};
}

}  // namespace

bool Principal::has_scope(std::string_view scope) const {
    return std::ranges::find(scopes, scope) != scopes.end();
}

std::string Principal::name() const {
    return is_application() ? "application:" + application_id : "user:" + user_id;
}

struct Accounts::Impl {
    storage::Database& database;
    Hasher& hasher;
    Throttle& throttle;
    crypto::TokenSigner signer;
    const Clock& clock;
    Random& random;
    AccountOptions options;
    // Shared with the store's listener, which may outlive this object.
    std::shared_ptr<TokenCache> cache = std::make_shared<TokenCache>(random);

    Result<storage::User> user_of(std::string_view id);
    Result<Principal> check(const boost::json::object& claims);
    Result<Principal> check_token(std::string_view token);
    Result<Principal> check_key(std::string_view key);
    SignedIn issue(const storage::User& user);
    Task<> rehash(storage::User user, Secret password);
};

Accounts::Accounts(storage::Database& database, Hasher& hasher, Throttle& throttle,
                   crypto::TokenSigner signer, const Clock& clock, Random& random,
                   AccountOptions options)
    : impl_(new Impl{database, hasher, throttle, std::move(signer), clock, random,
                     std::move(options)}) {
    database.on_change([cache = std::weak_ptr(impl_->cache)](const storage::Change& change) {
        const auto alive = cache.lock();
        if (alive == nullptr) return;
        if (change.table == "users") alive->drop_user(change.id);
        if (change.table == "api_keys") alive->drop_key(change.id);
        if (change.table == "applications") alive->drop_application(change.id);
    });
}

Accounts::~Accounts() = default;

std::vector<FieldError> Accounts::check(const Registration& registration) const {
    return check_registration(registration, impl_->options);
}

Task<Result<storage::User>> Accounts::register_user(Registration registration) {
    if (impl_->options.registration != "open")
        co_return fail(ErrorCode::forbidden,
                       "Registration is closed on this host. Ask its operator for an account.");
    if (const auto errors = check(registration); !errors.empty())
        co_return fail(ErrorCode::invalid, errors.front().message);

    // A look before the hash saves its cost; the insert decides.
    auto known = storage::find_user_by_email(impl_->database.reader(), registration.email);
    if (!known) co_return fail(std::move(known.error()));
    if (*known)
        co_return fail(ErrorCode::already_exists,
                       "This e-mail address has an account already. Sign in instead.");

    auto hash = co_await impl_->hasher.hash(std::move(registration.password));
    if (!hash) co_return fail(std::move(hash.error()));
    storage::User user;
    user.id = new_id(impl_->random);
    user.email = std::move(registration.email);
    user.name = std::move(registration.name);
    user.role = std::move(registration.role);
    user.time_zone = "Etc/UTC";
    user.password_hash = std::move(*hash);
    user.created_at = impl_->clock.now();

    const auto entry = audit_entry(user.created_at, "user.registered", user.id,
                                   std::move(registration.request_id));
    auto stored = co_await impl_->database.write([user, entry](storage::Sql& sql) -> Result<void> {
        if (auto done = storage::insert_user(sql, user); !done) return done;
        return storage::write_audit(sql, entry);
    });
    if (!stored) co_return fail(std::move(stored.error()));
    co_return user;
}

Task<Result<SignedIn>> Accounts::sign_in(std::string email, Secret password,
                                         std::string client_address, std::string request_id) {
    const auto account_key = "account " + lower_case(email);
    const auto address_key = "address " + network_of(client_address);
    auto& throttle = impl_->throttle;
    if (const auto wait =
            std::max(throttle.remaining(account_key), throttle.remaining(address_key));
        wait > 0ms)
        co_return fail(Error{ErrorCode::rate_limited,
                             "Too many attempts to sign in failed. Wait before the next one.",
                             wait});

    auto user = storage::find_user_by_email(impl_->database.reader(), email);
    if (!user) co_return fail(std::move(user.error()));
    const auto hash = *user ? (*user)->password_hash : std::string();
    const auto is_right = co_await impl_->hasher.verify(hash, password);
    if (!is_right) co_return fail(is_right.error());
    // Counted when it is known, not before: attempts side by side are bounded by the hasher's
    // queue.
    if (!*is_right) {
        throttle.failed(account_key);
        throttle.failed(address_key, kFreeFailuresOfAnAddress);
        co_return fail(bad_credentials());
    }
    // Only the account's count: a guesser's own account must not open his address again.
    throttle.succeeded(account_key);
    if (crypto::needs_rehash(hash)) co_await impl_->rehash(**user, std::move(password));
    const auto entry =
        audit_entry(impl_->clock.now(), "user.signed_in", (*user)->id, std::move(request_id));
    auto told = co_await impl_->database.write(
        [entry](storage::Sql& sql) { return storage::write_audit(sql, entry); });
    if (!told) co_return fail(told.error());
    co_return impl_->issue(**user);
}

Result<Principal> Accounts::verify(std::string_view token) {
    const auto now = impl_->clock.now();
    if (auto known = impl_->cache->find(token, now - kSkew)) return std::move(*known);
    auto principal = is_api_key(token) ? impl_->check_key(token) : impl_->check_token(token);
    if (principal) impl_->cache->store(token, *principal, now - kSkew);
    return principal;
}

Result<storage::User> Accounts::find(std::string_view user_id) { return impl_->user_of(user_id); }

Result<storage::User> Accounts::Impl::user_of(std::string_view id) {
    auto user = storage::find_user(database.reader(), id);
    if (!user) return fail(std::move(user.error()));
    if (!*user) return fail(ErrorCode::not_found, "There is no such user any more.");
    return std::move(**user);
}

Result<Principal> Accounts::Impl::check_token(std::string_view token) {
    const auto claims = signer.verify(token);
    if (!claims) return fail(bad_token());
    return check(*claims);
}

Result<Principal> Accounts::Impl::check_key(std::string_view key) {
    auto row = storage::find_api_key_by_hash(database.reader(),
                                             crypto::token_hash(Secret(std::string(key))));
    if (!row) return fail(std::move(row.error()));
    if (!*row) return fail(ErrorCode::unauthorized, "The API key is not valid. Make a new one.");
    auto& known = **row;
    Principal principal{.expires_at = clock.now() + kKeyMemory,
                        .application_id = known.application_id.value_or(""),
                        .key_id = std::move(known.id),
                        .scopes = std::move(known.scopes),
                        .providers = std::move(known.providers)};
    if (!known.user_id) return principal;
    auto user = user_of(*known.user_id);
    if (!user) return fail(std::move(user.error()));
    principal.user_id = std::move(user->id);
    principal.role = std::move(user->role);
    return principal;
}

Result<Principal> Accounts::Impl::check(const boost::json::object& claims) {
    const auto now = clock.now();
    const auto expires_at = time_claim(claims, "exp");
    const auto not_before = time_claim(claims, "nbf");
    const auto issued_at = time_claim(claims, "iat");
    if (text_claim(claims, "iss") != options.issuer || text_claim(claims, "aud") != options.issuer)
        return fail(bad_token());
    if (!expires_at || !issued_at || *issued_at > now + kSkew) return fail(bad_token());
    if (claims.contains("nbf") && (!not_before || *not_before > now + kSkew))
        return fail(bad_token());
    if (*expires_at < now - kSkew)
        return fail(ErrorCode::unauthorized, "The access token has expired. Sign in again.");

    auto user = user_of(text_claim(claims, "sub"));
    if (!user) return fail(user.error().code == ErrorCode::not_found ? bad_token() : user.error());
    return Principal{std::move(user->id), std::move(user->role), *expires_at};
}

SignedIn Accounts::Impl::issue(const storage::User& user) {
    const auto now = std::chrono::floor<seconds>(clock.now()).time_since_epoch().count();
    const boost::json::object claims{
        {"iss", options.issuer},
        {"aud", options.issuer},
        {"sub", user.id},
        {"iat", now},
        {"nbf", now},
        {"exp", now + options.token_life.count()},
        {"jti", new_id(random)},
    };
    return {Secret(signer.sign(claims)), options.token_life};
}

/// The costs changed since the hash was made. Failing is no reason to refuse the right password.
Task<> Accounts::Impl::rehash(storage::User user, Secret password) {
    auto hash = co_await hasher.hash(std::move(password));
    if (!hash) co_return;
    const auto stored = co_await database.write([id = user.id, hash = *hash](storage::Sql& sql) {
        return storage::update_password_hash(sql, id, hash);
    });
    if (!stored)
        log::warning("a password could not be rehashed", {{"reason", stored.error().message}});
}

}  // namespace calhost::accounts
