#include "app/rotate.h"

#include <fmt/format.h>

#include "app/key_setup.h"
#include "base/json.h"
#include "base/log.h"
#include "connect/sealing.h"

namespace calhost::app {
namespace {

constexpr int kBatch = 100;

Result<crypto::KeyRing> read_ring(const HostOptions& options) {
    auto loaded = config::load(options.load);
    if (!loaded) return fail(loaded.error());
    if (options.is_sandbox)
        if (auto filled = fill_sandbox_secrets(loaded->settings, options.data_folder); !filled)
            return fail(filled.error());
    return make_key_ring(loaded->settings.keys);
}

Result<void> check_needed(storage::Sql& sql, const crypto::KeyRing& ring) {
    auto counts = storage::count_sealed_by_key(sql);
    if (!counts) return fail(counts.error());
    return check_retired_keys(*counts, ring);
}

/// One row under the active key; false when it cannot be opened.
Task<Result<bool>> reseal(connect::Services& services, const storage::SealedRow& row) {
    auto access = connect::open_token(services, row.sealed_access_token, connect::kAccessColumn,
                                      row.id, row.user_id);
    auto refresh = connect::open_token(services, row.sealed_refresh_token, connect::kRefreshColumn,
                                       row.id, row.user_id);
    if (!access || !refresh) {
        log::error("sealed token does not open, left as it is", {{"connection_id", row.id}});
        co_return false;
    }
    const auto new_access =
        connect::seal_token(services, *access, connect::kAccessColumn, row.id, row.user_id);
    const auto new_refresh =
        connect::seal_token(services, *refresh, connect::kRefreshColumn, row.id, row.user_id);
    auto replaced = co_await services.database.write_for<bool>([&](storage::Sql& sql) {
        return storage::replace_sealed(sql, row, new_access, new_refresh);
    });
    if (!replaced) co_return fail(replaced.error());
    co_return true;  // changed meanwhile: the newer value is under the active key already
}

}  // namespace

Result<json::object> count_keys(storage::Sql& sql, const crypto::KeyRing& ring) {
    auto sealed = storage::count_sealed_by_key(sql);
    if (!sealed) return fail(sealed.error());
    json::object answer;
    for (const auto& id : ring.ids()) answer[id] = 0;
    for (const auto& [id, count] : *sealed) answer[id.empty() ? "(older form)" : id] = count;
    return answer;
}

Task<Result<json::object>> rotate_keys(const HostOptions& options, connect::Services& services) {
    auto ring = read_ring(options);
    if (!ring) co_return fail(ring.error());
    if (auto needed = check_needed(services.database.reader(), *ring); !needed)
        co_return fail(needed.error());
    const auto active = ring->active();
    services.keys.replace(std::move(*ring));
    std::int64_t resealed = 0;
    std::set<std::string> unreadable;
    for (;;) {
        auto rows = storage::list_sealed_with_other_key(
            services.database.reader(), active, kBatch + static_cast<int>(unreadable.size()));
        if (!rows) co_return fail(rows.error());
        std::erase_if(*rows, [&](const auto& row) { return unreadable.contains(row.id); });
        if (rows->empty()) break;
        for (const auto& row : *rows) {
            auto done = co_await reseal(services, row);
            if (!done) co_return fail(done.error());
            if (*done)
                ++resealed;
            else
                unreadable.insert(row.id);
        }
    }
    log::info("keys rotated",
              {{"active", active}, {"resealed", resealed}, {"unreadable", unreadable.size()}});
    co_return json::object{
        {"active", active}, {"resealed", resealed}, {"unreadable", unreadable.size()}};
}

}  // namespace calhost::app
