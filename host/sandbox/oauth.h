/// The simulated authorization server: consent, codes bound by PKCE, tokens that expire.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <set>

#include "sandbox/scopes.h"
#include "sandbox/world.h"

namespace calhost::sandbox {

/// What the control API may change while serving.
struct OAuthSettings {
    bool rotates_refresh_tokens = false;       ///< reuse of an old one ends the grant
    std::optional<milliseconds> refresh_life;  ///< such as seven days, for a project in testing
};

/// *Thread*: one.
class OAuth {
  public:
    explicit OAuth(World& world) : world_(&world) {}

    net::Response authorize(const net::Request& request);
    net::Response decide(const net::Request& request);
    net::Response token(const net::Request& request);
    net::Response revoke(const net::Request& request);
    net::Response userinfo(const net::Request& request);
    [[nodiscard]] net::Response metadata() const;

    struct Bearer {
        std::string email;
        Scopes scopes;
    };
    /// The account and scopes of the request's access token. *Errors*: 401 `authError`.
    Answer<Bearer> authenticate(const net::Request& request) const;

    /// The person takes back what was granted, at the provider. Gives how many grants ended.
    int revoke_account(std::string_view email);
    void expire_access_tokens();
    void clear();
    /// Grants, tokens and consents; codes and tickets are gone with the program.
    [[nodiscard]] boost::json::object save() const;
    void restore(const boost::json::value& memory);
    OAuthSettings settings;

  private:
    /// What the authorization request asked, until somebody decides.
    struct Ticket {
        std::string redirect_uri;
        std::string state;
        std::string challenge;
        std::vector<std::string> scopes;
        std::string login_hint;
        bool is_offline = false;
        bool wants_consent = false;
        bool includes_granted = false;
        Timestamp expires;
    };
    struct Code {
        Ticket ticket;
        std::uint64_t grant = 0;
        bool gives_refresh_token = false;
        bool is_used = false;
        Timestamp expires;
    };
    struct Grant {
        std::string email;
        Scopes scopes;
        std::string refresh_token;  ///< the live one; empty: none was given
        Timestamp refresh_expires;
        std::uint64_t number = 0;
    };
    struct AccessToken {
        std::uint64_t grant = 0;
        Timestamp expires;
    };

    Result<Ticket> read_ticket(const net::Query& query, std::string& error) const;
    net::Response finish(const Ticket& ticket, const std::string& email, const Scopes& granted);
    net::Response send_back(const Ticket& ticket, std::string_view name, std::string value,
                            std::string description = {}) const;
    net::Response exchange(const net::Query& form);
    net::Response refresh(const net::Query& form);
    net::Response token_response(std::uint64_t grant, bool with_refresh_token);
    void end_grant(std::uint64_t grant);
    void give_refresh_token(std::uint64_t grant);
    [[nodiscard]] bool is_known_redirect(std::string_view uri) const;
    [[nodiscard]] std::optional<std::string> client_error(const net::Request& request,
                                                          const net::Query& form) const;

    World* world_;
    std::map<std::string, Ticket, std::less<>> tickets_;
    std::map<std::string, Code, std::less<>> codes_;
    std::map<std::uint64_t, Grant> grants_;
    std::map<std::string, AccessToken, std::less<>> access_tokens_;
    std::map<std::string, std::uint64_t, std::less<>> refresh_tokens_;  ///< live and replaced ones
    std::map<std::string, Scopes, std::less<>> consents_;               ///< by e-mail
    std::uint64_t last_grant_ = 0;
};

}  // namespace calhost::sandbox
