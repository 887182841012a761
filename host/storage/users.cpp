#include "storage/users.h"

#include "storage/applications.h"
#include "storage/email_key.h"

namespace calhost::storage {
namespace {

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
    return join_only_application(sql, user.id);
}

Result<std::optional<User>> find_user(Sql& sql, std::string_view id) {
    return sql.first("SELECT " USER_COLUMNS " FROM users WHERE id = $1", {id}, read_user);
}

Result<std::optional<User>> find_user_by_email(Sql& sql, std::string_view email) {
    const std::string key = email_key(email);
    return sql.first("SELECT " USER_COLUMNS " FROM users WHERE email_key = $1", {key}, read_user);
}

Result<std::vector<User>> list_users(Sql& sql, std::string_view after, int limit) {
    return sql.all("SELECT " USER_COLUMNS " FROM users WHERE id > $1 ORDER BY id LIMIT $2",
                   {after, limit}, read_user);
}

Result<std::vector<User>> find_users_of(Sql& sql, std::string_view application_id,
                                        std::string_view after, int limit) {
    return sql.all("SELECT " USER_COLUMNS
                   " FROM users WHERE id > $2 AND id IN (SELECT user_id FROM application_users "
                   "WHERE application_id = $1) ORDER BY id LIMIT $3",
                   {application_id, after, limit}, read_user);
}

Result<std::optional<User>> change_user(Sql& sql, std::string_view user_id,
                                        const UserChange& change) {
    auto user = sql.first(
        "UPDATE users SET role = coalesce($2, role), "
        "is_email_verified = coalesce($3, is_email_verified) WHERE id = $1 "
        "RETURNING " USER_COLUMNS,
        {user_id, change.role, change.is_email_verified}, read_user);
    if (user && *user) sql.notify({"users", std::string(user_id), std::string(user_id)});
    return user;
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
