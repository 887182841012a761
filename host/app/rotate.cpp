#include "app/rotate.h"

#include <fmt/format.h>

#include <set>

#include "app/key_setup.h"
#include "base/json.h"
#include "base/log.h"
#include "storage/sealed.h"

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

/// One value under the active key; false when it cannot be opened.
Task<Result<bool>> reseal(connect::Services& services, const storage::SealedValue& value) {
    const crypto::Place place{value.table, value.column, value.row, value.user};
    const auto ring = services.keys.current();
    auto plain = ring->open(value.sealed, place);
    if (!plain) {
        log::error("sealed value does not open, left as it is",
                   {{"table", value.table}, {"row", value.row}});
        co_return false;
    }
    const auto sealed = ring->seal(*plain, place, services.random);
    auto replaced = co_await services.database.write_for<bool>(
        [&](storage::Sql& sql) { return storage::replace_sealed(sql, value, sealed); });
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
    const auto id_of = [](const auto& value) {
        return fmt::format("{}.{}.{}", value.table, value.column, value.key);
    };
    for (;;) {
        auto values = storage::list_sealed_with_other_key(
            services.database.reader(), active, kBatch + static_cast<int>(unreadable.size()));
        if (!values) co_return fail(values.error());
        std::erase_if(*values,
                      [&](const auto& value) { return unreadable.contains(id_of(value)); });
        if (values->empty()) break;
        for (const auto& value : *values) {
            auto done = co_await reseal(services, value);
            if (!done) co_return fail(done.error());
            if (*done)
                ++resealed;
            else
                unreadable.insert(id_of(value));
        }
    }
    log::info("keys rotated",
              {{"active", active}, {"resealed", resealed}, {"unreadable", unreadable.size()}});
    co_return json::object{
        {"active", active}, {"resealed", resealed}, {"unreadable", unreadable.size()}};
}

}  // namespace calhost::app
