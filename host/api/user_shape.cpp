#include "api/user_shape.h"

namespace calhost::api {

json::object user_shape(const storage::User& user) {
    return {{"id", user.id},
            {"email", user.email},
            {"email_verified", user.is_email_verified},
            {"name", user.name},
            {"role", user.role.empty() ? json::value(nullptr) : json::value(user.role)},
            {"created_at", format_rfc3339(user.created_at)}};
}

}  // namespace calhost::api
