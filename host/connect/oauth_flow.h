/// Connecting a calendar by OAuth: authorization code with PKCE and a single-use state bound to
/// user, browser, provider, account and redirect URI (RFC 9700, 7636, 9207; http-api, section 3
/// "State").
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "connect/jobs.h"
#include "connect/services.h"
#include "connect/token_endpoint.h"
#include "storage/connections.h"
#include "storage/oauth_states.h"

namespace calhost::connect {

struct FlowOptions {
    std::string public_url;  ///< for the default redirect URI
    std::string unbound =
        "confirm";  ///< confirm accept refuse: what to do when no cookie comes back
};

struct Begin {
    std::string user_id;
    std::string provider;
    std::string account = "primary";
    std::string purpose = "full";
    std::string return_to;  ///< a checked path of the frontend, or empty
    std::string login_hint;
    bool is_navigation = false;  ///< the browser itself came to us: its cookie must come back
};

struct Begun {
    std::string authorization_url;
    std::string cookie_name;
    std::string cookie_value;
};

/// What came back from the provider.
struct Callback {
    std::string path;  ///< of this request: a state works only where its redirect URI points
    std::string state, code, error, issuer;
    std::function<std::string(const std::string& name)> cookie;
    std::string request_id;  ///< for the audit log
};

/// The connection is stored.
struct Connected {
    storage::Connection connection;
    std::string return_to;
};
/// Nobody knows whether this browser began the flow: the person is asked once.
struct NeedsConfirmation {
    std::string token;    ///< for the form
    std::string user_id;  ///< whose account here
    std::string provider_title;
    std::string account_email;  ///< whose account there
};
using Finished = std::variant<Connected, NeedsConfirmation>;

/// Why it did not work: `word` is the stable code of the answer and of `error=` in a redirect.
struct FlowFailure {
    std::string word;
    Error error;
    std::string user_id;  ///< empty while the state is not known to be good
    std::string return_to;
};

/// A grant that another host got for one of our users, at the same provider app.
struct Offer {
    std::string user_id;
    std::string provider;
    std::string account = "primary";
    std::string scopes;  ///< that the sender has; space separated
    Secret refresh_token;
};

/// *Thread*: any worker's.
class OauthFlow {
  public:
    OauthFlow(Services& services, FlowOptions options)
        : services_(&services), options_(std::move(options)) {}

    /// *Errors*: not_found (no such provider), misconfigured (no client id), unsupported (no
    /// OAuth).
    Task<Result<Begun>> begin(Begin request);

    /// Checks everything, exchanges the code, seals and stores. Words: missing_state,
    /// unknown_state, state_expired, state_used, wrong_callback, wrong_issuer, other_browser,
    /// oauth_error, code_refused, provider_unavailable and invalid_response (the state stays
    /// usable), missing_permission, no_refresh_token, provider_not_configured, storage_unavailable.
    /// What is refused for a missing permission or refresh token is given back at the provider, by
    /// a job, unless somebody is connected to that account.
    Task<std::expected<Finished, FlowFailure>> finish(Callback callback);

    /// The person's answer on the confirmation page; declining revokes what was granted, as a job
    /// that is repeated until the provider has heard it.
    Task<std::expected<Connected, FlowFailure>> confirm(std::string token, bool accepted,
                                                        std::string request_id);
    /// Nobody answered in time.
    Task<Result<void>> revoke_pending(std::string hash);

    /// Stores a grant that somebody else got. The provider is asked to refresh it as ours, which it
    /// refuses for a grant of another client; nothing of it is revoked, whatever is wrong with it.
    /// Words: foreign_grant, and those of `finish` that are about the provider and the store.
    Task<std::expected<Connected, FlowFailure>> adopt(Offer offer);

    /// Where the provider sends people back to.
    [[nodiscard]] std::string redirect_uri(const plugin::ProviderInfo& provider) const;

    /// A grant on its way into the store (received.h).
    struct Received;

  private:
    using Failed = std::unexpected<FlowFailure>;

    Task<std::expected<storage::OauthState, FlowFailure>> check_state(const Callback& callback);
    std::expected<void, FlowFailure> check_issuer(const Callback& callback,
                                                  const storage::OauthState& state);
    /// True: this browser began it. False: nobody knows.
    std::expected<bool, FlowFailure> check_browser(const Callback& callback,
                                                   const storage::OauthState& state);
    Task<std::expected<Received, FlowFailure>> receive(const Callback& callback,
                                                       const storage::OauthState& state);
    /// Compares the scopes, and asks whose account it is.
    Task<std::expected<Received, FlowFailure>> admit(Grant grant, const storage::OauthState& state);
    Task<std::expected<Connected, FlowFailure>> store(Received received);
    Task<std::expected<Finished, FlowFailure>> ask(Received received);

    Services* services_;
    FlowOptions options_;
};

}  // namespace calhost::connect
