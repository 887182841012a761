/// What a plugin may do beyond its own section, each thing behind a grant of the operator.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/task.h"
#include "base/time.h"
#include "net/mail.h"

namespace calhost::plugin {

struct GrantedTokens {
    Secret access_token;
    Secret refresh_token;  ///< may be empty
    std::optional<Timestamp> expires_at;
    std::string scope;
};

struct OfferedGrant {
    std::string user_id;
    std::string provider;
    std::string account;
    std::string scope;
    Secret refresh_token;
};

/// Implemented by `app`. *Thread*: the worker's whose plugins it serves.
class Powers {
  public:
    virtual ~Powers() = default;
    /// Grant `tokens`. A connection's tokens, fresh. *Errors*: not_found (disconnected meanwhile),
    /// and those of Access::token.
    virtual Task<Result<GrantedTokens>> tokens_of(std::string connection_id) = 0;
    /// Grant `users`: `{id, email, is_email_verified, name, role, time_zone}`.
    virtual Result<std::optional<boost::json::object>> find_user(std::string_view id) = 0;
    virtual Result<std::optional<boost::json::object>> find_user_by_email(
        std::string_view email) = 0;
    /// Grant `connections`: `{id, user_id, provider, account, email, calendar_id, purpose, state,
    /// last_error}`.
    virtual Result<std::optional<boost::json::object>> find_connection(std::string_view id) = 0;
    virtual Result<std::vector<boost::json::object>> list_connections(std::string_view user_id) = 0;
    /// The same: a grant that another host got becomes the user's connection, checked at the
    /// provider and sealed. Gives the row as above. *Errors*: invalid, for a grant that is not this
    /// host's client's, or too small; those of the provider and of the store.
    virtual Task<Result<boost::json::object>> adopt(OfferedGrant offer) = 0;
    /// Forgets the connection; its grant stays, since another host uses it. False: there is none.
    virtual Task<Result<bool>> forget(std::string connection_id) = 0;
    /// Grant `mail`. *Errors*: those of net::Mailer; misconfigured without a mail server.
    virtual Task<Result<void>> send_mail(net::Mail mail) = 0;
};

}  // namespace calhost::plugin
