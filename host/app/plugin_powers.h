/// What plugins may do that the operator granted it, with the rooms of one worker.
#pragma once

#include "base/json.h"
#include "connect/oauth_flow.h"
#include "plugin/powers.h"
#include "storage/database.h"
#include "sync/homes.h"

namespace calhost::app {

/// *Ownership*: the database and the homes outlive it.
class PluginPowers final : public plugin::Powers {
  public:
    /// Without a mailer there is no mail server.
    PluginPowers(storage::Database& database, const sync::Homes& homes, net::Mailer* mailer)
        : database_(&database), homes_(&homes), mailer_(mailer) {}
    /// Before the worker serves; they are built later than the plugins.
    void use(connect::Services& services, connect::OauthFlow& flow) {
        services_ = &services;
        flow_ = &flow;
    }

    /// On the connection's home worker, whose keeper refreshes.
    Task<Result<plugin::GrantedTokens>> tokens_of(std::string connection_id) override;
    Result<std::optional<json::object>> find_user(std::string_view id) override;
    Result<std::optional<json::object>> find_user_by_email(std::string_view email) override;
    Result<std::optional<json::object>> find_connection(std::string_view id) override;
    Result<std::vector<json::object>> list_connections(std::string_view user_id) override;
    Task<Result<json::object>> adopt(plugin::OfferedGrant offer) override;
    Task<Result<bool>> forget(std::string connection_id) override;
    Task<Result<void>> send_mail(net::Mail mail) override;

  private:
    storage::Database* database_;
    const sync::Homes* homes_;
    net::Mailer* mailer_;
    connect::Services* services_ = nullptr;
    connect::OauthFlow* flow_ = nullptr;
};

}  // namespace calhost::app
