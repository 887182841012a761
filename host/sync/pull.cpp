#include "sync/pull.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "connect/choice.h"
#include "connect/hooks.h"
#include "connect/jobs.h"
#include "storage/events.h"

namespace calhost::sync {
namespace {

constexpr int kKeptRuns = 50;  // of a connection, in the sync log
constexpr int kMostPages = 10'000;

/// While a page was on its way the person may have disconnected, connected another account under
/// the same label, or chosen another calendar: what was read does not belong there then.
Result<void> check_same_calendar(storage::Sql& sql, const storage::Connection& connection) {
    auto row = storage::find_connection(sql, connection.user_id, connection.id);
    if (!row) return fail(row.error());
    if (!*row) return fail(ErrorCode::not_found, "The calendar was disconnected meanwhile.");
    if ((*row)->external_id != connection.external_id)
        return fail(ErrorCode::conflict,
                    "Another account was connected meanwhile. Please sync again.");
    if ((*row)->calendar_id != connection.calendar_id)
        return fail(ErrorCode::conflict,
                    "Another calendar was chosen meanwhile. Please sync again.");
    return {};
}

/// What plugins are told of a run that has ended.
std::vector<storage::Job> sync_hooks(connect::Services& services, std::string_view hook,
                                     const storage::Connection& connection,
                                     const storage::SyncRun& run) {
    return connect::hook_jobs(services, hook, connection,
                              {{"run",
                                {{"id", run.id},
                                 {"trigger", run.trigger},
                                 {"kind", run.kind},
                                 {"created", run.created},
                                 {"updated", run.updated},
                                 {"deleted", run.deleted},
                                 {"error", run.error}}}});
}

/// What services say of a calendar that they do not have.
bool is_unknown(ErrorCode code) {
    return code == ErrorCode::not_found || code == ErrorCode::invalid;
}

}  // namespace

/// One sync on its way.
struct Puller::Run {
    storage::Connection connection;
    storage::SyncRun record;
    connect::ConnectionAccess access;
    calendar::Window window;
    bool is_windowed = false;
    std::optional<std::string> cursor;  ///< where this run began; none: a full pull
    std::optional<std::string> page;
    bool is_recorded = false;  ///< the run's row is there
    bool is_done = false;
};

Task<Result<SyncOutcome>> Puller::sync(std::string connection_id, std::string user_id,
                                       std::string trigger) {
    return flights_.run(connection_id, [=, this] { return run(connection_id, user_id, trigger); });
}

Task<Result<SyncOutcome>> Puller::run(std::string connection_id, std::string user_id,
                                      std::string trigger) {
    auto row = storage::find_connection(services_->database.reader(), user_id, connection_id);
    if (!row) co_return fail(row.error());
    if (!*row) co_return fail(ErrorCode::not_found, "There is no such connection.");
    if (!(*row)->sync_enabled)
        co_return fail(ErrorCode::conflict,
                       "Syncing is paused for this calendar. Turn it on to sync.");
    auto cursor = find_cursor(**row);
    if (!cursor) co_return fail(cursor.error());
    const auto started = services_->clock.now();
    Run run{.connection = **row,
            .record = {.id = new_id(services_->random),
                       .connection_id = connection_id,
                       .user_id = user_id,
                       .trigger = trigger,
                       .kind = *cursor ? "incremental" : "full",
                       .started_at = started,
                       .status = "running"},
            .access = {*keeper_, **row},
            .window = {started - options_.history, started + options_.lookahead},
            .is_windowed = is_windowed(**row),
            .cursor = *cursor};
    auto pulled = co_await pull(run);
    if (!pulled && pulled.error().code == ErrorCode::cursor_expired && run.cursor) {
        // The provider forgot the cursor: everything is read anew, and what is gone is found by not
        // being seen.
        log::info("cursor expired, full pull", {{"connection_id", connection_id}});
        run.cursor.reset();
        run.page.reset();
        run.record.kind = "full";
        pulled = co_await pull(run);
    }
    if (!pulled && is_unknown(pulled.error().code)) {
        const auto named = co_await connect::name_calendar(*services_, *keeper_, run.connection);
        if (named && *named) co_return co_await this->run(connection_id, user_id, trigger);
    }
    if (options_.on_finished) options_.on_finished(pulled.has_value());
    if (!pulled) {
        co_await record_failure(run, pulled.error());
        co_return fail(pulled.error());
    }
    const auto& record = run.record;
    log::info("calendar synced", {{"connection_id", connection_id},
                                  {"kind", record.kind},
                                  {"created", record.created},
                                  {"updated", record.updated},
                                  {"deleted", record.deleted}});
    co_return SyncOutcome{record.created,        record.updated,      record.deleted,
                          record.kind == "full", *record.finished_at, run.connection.calendar_id};
}

bool Puller::is_windowed(const storage::Connection& connection) const {
    const auto* provider = services_->providers.find(connection.provider);
    if (provider == nullptr) return false;
    const auto* flag = provider->info().can.if_contains("windowed_feed");
    return flag != nullptr && flag->is_bool() && flag->get_bool();
}

Result<std::optional<std::string>> Puller::find_cursor(const storage::Connection& connection) {
    auto& sql = services_->database.reader();
    if (is_windowed(connection)) {
        const auto finish = storage::find_window_finish(sql, connection.id, connection.calendar_id);
        if (!finish) return fail(finish.error());
        const auto nearest = services_->clock.now() + options_.lookahead - options_.slide;
        if (!*finish || **finish < nearest) return std::nullopt;
    }
    return storage::find_cursor(sql, connection.id, connection.calendar_id);
}

Task<Result<void>> Puller::pull(Run& run) {
    for (int pages = 0; !run.is_done; ++pages) {
        if (pages == kMostPages)
            co_return fail(ErrorCode::invalid_response, "The provider's pages have no end.");
        if (auto pulled = co_await pull_page(run); !pulled) co_return pulled;
    }
    co_return Result<void>{};
}

Task<Result<void>> Puller::pull_page(Run& run) {
    auto* provider = services_->providers.find(run.connection.provider);
    if (provider == nullptr)
        co_return fail(ErrorCode::misconfigured, "The provider is not installed any more.");
    auto changes = co_await provider->list_changes(run.access, run.connection.calendar_id,
                                                   run.cursor, run.page, run.window);
    if (!changes) co_return fail(changes.error());
    if (!changes->page && !changes->cursor)
        co_return fail(ErrorCode::invalid_response, "The provider's last page has no cursor.");
    co_await services_->crash_points.reach("sync.page_read");
    co_return co_await store_page(run, std::move(*changes));
}

Task<Result<void>> Puller::store_page(Run& run, plugin::Changes changes) {
    const bool is_last = !changes.page.has_value();
    const auto now = services_->clock.now();
    const auto& connection = run.connection;
    auto record = run.record;
    auto poll = connect::sync_job(*services_, connection, "schedule");
    poll.run_at = next_poll();
    const auto save_last = [&](storage::Sql& sql) -> Result<void> {
        std::optional<calendar::Window> new_window;
        if (record.kind == "full") {
            if (run.is_windowed) new_window = run.window;
            auto unseen = storage::delete_unseen_events(sql, connection.id, connection.calendar_id,
                                                        record.id, new_window);
            if (!unseen) return fail(unseen.error());
            record.deleted += *unseen;
        }
        record.status = "done";
        record.finished_at = now;
        if (auto done = storage::save_cursor(
                sql, connection.id, connection.calendar_id, *changes.cursor, now,
                new_window ? std::optional(new_window->finish) : std::nullopt);
            !done)
            return done;
        if (auto done = storage::finish_sync_run(sql, record); !done) return done;
        if (auto done = storage::trim_sync_runs(sql, connection.id, kKeptRuns); !done) return done;
        if (auto done = storage::set_last_synced(sql, connection.id, connection.user_id, now);
            !done)
            return done;
        const auto hooks = sync_hooks(*services_, "sync.finished", connection, record);
        if (auto told = connect::enqueue_all(sql, hooks); !told) return told;
        if (options_.interval.count() == 0) return {};
        return storage::enqueue_job(sql, poll);
    };
    const auto tell_gone = [&](storage::Sql& sql) {
        const bool is_whole = is_last && record.kind == "full";
        return options_.on_gone(sql, connection, changes.deleted,
                                is_whole ? std::optional(run.window) : std::nullopt);
    };
    auto stored = co_await services_->database.write([&](storage::Sql& sql) -> Result<void> {
        record = run.record;
        if (auto same = check_same_calendar(sql, connection); !same) return same;
        if (!run.is_recorded)
            if (auto done = storage::insert_sync_run(sql, record); !done) return done;
        auto counts = storage::save_events(sql, connection.id, connection.calendar_id,
                                           connection.user_id, changes.events, record.id);
        if (!counts) return fail(counts.error());
        auto deleted =
            storage::delete_events(sql, connection.id, connection.calendar_id, changes.deleted);
        if (!deleted) return fail(deleted.error());
        auto replaced = storage::delete_other_events(sql, connection.id, connection.calendar_id,
                                                     changes.whole, changes.events);
        if (!replaced) return fail(replaced.error());
        auto left = storage::delete_events(sql, connection.id, connection.calendar_id,
                                           changes.out_of_window);
        if (!left) return fail(left.error());
        record.created += counts->created;
        record.updated += counts->updated;
        record.deleted += *deleted + *replaced;
        if (is_last)
            if (auto saved = save_last(sql); !saved) return saved;
        return options_.on_gone ? tell_gone(sql) : Result<void>{};
    });
    if (!stored) co_return stored;
    run.record = record;
    run.is_recorded = true;
    run.is_done = is_last;
    run.page = changes.page;
    co_await services_->crash_points.reach("sync.page_stored");
    co_return Result<void>{};
}

Task<> Puller::record_failure(Run& run, const Error& error) {
    run.record.status = "failed";
    run.record.finished_at = services_->clock.now();
    run.record.error = fmt::format("{}: {}", to_string(error.code), error.message);
    const auto& connection = run.connection;
    log::warning("sync failed", {{"connection_id", connection.id},
                                 {"provider", connection.provider},
                                 {"code", to_string(error.code)},
                                 {"reason", error.message}});
    const auto hooks = sync_hooks(*services_, "sync.failed", connection, run.record);
    const auto done = co_await services_->database.write([&](storage::Sql& sql) -> Result<void> {
        if (auto told = connect::enqueue_all(sql, hooks); !told) return told;
        if (!run.is_recorded)
            if (auto inserted = storage::insert_sync_run(sql, run.record); !inserted)
                return inserted;
        if (auto finished = storage::finish_sync_run(sql, run.record); !finished) return finished;
        // The token keeper has written its own sentence where the grant is gone.
        if (error.code == ErrorCode::needs_reauth) return {};
        return storage::set_last_error(sql, connection.id, connection.user_id, error.message,
                                       *run.record.finished_at);
    });
    if (!done)
        log::warning("sync failure not recorded",
                     {{"connection_id", connection.id}, {"reason", done.error().message}});
}

Timestamp Puller::next_poll() {
    // A quarter earlier or later, so that connections made together do not stay together.
    const auto interval = std::chrono::duration_cast<milliseconds>(options_.interval);
    const auto spread = static_cast<std::uint64_t>(interval.count() / 2 + 1);
    return services_->clock.now() + interval * 3 / 4 +
           milliseconds{random_below(services_->random, spread)};
}

Task<Result<void>> run_sync_job(Puller& puller, const storage::Job& job) {
    const auto payload = json::parse(job.payload);
    const std::string trigger(payload ? json::text_of(*payload, "trigger") : "schedule");
    auto outcome = co_await puller.sync(job.target, job.user_id, trigger);
    // It may have joined one that began before the person chose anew.
    if (!outcome && outcome.error().code == ErrorCode::conflict)
        outcome = co_await puller.sync(job.target, job.user_id, trigger);
    if (outcome) co_return Result<void>{};
    const auto code = outcome.error().code;
    if (code == ErrorCode::not_found || code == ErrorCode::needs_reauth ||
        code == ErrorCode::conflict)
        co_return Result<void>{};
    co_return fail(outcome.error());
}

}  // namespace calhost::sync
