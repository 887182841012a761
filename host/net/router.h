/// The table that serves requests and describes them: one list of routes, from which GET
/// /openapi.json is built too.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/message.h"

namespace calhost::net {

using Handler = std::function<Task<Response>(Request&)>;

/// What a route tells the contract about itself.
struct RouteInfo {
    std::string summary;
    std::string tag;           ///< "auth", "connections", "events", …
    std::string who = "user";  ///< "open", "user", "application", "admin"
    /// Query and header parameters: {"name", "in", "description", "schema"}… as OpenAPI has them.
    boost::json::array parameters;
    boost::json::value request_body;  ///< JSON schema, or null
    boost::json::object responses;    ///< status → {"description", schema}
};

struct Route {
    std::string method;
    std::string path;  ///< "/api/calendar/connections/{id}"
    Handler handler;
    RouteInfo info;
};

/// *Thread*: built before serving, then read by one worker.
class Router {
  public:
    /// *Errors*: throws std::logic_error for a path that is already taken (a bug).
    void add(Route route);
    /// Everything below `prefix` goes to `handler`, whatever the method; not in the contract.
    void mount(std::string prefix, Handler handler);

    /// Runs the route's handler. `not_found` and `wrong_method` make those answers, so that they
    /// look like every other problem; 405 carries Allow. HEAD is served as GET without a body.
    Task<Response> dispatch(Request& request) const;
    std::function<Response(const Request&)> not_found;
    std::function<Response(const Request&, const std::string& allow)> wrong_method;

    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

  private:
    struct Node;
    struct Mount;
    std::vector<Route> routes_;
    std::shared_ptr<Node> root_;
    std::vector<Mount> mounts_;
};

}  // namespace calhost::net
