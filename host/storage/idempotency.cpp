#include "storage/idempotency.h"

#include "storage/changed.h"

namespace calhost::storage {
namespace {

IdempotentCall read_call(const Row& row) {
    return {.id = row.string(0),
            .fence = row.string(1),
            .is_done = row.boolean(2),
            .sealed_call = row.string(3),
            .expires_at = row.time(4)};
}

/// Its own row as well, wherever that is in the order.
Result<void> clear_expired(Sql& sql, std::string_view id, Timestamp now) {
    auto own =
        sql.execute("DELETE FROM idempotency_keys WHERE id = $1 AND expires_at <= $2", {id, now});
    if (!own) return fail(std::move(own.error()));
    return to_void(
        sql.execute("DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys "
                    "WHERE expires_at <= $1 ORDER BY expires_at LIMIT 8)",
                    {now}));
}

}  // namespace

Result<std::optional<IdempotentCall>> claim_call(Sql& sql, const IdempotentCall& call,
                                                 Timestamp now) {
    if (auto cleared = clear_expired(sql, call.id, now); !cleared) return fail(cleared.error());
    auto taken = is_changed(
        sql.execute("INSERT INTO idempotency_keys (id, fence, is_done, sealed_call, expires_at) "
                    "VALUES ($1, $2, 0, $3, $4) ON CONFLICT DO NOTHING",
                    {call.id, call.fence, call.sealed_call, call.expires_at}));
    if (!taken) return fail(std::move(taken.error()));
    if (*taken) return std::optional<IdempotentCall>();
    return sql.first(
        "SELECT id, fence, is_done, sealed_call, expires_at FROM idempotency_keys WHERE id = $1",
        {call.id}, read_call);
}

Result<bool> finish_call(Sql& sql, const IdempotentCall& call) {
    return is_changed(
        sql.execute("UPDATE idempotency_keys SET is_done = 1, sealed_call = $3, expires_at = $4 "
                    "WHERE id = $1 AND fence = $2",
                    {call.id, call.fence, call.sealed_call, call.expires_at}));
}

Result<bool> release_call(Sql& sql, std::string_view id, std::string_view fence) {
    return is_changed(
        sql.execute("DELETE FROM idempotency_keys WHERE id = $1 AND fence = $2", {id, fence}));
}

Result<std::int64_t> release_interrupted_calls(Sql& sql) {
    return sql.execute("DELETE FROM idempotency_keys WHERE is_done = 0");
}

}  // namespace calhost::storage
