/// Pieces that the rules share. Nobody outside the room includes this.
#pragma once

#include <boost/json/object.hpp>

#include "lua/value.h"

namespace calhost::plugin {

/// The object outlives the push.
lua::Push push_object(const boost::json::object& object);

}  // namespace calhost::plugin
