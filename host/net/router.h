/// The table that serves requests and describes them: one list of routes, from which GET
/// /openapi.json is built too.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
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
    boost::json::object responses;    ///< status → {"description", "schema"?}
};

struct Route {
    std::string method;
    /// "/api/calendar/connections/{id}"; a segment may go on behind its parameter: "{secret}.ics".
    std::string path;
    Handler handler;
    RouteInfo info;
};

/// A literal segment wins over a parameter, and `GET` serves HEAD too. A parameter is never empty.
/// *Thread*: built before serving, then read by one worker.
class Router {
  public:
    Router();

    /// *Errors*: throws std::logic_error for a path that is already taken (a bug).
    void add(Route route);
    /// The same for what comes from outside the host; false: the path is taken.
    [[nodiscard]] bool try_add(Route route);
    /// Everything at and below `prefix` goes to `handler`, whatever the method, unless a route has
    /// the path; the longest prefix wins. Not in the contract.
    void mount(std::string prefix, Handler handler);

    /// Runs the route's handler. `not_found` and `wrong_method` make those answers, so that they
    /// look like every other problem; 405 carries Allow. The server cuts the body off for HEAD.
    Task<Response> dispatch(Request& request) const;
    std::function<Response(const Request&)> not_found;
    std::function<Response(const Request&, const std::string& allow)> wrong_method;

    /// The methods of a path as the Allow header has them ("GET, HEAD, POST"), or empty for a path
    /// that no route has; for answering OPTIONS.
    [[nodiscard]] std::string allowed_methods(std::string_view path) const;

    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

  private:
    struct Node;
    struct Search;
    struct Mount {
        std::string prefix;
        Handler handler;
    };
    static void find(const Node& node, std::string_view rest, Search& search);
    [[nodiscard]] const Mount* find_mount(std::string_view path) const;

    std::vector<Route> routes_;
    std::shared_ptr<Node> root_;
    std::vector<Mount> mounts_;
};

}  // namespace calhost::net
