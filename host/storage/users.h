/// Table `users`.
#pragma once

#include "base/secret.h"
#include "storage/sql.h"

namespace calhost::storage {

struct User {
    std::string id;
    std::string email;  ///< as given; compared in lower case
    bool is_email_verified = false;
    std::string name;
    std::string role;           ///< may be empty
    std::string time_zone;      ///< IANA; "Etc/UTC" at first
    std::string password_hash;  ///< empty: cannot sign in with a password
    Timestamp created_at{};
};

/// *Errors*: already_exists, when the address is taken.
Result<void> insert_user(Sql& sql, const User& user);
Result<std::optional<User>> find_user(Sql& sql, std::string_view id);
Result<std::optional<User>> find_user_by_email(Sql& sql, std::string_view email);
Result<void> update_password_hash(Sql& sql, std::string_view user_id, std::string_view hash);
/// Connections, states, events and jobs of the user go with the row.
Result<bool> delete_user(Sql& sql, std::string_view user_id);

}  // namespace calhost::storage
