#include "storage/sealed.h"

#include <array>
#include <map>

#include "storage/changed.h"

namespace calhost::storage {
namespace {

/// A column of sealed values. `list` gives key, row, user and value of what does not begin with $1,
/// a prefix of $2 characters; `replace` takes key, new and old value, and user.
struct Column {
    std::string_view table;
    std::string_view name;
    std::string_view list;
    std::string_view replace;
    std::string_view all;
};

constexpr std::array kColumns{
    Column{"connections", "sealed_access_token",
           "SELECT id, id, user_id, sealed_access_token FROM connections WHERE "
           "sealed_access_token <> '' AND substr(sealed_access_token, 1, $2) <> $1 ORDER BY id "
           "LIMIT $3",
           "UPDATE connections SET sealed_access_token = $2 WHERE id = $1 AND sealed_access_token "
           "= $3 "
           "AND user_id = $4",
           "SELECT sealed_access_token FROM connections WHERE sealed_access_token <> ''"},
    Column{"connections", "sealed_refresh_token",
           "SELECT id, id, user_id, sealed_refresh_token FROM connections WHERE "
           "sealed_refresh_token <> '' AND substr(sealed_refresh_token, 1, $2) <> $1 ORDER BY id "
           "LIMIT $3",
           "UPDATE connections SET sealed_refresh_token = $2 WHERE id = $1 AND "
           "sealed_refresh_token = $3 "
           "AND user_id = $4",
           "SELECT sealed_refresh_token FROM connections WHERE sealed_refresh_token <> ''"},
    Column{"oauth_states", "sealed_verifier",
           "SELECT hash, hash, user_id, sealed_verifier FROM oauth_states WHERE "
           "sealed_verifier <> '' AND substr(sealed_verifier, 1, $2) <> $1 ORDER BY hash LIMIT $3",
           "UPDATE oauth_states SET sealed_verifier = $2 WHERE hash = $1 AND sealed_verifier = $3 "
           "AND user_id = $4",
           "SELECT sealed_verifier FROM oauth_states WHERE sealed_verifier <> ''"},
    Column{"pending_grants", "sealed_grant",
           "SELECT hash, hash, user_id, sealed_grant FROM pending_grants WHERE "
           "sealed_grant <> '' AND substr(sealed_grant, 1, $2) <> $1 ORDER BY hash LIMIT $3",
           "UPDATE pending_grants SET sealed_grant = $2 WHERE hash = $1 AND sealed_grant = $3 AND "
           "user_id = $4",
           "SELECT sealed_grant FROM pending_grants WHERE sealed_grant <> ''"},
    Column{"jobs", "payload",
           "SELECT id, target, user_id, payload FROM jobs WHERE "
           "substr(payload, 1, 3) = 'v1:' AND substr(payload, 1, $2) <> $1 ORDER BY id LIMIT $3",
           "UPDATE jobs SET payload = $2 WHERE id = $1 AND payload = $3 AND user_id = $4",
           "SELECT payload FROM jobs WHERE substr(payload, 1, 3) = 'v1:'"},
    Column{"applications", "sealed_webhook_secret",
           "SELECT id, id, '', sealed_webhook_secret FROM applications WHERE "
           "sealed_webhook_secret <> '' AND substr(sealed_webhook_secret, 1, $2) <> $1 ORDER BY id "
           "LIMIT $3",
           "UPDATE applications SET sealed_webhook_secret = $2 WHERE id = $1 AND "
           "sealed_webhook_secret = $3 AND $4 = ''",
           "SELECT sealed_webhook_secret FROM applications WHERE sealed_webhook_secret <> ''"},
    Column{"idempotency_keys", "sealed_call",
           "SELECT id, id, '', sealed_call FROM idempotency_keys WHERE "
           "substr(sealed_call, 1, $2) <> $1 ORDER BY id LIMIT $3",
           "UPDATE idempotency_keys SET sealed_call = $2 WHERE id = $1 AND sealed_call = $3 AND "
           "$4 = ''",
           "SELECT sealed_call FROM idempotency_keys"},
};
constexpr std::string_view kMark = "v1:";

/// "k1" of "v1:k1:…"; empty for the older form.
std::string key_id(std::string_view sealed) {
    if (!sealed.starts_with(kMark)) return {};
    sealed.remove_prefix(kMark.size());
    return std::string(sealed.substr(0, sealed.find(':')));
}

}  // namespace

Result<std::vector<SealedValue>> list_sealed_with_other_key(Sql& sql, std::string_view active_key,
                                                            int limit) {
    const std::string prefix = std::string(kMark) + std::string(active_key) + ":";
    std::vector<SealedValue> values;
    for (const auto& column : kColumns) {
        auto done = sql.query(column.list, {prefix, prefix.size(), limit}, [&](const Row& row) {
            values.push_back({column.table, column.name, row.string(0), row.string(1),
                              row.string(2), row.string(3)});
        });
        if (!done) return fail(std::move(done.error()));
    }
    return values;
}

Result<bool> replace_sealed(Sql& sql, const SealedValue& old_value, std::string_view sealed) {
    for (const auto& column : kColumns) {
        if (column.table != old_value.table || column.name != old_value.column) continue;
        return notify_if_changed(
            sql,
            sql.execute(column.replace, {old_value.key, sealed, old_value.sealed, old_value.user}),
            {std::string(column.table), old_value.key, old_value.user});
    }
    return false;
}

Result<std::vector<std::pair<std::string, std::int64_t>>> count_sealed_by_key(Sql& sql) {
    std::map<std::string, std::int64_t> counts;
    for (const auto& column : kColumns) {
        auto done =
            sql.query(column.all, {}, [&](const Row& row) { ++counts[key_id(row.text(0))]; });
        if (!done) return fail(std::move(done.error()));
    }
    return std::vector<std::pair<std::string, std::int64_t>>(counts.begin(), counts.end());
}

}  // namespace calhost::storage
