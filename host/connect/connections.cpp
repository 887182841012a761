#include "connect/connections.h"

#include "base/log.h"
#include "connect/audit.h"
#include "connect/hooks.h"
#include "connect/jobs.h"
#include "connect/revocation.h"

namespace calhost::connect {
namespace {

/// A password that a person entered is his own: no provider can be told to forget it.
std::optional<storage::Job> revocation_of(Services& services, const storage::Connection& row) {
    if (!row.account_data.empty()) return std::nullopt;
    return revocation_job(services, row.id, {row.provider, row.external_id},
                          stored_grant(services, row));
}

}  // namespace

std::vector<storage::CalendarRow> calendar_rows(const std::string& connection_id,
                                                std::vector<plugin::CalendarInfo> calendars) {
    std::vector<storage::CalendarRow> rows;
    for (auto& calendar : calendars)
        rows.push_back({.connection_id = connection_id,
                        .id = std::move(calendar.id),
                        .name = std::move(calendar.name),
                        .is_primary = calendar.is_primary,
                        .is_read_only = calendar.is_read_only,
                        .color = std::move(calendar.color),
                        .time_zone = std::move(calendar.time_zone)});
    return rows;
}

Result<std::vector<storage::Connection>> select(Services& services, std::string_view user_id,
                                                const Selection& selection) {
    auto rows = storage::list_connections(services.database.reader(), user_id);
    if (!rows) return rows;
    std::erase_if(*rows, [&](const storage::Connection& row) {
        return (!selection.provider.empty() && row.provider != selection.provider) ||
               (!selection.account.empty() && row.account != selection.account) ||
               (!selection.id.empty() && row.id != selection.id);
    });
    return rows;
}

Task<Result<int>> disconnect(Services& services, std::string user_id, Selection selection,
                             std::string request_id) {
    auto rows = select(services, user_id, selection);
    if (!rows) co_return fail(rows.error());
    std::vector<std::optional<storage::Job>> jobs;
    std::vector<std::vector<storage::Job>> hooks;
    for (const auto& row : *rows) {
        jobs.push_back(revocation_of(services, row));
        hooks.push_back(hook_jobs(services, "connection.deleted", row));
    }
    const auto now = services.clock.now();
    int gone = 0;
    auto done = co_await services.database.write([&](storage::Sql& sql) -> Result<void> {
        for (std::size_t i = 0; i < rows->size(); ++i) {
            const auto& row = (*rows)[i];
            auto deleted = storage::delete_connection(sql, user_id, row.id);
            if (!deleted) return fail(deleted.error());
            if (!*deleted) continue;
            ++gone;
            auto entry = audit_entry(now, "connection.deleted", row, owner_of(row));
            entry.request_id = request_id;
            if (auto told = storage::write_audit(sql, entry); !told) return told;
            if (auto told = enqueue_all(sql, hooks[i]); !told) return told;
            // Another connection of the person may take the bookings now.
            if (row.takes_bookings)
                if (auto queued = enqueue_bookings(sql, user_id, now); !queued) return queued;
            if (!jobs[i]) continue;
            if (auto queued = enqueue_revocation(sql, *jobs[i], {row.provider, row.external_id});
                !queued)
                return queued;
        }
        return {};
    });
    if (!done) co_return fail(done.error());
    co_await services.crash_points.reach("disconnect.stored");
    log::info("calendar disconnected", {{"user_id", user_id}, {"count", gone}});
    co_return gone;
}

Task<Result<std::vector<storage::CalendarRow>>> read_calendars(Services& services,
                                                               TokenKeeper& keeper,
                                                               storage::Connection connection) {
    auto* provider = services.providers.find(connection.provider);
    if (provider == nullptr)
        co_return fail(ErrorCode::misconfigured, "The provider is not installed any more.");
    ConnectionAccess access(keeper, connection);
    auto calendars = co_await provider->list_calendars(access);
    if (!calendars) co_return fail(calendars.error());
    auto rows = calendar_rows(connection.id, std::move(*calendars));
    auto stored = co_await services.database.write([&](storage::Sql& sql) {
        return storage::replace_calendars(sql, connection.id, connection.user_id, rows);
    });
    if (!stored) co_return fail(stored.error());
    co_return rows;
}

}  // namespace calhost::connect
