/// Google's authorization server: what its requests and answers look like.
#pragma once

#include "sandbox/answer.h"
#include "sandbox/grants.h"

namespace calhost::sandbox {

inline constexpr GrantRules kGoogleGrants{
    // The slash is Google's: clients that forget to escape it find out here.
    .code_prefix = "4/",       .access_prefix = "ya29.",
    .refresh_prefix = "1//",   .refresh_life = std::chrono::hours{24 * 183},
    .max_refresh_tokens = 100, .rotates_refresh_tokens = false,
};

/// *Thread*: one.
class OAuth {
  public:
    OAuth(World& world, Grants& grants) : world_(&world), grants_(&grants) {}

    net::Response authorize(const net::Request& request);
    net::Response decide(const net::Request& request);
    net::Response token(const net::Request& request);
    net::Response revoke(const net::Request& request);
    net::Response userinfo(const net::Request& request);
    [[nodiscard]] net::Response metadata() const;

    /// The grant of the request's access token. *Errors*: 401 `authError`.
    Answer<const Grant*> authenticate(const net::Request& request) const;

  private:
    Result<Ticket> read_ticket(const net::Query& query, std::string& error) const;
    net::Response finish(const Ticket& ticket, const std::string& email, const Scopes& granted);
    net::Response send_back(const Ticket& ticket, std::string_view name, std::string value,
                            std::string description = {}) const;
    net::Response exchange(const net::Query& form);
    net::Response refresh(const net::Query& form);
    net::Response token_response(const Grant& grant, bool with_refresh_token);

    World* world_;
    Grants* grants_;
};

}  // namespace calhost::sandbox
