#include "connect/choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "connect/connections.h"
#include "connect/jobs.h"

namespace calhost::connect {
namespace {

using Calendars = std::vector<storage::CalendarRow>;

/// Where the provider names accounts, it also knows what "primary" means.
constexpr std::string_view kPrimary = "primary";

bool is_alias(const storage::Connection& row, std::string_view id) {
    return id == kPrimary && row.account_data.empty();
}

const storage::CalendarRow* find(const storage::Connection& row, const Calendars& calendars,
                                 const std::string& id) {
    const auto found = std::ranges::find_if(calendars, [&](const auto& calendar) {
        return calendar.id == id || (is_alias(row, id) && calendar.is_primary);
    });
    return found == calendars.end() ? nullptr : &*found;
}

std::vector<std::string> wanted(const storage::ConnectionChoice& choice) {
    auto ids = choice.busy_calendars.value_or(std::vector<std::string>{});
    if (choice.calendar_id) ids.push_back(*choice.calendar_id);
    return ids;
}

/// The stored list, or the account's own where that lacks something.
Task<Result<Calendars>> calendars_with(Services& services, TokenKeeper& keeper,
                                       const storage::Connection& row,
                                       std::vector<std::string> ids) {
    auto stored = storage::list_calendars(services.database.reader(), row.id, row.user_id);
    if (!stored) co_return stored;
    const bool has_all =
        std::ranges::all_of(ids, [&](const auto& id) { return find(row, *stored, id) != nullptr; });
    if (has_all) co_return stored;
    co_return co_await read_calendars(services, keeper, row);
}

std::vector<FieldProblem> check(const storage::Connection& row, const Calendars& calendars,
                                const storage::ConnectionChoice& choice) {
    std::vector<FieldProblem> problems;
    if (choice.calendar_id) {
        const auto* calendar = find(row, calendars, *choice.calendar_id);
        if (calendar == nullptr)
            problems.push_back({"calendar_id", "calendar_id is none of the account's calendars"});
        else if (calendar->is_read_only && row.purpose == "full")
            problems.push_back(
                {"calendar_id", fmt::format("{} can only be read; choose a calendar that bookings "
                                            "can be written to",
                                            calendar->name)});
    }
    std::set<const storage::CalendarRow*> seen;  // each of them is asked whenever busy times are
    for (const auto& id : choice.busy_calendars.value_or(std::vector<std::string>{})) {
        const auto* calendar = find(row, calendars, id);
        if (calendar != nullptr && seen.insert(calendar).second) continue;
        problems.push_back(
            {"busy_calendars", calendar == nullptr
                                   ? "busy_calendars names one that the account does not have"
                                   : "busy_calendars names a calendar twice"});
        break;
    }
    return problems;
}

bool needs_sync(const storage::Connection& before, const storage::Connection& after) {
    if (after.state != "active") return false;
    return before.calendar_id != after.calendar_id || !before.sync_enabled;
}

Task<Result<storage::Connection>> store(Services& services, const storage::Connection& row,
                                        const storage::ConnectionChoice& choice) {
    const auto now = services.clock.now();
    const auto job = sync_job(services, row, "choice");
    co_return co_await services.database.write_for<storage::Connection>(
        [&](storage::Sql& sql) -> Result<storage::Connection> {
            auto changed = storage::choose(sql, row.id, row.user_id, choice, now);
            if (!changed) return fail(changed.error());
            if (!*changed)
                return fail(ErrorCode::not_found, "The calendar was disconnected meanwhile.");
            const bool is_elsewhere = row.calendar_id != (*changed)->calendar_id ||
                                      row.takes_bookings != (*changed)->takes_bookings;
            if (is_elsewhere)
                if (auto queued = enqueue_bookings(sql, row.user_id, now); !queued)
                    return fail(queued.error());
            if (needs_sync(row, **changed))
                if (auto queued = storage::enqueue_job(sql, job); !queued)
                    return fail(queued.error());
            return std::move(**changed);
        });
}

std::unexpected<ChoiceFailure> failed(Error error) {
    return std::unexpected(ChoiceFailure{{}, std::move(error)});
}

}  // namespace

std::vector<std::string> busy_calendars_of(const storage::Connection& connection) {
    return connection.busy_calendars.value_or(std::vector{connection.calendar_id});
}

const storage::CalendarRow& best_of(const Calendars& calendars) {
    const auto primary = std::ranges::find(calendars, true, &storage::CalendarRow::is_primary);
    if (primary != calendars.end()) return *primary;
    const auto writable = std::ranges::find(calendars, false, &storage::CalendarRow::is_read_only);
    return writable == calendars.end() ? calendars.front() : *writable;
}

Task<Result<bool>> name_calendar(Services& services, TokenKeeper& keeper,
                                 storage::Connection connection) {
    if (!is_alias(connection, connection.calendar_id) || connection.last_synced_at) co_return false;
    const auto calendars = co_await read_calendars(services, keeper, connection);
    if (!calendars) co_return fail(calendars.error());
    if (calendars->empty() || best_of(*calendars).id == kPrimary) co_return false;
    const storage::ConnectionChoice choice{.calendar_id = best_of(*calendars).id};
    const auto now = services.clock.now();
    auto stored = co_await services.database.write([&](storage::Sql& sql) -> Result<void> {
        auto row = storage::find_connection(sql, connection.user_id, connection.id);
        if (!row) return fail(row.error());
        // The person may have chosen meanwhile.
        if (!*row || (*row)->calendar_id != connection.calendar_id) return {};
        auto changed = storage::choose(sql, connection.id, connection.user_id, choice, now);
        return changed ? Result<void>{} : fail(changed.error());
    });
    if (!stored) co_return fail(stored.error());
    log::info("calendar named", {{"connection_id", connection.id},
                                 {"user_id", connection.user_id},
                                 {"provider", connection.provider}});
    co_return true;
}

Task<std::expected<storage::Connection, ChoiceFailure>> choose(Services& services,
                                                               TokenKeeper& keeper,
                                                               std::string user_id,
                                                               std::string connection_id,
                                                               storage::ConnectionChoice choice) {
    auto row = storage::find_connection(services.database.reader(), user_id, connection_id);
    if (!row) co_return failed(row.error());
    if (!*row) co_return failed({ErrorCode::not_found, "There is no such connection."});
    if (choice.takes_bookings.value_or(false) && (*row)->purpose != "full")
        co_return std::unexpected(ChoiceFailure{
            {{"takes_bookings", "this connection may only read; connect it in full first"}},
            {ErrorCode::invalid, "This connection cannot take bookings."}});
    if (const auto ids = wanted(choice); !ids.empty()) {
        const auto calendars = co_await calendars_with(services, keeper, **row, ids);
        if (!calendars) co_return failed(calendars.error());
        if (auto problems = check(**row, *calendars, choice); !problems.empty()) {
            Error error{ErrorCode::invalid, problems.front().message};
            co_return std::unexpected(ChoiceFailure{std::move(problems), std::move(error)});
        }
    }
    auto stored = co_await store(services, **row, choice);
    if (!stored) co_return failed(stored.error());
    log::info("connection changed", {{"connection_id", stored->id}, {"user_id", stored->user_id}});
    co_return std::move(*stored);
}

}  // namespace calhost::connect
