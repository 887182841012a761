/// The simulated Microsoft identity platform v2.
#pragma once

#include "sandbox/grants.h"
#include "sandbox/graph_world.h"

namespace calhost::sandbox::graph {

inline constexpr GrantRules kMicrosoftGrants{
    .code_prefix = "0.A",
    .access_prefix = "EwB",
    .refresh_prefix = "M.C",
    .refresh_life = std::chrono::hours{24 * 90},
    .max_refresh_tokens = 1000,
    .rotates_refresh_tokens = true,
};

/// Which scopes open something: any one of them, by short name.
bool allows(const Scopes& granted, std::initializer_list<std::string_view> wanted);

/// *Thread*: one.
class Identity {
  public:
    Identity(GraphWorld& world, Grants& grants) : world_(&world), grants_(&grants) {}

    /// Serves /{tenant}/…; nothing for a path that is none of identity's.
    std::optional<net::Response> serve(const net::Request& request);
    net::Response userinfo(const net::Request& request);
    /// A token error as the platform words it.
    [[nodiscard]] net::Response token_error(int status, std::string_view error, int code,
                                            std::string_view sentence) const;

  private:
    net::Response authorize(const net::Request& request, const std::string& tenant);
    net::Response decide(const net::Request& request, const std::string& tenant);
    net::Response finish(const Ticket& ticket, Account& account, const Scopes& granted);
    net::Response token(const net::Request& request, const std::string& tenant);
    net::Response exchange(const net::Query& form, const std::string& tenant);
    net::Response refresh(const net::Query& form, const std::string& tenant);
    net::Response token_response(const Grant& grant);
    [[nodiscard]] std::string id_token(const Grant& grant, const Account& account) const;
    [[nodiscard]] net::Response metadata(const std::string& tenant) const;

    GraphWorld* world_;
    Grants* grants_;
};

}  // namespace calhost::sandbox::graph
