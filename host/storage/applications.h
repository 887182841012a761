/// Tables `applications` and `application_users`: programs that call this host for people, and whom
/// each of them reaches.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

struct Application {
    std::string id;
    std::string name;                   ///< unique
    std::string sealed_webhook_secret;  ///< empty: none was made yet
    Timestamp created_at{};
};

/// The host's first application gets every user; each later one those whom the operator names.
/// *Errors*: already_exists, when the name is taken.
Result<void> insert_application(Sql& sql, const Application& application);
Result<std::optional<Application>> find_application(Sql& sql, std::string_view id);
Result<std::optional<Application>> find_application_by_name(Sql& sql, std::string_view name);
/// In the order of their ids, those behind `after`, at most `limit`.
Result<std::vector<Application>> list_applications(Sql& sql, std::string_view after, int limit);
Result<bool> set_webhook_secret(Sql& sql, std::string_view id, std::string_view sealed);
/// Keys, users and bookings of the application go with the row.
Result<bool> delete_application(Sql& sql, std::string_view id);

/// Whoever is known to it already stays so. *Errors*: conflict, when one of them does not exist.
Result<void> add_application_user(Sql& sql, std::string_view application_id,
                                  std::string_view user_id);
Result<bool> remove_application_user(Sql& sql, std::string_view application_id,
                                     std::string_view user_id);
/// A new user belongs to the host's application if it has exactly one; `insert_user` sees to it.
Result<void> join_only_application(Sql& sql, std::string_view user_id);

/// Whether the application reaches the user; `find_users_of` (storage/users.h) gives them all.
Result<bool> is_user_of(Sql& sql, std::string_view application_id, std::string_view user_id);

}  // namespace calhost::storage
