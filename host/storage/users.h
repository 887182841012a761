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

/// The host's only application, if it has exactly one, reaches the new user.
/// *Errors*: already_exists, when the address is taken.
Result<void> insert_user(Sql& sql, const User& user);
Result<std::optional<User>> find_user(Sql& sql, std::string_view id);
Result<std::optional<User>> find_user_by_email(Sql& sql, std::string_view email);
/// In the order of their ids, those behind `after`, at most `limit`.
Result<std::vector<User>> list_users(Sql& sql, std::string_view after, int limit);
/// The same of those whom an application reaches.
Result<std::vector<User>> find_users_of(Sql& sql, std::string_view application_id,
                                        std::string_view after, int limit);
Result<void> update_password_hash(Sql& sql, std::string_view user_id, std::string_view hash);
/// What an operator changes; an empty member stays as it is. Gives the row as it is then, or
/// nothing when there is no such user.
struct UserChange {
    std::optional<std::string> role;
    std::optional<bool> is_email_verified;
};
Result<std::optional<User>> change_user(Sql& sql, std::string_view user_id,
                                        const UserChange& change);
/// Connections, states, keys, events and jobs of the user go with the row.
Result<bool> delete_user(Sql& sql, std::string_view user_id);

}  // namespace calhost::storage
