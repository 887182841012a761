/// Short forms for what a route says about itself in /openapi.json.
#pragma once

#include <initializer_list>

#include "net/router.h"

namespace calhost::api {

struct QueryParameter {
    std::string_view name;
    std::string_view description;
};

/// A route's entry; the responses of problems are added to every route.
net::RouteInfo describe(std::string_view tag, std::string_view who, std::string_view summary,
                        std::initializer_list<QueryParameter> query = {});
/// With a JSON body: name → type ("string", "boolean", …); a trailing '?' in the name means
/// optional.
net::RouteInfo describe_body(
    std::string_view tag, std::string_view who, std::string_view summary,
    std::initializer_list<std::pair<std::string_view, std::string_view>> members);

}  // namespace calhost::api
