#include "storage/users.h"

#include <algorithm>

namespace calhost::storage {
namespace {

/// Addresses differ only by more than ASCII case; the engines' own lower() differ beyond ASCII.
std::string email_key(std::string_view email) {
    std::string key(email);
    std::ranges::transform(key, key.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return key;
}

#define USER_COLUMNS \
    "id, email, is_email_verified, name, role, time_zone, password_hash, created_at"

User read_user(const Row& row) {
    return {.id = row.string(0),
            .email = row.string(1),
            .is_email_verified = row.boolean(2),
            .name = row.string(3),
            .role = row.string(4),
            .time_zone = row.string(5),
            .password_hash = row.string(6),
            .created_at = row.time(7)};
}

std::string read_id(const Row& row) { return row.string(0); }

}  // namespace

Result<void> insert_user(Sql& sql, const User& user) {
    const std::string key = email_key(user.email);
    auto done = sql.execute("INSERT INTO users (" USER_COLUMNS
                            ", email_key) "
                            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                            {user.id, user.email, user.is_email_verified, user.name, user.role,
                             user.time_zone, user.password_hash, user.created_at, key});
    if (!done && done.error().code == ErrorCode::already_exists)
        return fail(ErrorCode::already_exists, "This e-mail address is taken.");
    if (!done) return fail(std::move(done.error()));
    sql.notify({"users", user.id, user.id});
    return {};
}

Result<std::optional<User>> find_user(Sql& sql, std::string_view id) {
    return sql.first("SELECT " USER_COLUMNS " FROM users WHERE id = $1", {id}, read_user);
}

Result<std::optional<User>> find_user_by_email(Sql& sql, std::string_view email) {
    const std::string key = email_key(email);
    return sql.first("SELECT " USER_COLUMNS " FROM users WHERE email_key = $1", {key}, read_user);
}

Result<void> update_password_hash(Sql& sql, std::string_view user_id, std::string_view hash) {
    auto done = sql.execute("UPDATE users SET password_hash = $2 WHERE id = $1", {user_id, hash});
    if (!done) return fail(std::move(done.error()));
    if (*done == 0) return fail(ErrorCode::not_found, "This user does not exist any more.");
    sql.notify({"users", std::string(user_id), std::string(user_id)});
    return {};
}

Result<bool> delete_user(Sql& sql, std::string_view user_id) {
    auto connections = sql.all("SELECT id FROM connections WHERE user_id = $1", {user_id}, read_id);
    if (!connections) return fail(std::move(connections.error()));
    // Not a foreign key: a job may belong to nobody.
    auto jobs = sql.execute("DELETE FROM jobs WHERE user_id = $1", {user_id});
    if (!jobs) return fail(std::move(jobs.error()));
    auto done = sql.execute("DELETE FROM users WHERE id = $1", {user_id});
    if (!done) return fail(std::move(done.error()));
    if (*done == 0) return false;
    for (auto& id : *connections) sql.notify({"connections", std::move(id), std::string(user_id)});
    sql.notify({"users", std::string(user_id), std::string(user_id)});
    return true;
}

#undef USER_COLUMNS

}  // namespace calhost::storage
