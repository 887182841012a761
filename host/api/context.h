/// What the handlers of one worker work with.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "accounts/accounts.h"
#include "accounts/throttle.h"
#include "api/limits.h"
#include "connect/connections.h"
#include "connect/oauth_flow.h"
#include "net/router.h"
#include "plugin/rules.h"
#include "sync/homes.h"
#include "sync/upcoming.h"

namespace calhost::api {

/// Behind this in a path stands the token of a one-time link, which no log may have.
inline constexpr std::string_view kLinks = "/connect-links/";

/// Behind this stands the secret of a person's feed.
inline constexpr std::string_view kFeeds = "/api/calendar/feed/";

struct ApiOptions {
    std::string version;
    std::string public_url;
    std::string frontend_url;
    std::vector<std::string> allowed_origins;  ///< exact origins
    double requests_per_second = 100;          ///< per principal and per address; 0: no limit
};

/// *Thread*: one worker's. *Ownership*: refers to what outlives the router.
struct Context {
    connect::Services& services;
    accounts::Accounts& accounts;
    connect::OauthFlow& flow;
    plugin::Rules& rules;
    const sync::Homes& homes;
    accounts::Throttle& throttle;  ///< for looking at addresses that people enter
    ApiOptions options;
    Limits limits;
    std::function<void()> wake_jobs;  ///< something was enqueued that should run now
    /// Finished status answers by user and query, dropped when a connection of the user changes.
    std::unordered_map<std::string, std::unordered_map<std::string, std::string>> status_answers;
};

/// What a route runs: for anyone, or for a caller who is known.
using OpenFunction = Task<net::Response> (*)(Context&, net::Request&);
using UserFunction =
    std::function<Task<net::Response>(Context&, net::Request&, accounts::Principal)>;

// Every guard knows the caller by his bearer token or API key (401) and takes from his token bucket
// (429). Whoever is known and may not is answered 403 `forbidden`. `scope` is a literal. An unsafe
// call with an Idempotency-Key runs once (api/idempotency.h); an answer that holds a secret says
// `Cache-Control: no-store`, and is not stored then.

/// For a user, whose id the principal has. His own key does with the scope `user`.
net::Handler signed_in(Context& context, UserFunction function);
/// For an application whose key has the scope. The function reaches only what
/// `principal.application_id` reaches (storage/applications.h).
net::Handler for_application(Context& context, std::string_view scope, UserFunction function);
/// For an application whose key has the scope, or for a user; the user's own key has it, or `user`.
net::Handler for_anyone_known(Context& context, std::string_view scope, UserFunction function);
/// For a user with the role `admin`; a key of his does with the scope `admin`.
net::Handler for_admin(Context& context, UserFunction function);
/// The function, or a handler, behind the address's token bucket.
net::Handler open_to_all(Context& context, OpenFunction function);
net::Handler open_to_all(Context& context, net::Handler handler);

void add_admin_job_routes(net::Router& router, Context& context);
void add_audit_routes(net::Router& router, Context& context);
void add_auth_routes(net::Router& router, Context& context);
void add_application_routes(net::Router& router, Context& context);
void add_key_routes(net::Router& router, Context& context);
void add_lease_routes(net::Router& router, Context& context);
void add_user_routes(net::Router& router, Context& context);
void add_connect_routes(net::Router& router, Context& context);
void add_callback_routes(net::Router& router, Context& context);
void add_field_routes(net::Router& router, Context& context);
void add_calendar_routes(net::Router& router, Context& context);
void add_choice_routes(net::Router& router, Context& context);
void add_booking_routes(net::Router& router, Context& context);
void add_booking_webhook(net::Router& router, Context& context);
void add_feed_routes(net::Router& router, Context& context);
void add_busy_routes(net::Router& router, Context& context);
void add_test_routes(net::Router& router, Context& context);
void add_open_routes(net::Router& router, Context& context);
/// Those of the plugins. Last: the host's own win.
/// *Errors*: misconfigured, for a path that is taken.
Result<void> add_plugin_routes(net::Router& router, Context& context);

/// The whole API of a worker: routes, CORS, limits, landing page. *Ownership*: `context` outlives
/// it.
class Api {
  public:
    /// The host's own routes.
    explicit Api(Context& context);
    /// *Errors*: misconfigured, for a path that is taken.
    Result<void> add_plugins() { return add_plugin_routes(router_, *context_); }
    /// Serves one request.
    Task<net::Response> handle(net::Request& request);
    /// Something changed in the store.
    void on_change(const storage::Change& change);
    net::Router& router() { return router_; }

  private:
    /// With an Origin: CORS applies.
    Task<net::Response> handle_from_page(net::Request& request);

    Context* context_;
    net::Router router_;
};

}  // namespace calhost::api
