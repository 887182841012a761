#include "storage/api_keys.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define KEY_COLUMNS "id, hash, application_id, user_id, name, scopes, providers, created_at"

std::vector<std::string> read_words(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto space = text.find(' ');
        words.emplace_back(text.substr(0, space));
        text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    }
    return words;
}

std::string words_text(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

ApiKey read_key(const Row& row) {
    return {.id = row.string(0),
            .hash = row.string(1),
            .application_id = row.maybe_string(2),
            .user_id = row.maybe_string(3),
            .name = row.string(4),
            .scopes = read_words(row.text(5)),
            .providers = read_words(row.text(6)),
            .created_at = row.time(7)};
}

}  // namespace

Result<void> insert_api_key(Sql& sql, const ApiKey& key) {
    const auto scopes = words_text(key.scopes);
    const auto providers = words_text(key.providers);
    auto done = sql.execute("INSERT INTO api_keys (" KEY_COLUMNS
                            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                            {key.id, key.hash, key.application_id, key.user_id, key.name, scopes,
                             providers, key.created_at});
    if (!done) return fail(std::move(done.error()));
    sql.notify({"api_keys", key.id, key.user_id.value_or("")});
    return {};
}

Result<std::optional<ApiKey>> find_api_key_by_hash(Sql& sql, std::string_view hash) {
    return sql.first("SELECT " KEY_COLUMNS " FROM api_keys WHERE hash = $1", {hash}, read_key);
}

Result<std::vector<ApiKey>> list_keys_of_user(Sql& sql, std::string_view user_id,
                                              std::string_view after, int limit) {
    return sql.all("SELECT " KEY_COLUMNS
                   " FROM api_keys WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
                   {user_id, after, limit}, read_key);
}

Result<bool> delete_key_of_user(Sql& sql, std::string_view user_id, std::string_view id) {
    return notify_if_changed(
        sql, sql.execute("DELETE FROM api_keys WHERE id = $1 AND user_id = $2", {id, user_id}),
        {"api_keys", std::string(id), std::string(user_id)});
}

Result<std::vector<ApiKey>> list_keys_of_application(Sql& sql, std::string_view application_id) {
    return sql.all("SELECT " KEY_COLUMNS
                   " FROM api_keys WHERE application_id = $1 ORDER BY created_at, id",
                   {application_id}, read_key);
}

Result<bool> delete_key_of_application(Sql& sql, std::string_view application_id,
                                       std::string_view id) {
    return notify_if_changed(
        sql,
        sql.execute("DELETE FROM api_keys WHERE id = $1 AND application_id = $2",
                    {id, application_id}),
        {"api_keys", std::string(id), ""});
}

#undef KEY_COLUMNS

}  // namespace calhost::storage
