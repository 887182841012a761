/// Applications: making one, its keys, its webhook secret. The same for the HTTP calls and for the
/// commands.
#pragma once

#include "accounts/accounts.h"
#include "accounts/keys.h"
#include "crypto/keys.h"
#include "storage/applications.h"

namespace calhost::accounts {

/// Who does it, for the audit log.
struct Actor {
    std::string name;  ///< "user:<id>", "operator"
    std::string request_id{};
};

struct ApplicationPlan {
    std::string name;
    std::vector<std::string> scopes;
    std::vector<std::string> providers;  ///< empty: every one
};
/// What is wrong with it, or nothing: the name (1 to 64 letters, digits, '.', '_', '-'), the
/// scopes (at least one of application_scopes), the providers' names.
std::vector<FieldError> check(const ApplicationPlan& plan);

/// *Thread*: one worker's. *Ownership*: refers to what outlives it.
class Applications {
  public:
    Applications(storage::Database& database, crypto::Keys& keys, const Clock& clock,
                 Random& random)
        : database_(&database), keys_(&keys), clock_(&clock), random_(&random) {}

    struct Made {
        storage::Application application;
        NewKey key;
    };
    /// With its first key. *Errors*: invalid (what `check` would say), already_exists.
    Task<Result<Made>> add(ApplicationPlan plan, Actor actor);
    /// Another key; `plan.name` is the application's. *Errors*: invalid, not_found.
    Task<Result<NewKey>> add_key(ApplicationPlan plan, Actor actor);
    /// *Errors*: not_found.
    Task<Result<void>> remove(std::string application_id, Actor actor);
    /// *Errors*: not_found.
    Task<Result<void>> remove_key(std::string application_id, std::string key_id, Actor actor);
    /// A new secret in place of the old one, as Standard Webhooks writes it ("whsec_" and base64 of
    /// 24 bytes at least; here 32). *Errors*: not_found.
    Task<Result<Secret>> make_webhook_secret(std::string application_id, Actor actor);
    /// The 32 bytes that sign; empty when none was made. *Errors*: misconfigured, invalid (it does
    /// not open).
    Result<Secret> webhook_secret(const storage::Application& application);

  private:
    NewKey new_key(const ApplicationPlan& plan, const std::string& application_id);

    storage::Database* database_;
    crypto::Keys* keys_;
    const Clock* clock_;
    Random* random_;
};

}  // namespace calhost::accounts
