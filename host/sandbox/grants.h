/// What an OAuth server keeps, whoever plays it: questions that wait for a person, codes bound by
/// PKCE, grants, and tokens that expire. What requests and answers look like is the provider's.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <expected>
#include <map>
#include <optional>

#include "sandbox/scopes.h"
#include "sandbox/world.h"

namespace calhost::sandbox {

/// What an authorization request asked.
struct Ticket {
    std::string redirect_uri;
    std::string state;
    std::string challenge;
    std::string tenant;
    std::string nonce;
    std::vector<std::string> scopes;
    std::string login_hint;
    bool is_offline = false;
    bool wants_consent = false;
    bool includes_granted = false;  ///< what was granted before comes along
    Timestamp expires;
};

struct Grant {
    std::string email;
    Scopes scopes;
    std::string nonce;
    std::string refresh_token;  ///< the live one; empty: none was given
    Timestamp refresh_expires;
    std::uint64_t number = 0;
};

/// What differs between providers.
struct GrantRules {
    std::string_view code_prefix;
    std::string_view access_prefix;
    std::string_view refresh_prefix;
    milliseconds refresh_life;
    std::size_t max_refresh_tokens;  ///< of one account at one client; the oldest dies
    bool rotates_refresh_tokens;
};

/// What the control API may change while serving.
struct GrantSettings {
    bool rotates_refresh_tokens = false;       ///< the old one dies with its use
    std::optional<milliseconds> refresh_life;  ///< such as seven days, for a project in testing
};

/// Why a code or a refresh token is not taken.
enum class Refusal { unknown, used, expired, wrong_redirect, no_verifier, wrong_verifier };

/// *Thread*: one.
class Grants {
  public:
    Grants(World& world, const GrantRules& rules)
        : settings{rules.rotates_refresh_tokens, {}}, world_(&world), rules_(&rules) {}

    /// Keeps a question until somebody decides; gives its unguessable name.
    std::string keep(Ticket ticket);
    /// A kept question, once; none for one that is too old.
    std::optional<Ticket> take(std::string_view name);

    /// True for an account that granted something before and did not take it back.
    [[nodiscard]] bool has_consented(std::string_view email) const;
    /// The person agreed: gives the code.
    std::string consent(const Ticket& ticket, const std::string& email, const Scopes& granted,
                        bool gives_refresh_token);

    /// The grant behind a code. *Errors*: why not; a code that is used twice ends what it gave.
    std::expected<Grant*, Refusal> redeem(std::string_view code, std::string_view redirect_uri,
                                          std::string_view verifier);
    /// True if the code's grant came with a refresh token.
    [[nodiscard]] bool gives_refresh_token(std::string_view code) const;
    /// The grant behind a refresh token. *Errors*: unknown; used, for one that was replaced;
    /// expired.
    std::expected<Grant*, Refusal> find_refresh(std::string_view token);

    std::string give_access_token(const Grant& grant);
    void give_refresh_token(std::uint64_t grant);
    /// Its refresh token was used: it lives on.
    void prolong(Grant& grant);

    /// The grant of the request's live access token, or null.
    const Grant* authenticate(const net::Request& request) const;
    /// The account behind a token of either kind, or empty.
    [[nodiscard]] std::string owner_of(std::string_view token) const;

    void end(std::uint64_t grant);
    /// Ends the grant of a refresh token, a replaced one too.
    void end_of(std::string_view refresh_token);
    /// The person takes back what was granted, at the provider. Gives how many grants ended.
    int revoke_account(std::string_view email);
    void expire_access_tokens() { access_tokens_.clear(); }
    void clear() { *this = Grants(*world_, *rules_); }
    /// Grants, tokens and consents; codes and tickets are gone with the program.
    [[nodiscard]] boost::json::object save() const;
    void restore(const boost::json::value& memory);

    GrantSettings settings;

  private:
    struct Code {
        Ticket ticket;
        std::uint64_t grant = 0;
        bool gives_refresh_token = false;
        bool is_used = false;
        Timestamp expires;
    };
    struct AccessToken {
        std::uint64_t grant = 0;
        Timestamp expires;
    };

    World* world_;
    const GrantRules* rules_;
    std::map<std::string, Ticket, std::less<>> tickets_;
    std::map<std::string, Code, std::less<>> codes_;
    std::map<std::uint64_t, Grant> grants_;
    std::map<std::string, AccessToken, std::less<>> access_tokens_;
    std::map<std::string, std::uint64_t, std::less<>> refresh_tokens_;  ///< live and replaced ones
    std::map<std::string, Scopes, std::less<>> consents_;               ///< by e-mail
    std::uint64_t last_grant_ = 0;
};

}  // namespace calhost::sandbox
