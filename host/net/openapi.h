/// The contract as a document, built from the table that serves it.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "net/router.h"

namespace calhost::net {

/// OpenAPI 3.1: every route with its caller, its parameters and its answers; every other answer is
/// a Problem. Mounted prefixes are not part of it.
boost::json::object build_openapi(const Router& router, std::string title, std::string version);

}  // namespace calhost::net
