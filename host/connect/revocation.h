/// Giving a grant back at the provider: a job, enqueued in the transaction that forgets the grant.
#pragma once

#include "connect/token_endpoint.h"
#include "storage/connections.h"
#include "storage/jobs.h"

namespace calhost::connect {

/// An account at a provider.
struct Account {
    std::string provider;
    std::string external_id;
};

/// The stored grant, for giving it back; what does not open is left out.
Grant stored_grant(Services& services, const storage::Connection& row);

/// A job of kRevokeJob with the token sealed in it. It has no user, so that deleting the user does
/// not delete it; `target` is what it is about.
storage::Job revocation_job(Services& services, std::string target, const Account& account,
                            const Grant& grant);

/// Enqueues it, unless somebody is still connected to the account: a provider ends the whole grant,
/// not one token of it.
Result<void> enqueue_revocation(storage::Sql& sql, const storage::Job& job, const Account& account);

/// Enqueues the revocation of a grant that was refused after its exchange, so that it does not live
/// on at the provider where nobody here knows of it. A store that cannot take the job is logged:
/// the person has the refusal's answer already to act on.
Task<> give_back(Services& services, Account account, Grant grant);

/// What the job does. *Errors*: those of the token endpoint, so that it is tried again.
Task<Result<void>> run_revocation(Services& services, const storage::Job& job);

}  // namespace calhost::connect
