/// A user as the calls show him.
#pragma once

#include "base/json.h"
#include "storage/users.h"

namespace calhost::api {

json::object user_shape(const storage::User& user);

}  // namespace calhost::api
