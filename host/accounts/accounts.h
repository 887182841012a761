/// Users, passwords and the host's own tokens.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/hasher.h"
#include "accounts/throttle.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/jws.h"
#include "storage/database.h"
#include "storage/users.h"

namespace calhost::accounts {

/// Who calls: a user, or an application.
struct Principal {
    std::string user_id;  ///< empty: an application
    std::string role;     ///< of the user
    Timestamp expires_at{};
    std::string application_id{};          ///< empty: a user
    std::string key_id{};                  ///< of the API key that was sent; empty: a token
    std::vector<std::string> scopes{};     ///< what the key may; a token may what its user may
    std::vector<std::string> providers{};  ///< whose tokens the key may lease; empty: of every one

    [[nodiscard]] bool is_application() const { return !application_id.empty(); }
    [[nodiscard]] bool has_key() const { return !key_id.empty(); }
    /// The key was given this scope. False for a token.
    [[nodiscard]] bool has_scope(std::string_view scope) const;
    /// Who it is in one word, as the audit log and the limits have it: "user:…", "application:…".
    [[nodiscard]] std::string name() const;
};

struct AccountOptions {
    std::string issuer;                 ///< `iss` and `aud` of the host's own tokens: public_url
    std::string registration = "open";  ///< open invite closed
    std::vector<std::string> self_service_roles{};
    std::chrono::seconds token_life{900};
};

struct Registration {
    std::string email;
    Secret password;
    std::string name;
    std::string role;
    std::string request_id{};  ///< for the audit log
};

/// A field of the input that is wrong; the API makes `errors` of it.
struct FieldError {
    std::string field;
    std::string message;
};

struct SignedIn {
    Secret access_token;
    std::chrono::seconds expires_in{};
};

/// *Thread*: one worker's. Verified tokens and keys are remembered by hash: tokens until they
/// expire, keys for a quarter of an hour; all until the row of their user, key or application
/// changes.
class Accounts {
  public:
    /// `hasher` and `throttle` are shared by all workers. *Ownership*: what it refers to goes
    /// after.
    Accounts(storage::Database& database, Hasher& hasher, Throttle& throttle,
             crypto::TokenSigner signer, const Clock& clock, Random& random,
             AccountOptions options);
    ~Accounts();

    /// What is wrong with the input, or nothing: address, password (12 characters to 128 bytes, not
    /// one of the commonest), role (one of self_service_roles or none), name (at most 200 bytes).
    [[nodiscard]] std::vector<FieldError> check(const Registration& registration) const;
    /// *Errors*: already_exists (address taken), forbidden (registration is not open), invalid
    /// (what `check` would say), rate_limited.
    Task<Result<storage::User>> register_user(Registration registration);

    /// The same answer and the same time for an unknown address and a wrong password. Throttled per
    /// account (1 s doubling to 15 min) and per address. *Errors*: unauthorized, rate_limited.
    /// The audit log has each sign-in.
    Task<Result<SignedIn>> sign_in(std::string email, Secret password, std::string client_address,
                                   std::string request_id = {});

    /// Checks a bearer token: signature, iss, aud, exp, nbf, iat with 60 s of skew, and that the
    /// user still exists; or an API key: that it is stored, and its user still exists.
    /// *Errors*: unauthorized.
    Result<Principal> verify(std::string_view token);

    /// The caller's row. *Errors*: not_found.
    Result<storage::User> find(std::string_view user_id);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace calhost::accounts
