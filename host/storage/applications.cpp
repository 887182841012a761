#include "storage/applications.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define APPLICATION_COLUMNS "id, name, sealed_webhook_secret, created_at"

Application read_application(const Row& row) {
    return {.id = row.string(0),
            .name = row.string(1),
            .sealed_webhook_secret = row.string(2),
            .created_at = row.time(3)};
}

}  // namespace

Result<void> insert_application(Sql& sql, const Application& application) {
    auto done =
        sql.execute("INSERT INTO applications (" APPLICATION_COLUMNS ") VALUES ($1, $2, $3, $4)",
                    {application.id, application.name, application.sealed_webhook_secret,
                     application.created_at});
    if (!done && done.error().code == ErrorCode::already_exists)
        return fail(ErrorCode::already_exists, "There is an application with this name already.");
    if (!done) return fail(std::move(done.error()));
    sql.notify({"applications", application.id, ""});
    return to_void(
        sql.execute("INSERT INTO application_users (application_id, user_id) "
                    "SELECT $1, id FROM users WHERE (SELECT count(*) FROM applications) = 1",
                    {application.id}));
}

Result<std::optional<Application>> find_application(Sql& sql, std::string_view id) {
    return sql.first("SELECT " APPLICATION_COLUMNS " FROM applications WHERE id = $1", {id},
                     read_application);
}

Result<std::optional<Application>> find_application_by_name(Sql& sql, std::string_view name) {
    return sql.first("SELECT " APPLICATION_COLUMNS " FROM applications WHERE name = $1", {name},
                     read_application);
}

Result<std::vector<Application>> list_applications(Sql& sql, std::string_view after, int limit) {
    return sql.all("SELECT " APPLICATION_COLUMNS
                   " FROM applications WHERE id > $1 ORDER BY id LIMIT $2",
                   {after, limit}, read_application);
}

Result<bool> set_webhook_secret(Sql& sql, std::string_view id, std::string_view sealed) {
    return notify_if_changed(
        sql,
        sql.execute("UPDATE applications SET sealed_webhook_secret = $2 WHERE id = $1",
                    {id, sealed}),
        {"applications", std::string(id), ""});
}

Result<bool> delete_application(Sql& sql, std::string_view id) {
    return notify_if_changed(sql, sql.execute("DELETE FROM applications WHERE id = $1", {id}),
                             {"applications", std::string(id), ""});
}

Result<void> add_application_user(Sql& sql, std::string_view application_id,
                                  std::string_view user_id) {
    return to_void(
        sql.execute("INSERT INTO application_users (application_id, user_id) VALUES ($1, $2) "
                    "ON CONFLICT DO NOTHING",
                    {application_id, user_id}));
}

Result<bool> remove_application_user(Sql& sql, std::string_view application_id,
                                     std::string_view user_id) {
    return is_changed(
        sql.execute("DELETE FROM application_users WHERE application_id = $1 AND user_id = $2",
                    {application_id, user_id}));
}

Result<void> join_only_application(Sql& sql, std::string_view user_id) {
    return to_void(
        sql.execute("INSERT INTO application_users (application_id, user_id) "
                    "SELECT id, $1 FROM applications "
                    "WHERE (SELECT count(*) FROM applications) = 1",
                    {user_id}));
}

Result<bool> is_user_of(Sql& sql, std::string_view application_id, std::string_view user_id) {
    bool is_known = false;
    auto read =
        sql.query("SELECT 1 FROM application_users WHERE application_id = $1 AND user_id = $2",
                  {application_id, user_id}, [&](const Row&) { is_known = true; });
    if (!read) return fail(std::move(read.error()));
    return is_known;
}

#undef APPLICATION_COLUMNS

}  // namespace calhost::storage
