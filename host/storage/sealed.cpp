// Resealing: which key each stored secret was sealed with.
#include <array>
#include <map>

#include "storage/changed.h"
#include "storage/connections.h"

namespace calhost::storage {
namespace {

/// Columns that are one sealed value each.
constexpr std::array<std::string_view, 4> kSealedColumns{
    "SELECT sealed_access_token FROM connections WHERE sealed_access_token <> ''",
    "SELECT sealed_refresh_token FROM connections WHERE sealed_refresh_token <> ''",
    "SELECT sealed_verifier FROM oauth_states WHERE sealed_verifier <> ''",
    "SELECT sealed_grant FROM pending_grants WHERE sealed_grant <> ''",
};
constexpr std::string_view kMark = "v1:";

/// "k1" of "v1:k1:…"; empty for the older form.
std::string key_id(std::string_view sealed) {
    if (!sealed.starts_with(kMark)) return {};
    sealed.remove_prefix(kMark.size());
    return std::string(sealed.substr(0, sealed.find(':')));
}

SealedRow read_sealed(const Row& row) {
    return {.id = row.string(0),
            .user_id = row.string(1),
            .sealed_access_token = row.string(2),
            .sealed_refresh_token = row.string(3),
            .generation = row.integer(4)};
}

}  // namespace

Result<std::vector<SealedRow>> list_sealed_with_other_key(Sql& sql, std::string_view active_key,
                                                          int limit) {
    const std::string prefix = std::string(kMark) + std::string(active_key) + ":";
    return sql.all(
        "SELECT id, user_id, sealed_access_token, sealed_refresh_token, generation "
        "FROM connections "
        "WHERE (sealed_access_token <> '' AND substr(sealed_access_token, 1, $2) <> $1) "
        "OR (sealed_refresh_token <> '' AND substr(sealed_refresh_token, 1, $2) <> $1) "
        "ORDER BY id LIMIT $3",
        {prefix, prefix.size(), limit}, read_sealed);
}

Result<bool> replace_sealed(Sql& sql, const SealedRow& old_row, std::string_view access,
                            std::string_view refresh) {
    auto done = sql.execute(
        "UPDATE connections SET sealed_access_token = $3, sealed_refresh_token = $4 "
        "WHERE id = $1 AND user_id = $2 AND sealed_access_token = $5 AND sealed_refresh_token = $6",
        {old_row.id, old_row.user_id, access, refresh, old_row.sealed_access_token,
         old_row.sealed_refresh_token});
    return notify_if_changed(sql, std::move(done), {"connections", old_row.id, old_row.user_id});
}

Result<std::vector<std::pair<std::string, std::int64_t>>> count_sealed_by_key(Sql& sql) {
    std::map<std::string, std::int64_t> counts;
    for (const auto statement : kSealedColumns) {
        auto done =
            sql.query(statement, {}, [&](const Row& row) { ++counts[key_id(row.text(0))]; });
        if (!done) return fail(std::move(done.error()));
    }
    // Inside a job's JSON sealed values are strings, so each begins behind a quote.
    auto done = sql.query("SELECT payload FROM jobs", {}, [&](const Row& row) {
        const std::string_view text = row.text(0);
        for (auto at = text.find("\"v1:"); at != text.npos; at = text.find("\"v1:", at + 1))
            ++counts[key_id(text.substr(at + 1))];
    });
    if (!done) return fail(std::move(done.error()));
    return std::vector<std::pair<std::string, std::int64_t>>(counts.begin(), counts.end());
}

}  // namespace calhost::storage
