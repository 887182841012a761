#include "availability/busy.h"

#include <algorithm>

#include "base/gather.h"
#include "base/log.h"
#include "base/timeout.h"
#include "connect/choice.h"
#include "sync/upcoming.h"

namespace calhost::availability {
namespace {

using calendar::Window;
using storage::Connection;
using Windows = std::vector<Window>;

/// Keeps the first error: the later ones mostly follow from it.
void blame(Source& source, Error error) {
    if (!source.error) source.error = std::move(error);
}

/// What the last sync saw of the calendar that is synced.
void add_stored(const sync::Home& home, Source& source, Window window) {
    const auto& row = source.connection;
    if (!row.last_synced_at)
        return blame(source, {ErrorCode::unavailable, "This calendar was not synced yet."});
    auto& sql = home.services->database.reader();
    const auto found = sync::occurrences(sql, row, window);
    const auto zone = sync::calendar_zone(sql, row);
    if (!found || !zone) return blame(source, found ? zone.error() : found.error());
    if (found->is_cut)
        blame(source, {ErrorCode::unsupported,
                       "A series has too many occurrences; not all of them are counted."});
    auto busy = calendar::busy_windows(found->events, window, *zone);
    source.busy.insert(source.busy.end(), busy.begin(), busy.end());
    source.as_of = source.as_of ? std::min(*source.as_of, *row.last_synced_at) : row.last_synced_at;
    source.is_live = false;
}

/// True: the provider said when these calendars are busy.
Task<bool> add_live(const sync::Home& home, Source& source, std::vector<std::string> ids,
                    Window window) {
    auto* provider = home.services->providers.find(source.connection.provider);
    if (provider == nullptr) {
        blame(source, {ErrorCode::misconfigured, "The provider is not installed any more."});
        co_return false;
    }
    connect::ConnectionAccess access(*home.keeper, source.connection);
    auto busy = co_await with_timeout(home.services->timers, kPatience,
                                      provider->busy(access, std::move(ids), window));
    if (!busy) {
        log::warning("busy times not told", {{"connection_id", source.connection.id},
                                             {"provider", source.connection.provider},
                                             {"code", to_string(busy.error().code)},
                                             {"reason", busy.error().message}});
        if (busy.error().code == ErrorCode::timeout)
            busy.error().message = "The provider did not answer in time.";
        blame(source, std::move(busy.error()));
        co_return false;
    }
    source.busy.insert(source.busy.end(), busy->begin(), busy->end());
    source.as_of = home.services->clock.now();
    source.is_live = true;
    co_return true;
}

/// The calendars of a provider that cannot tell busy times: the one that is synced is known, the
/// others are read.
Task<> add_from_events(const sync::Home& home, Source& source, std::vector<std::string> ids,
                       Window window) {
    const auto synced = std::erase(ids, source.connection.calendar_id);
    if (!ids.empty()) co_await add_live(home, source, std::move(ids), window);
    if (synced > 0) add_stored(home, source, window);
}

/// *Thread*: the connection's home worker.
Task<Source> ask(const sync::Home& home, Connection row, Window window) {
    Source source{.connection = std::move(row)};
    auto ids = connect::busy_calendars_of(source.connection);
    if (ids.empty()) {
        source.as_of = home.services->clock.now();  // nothing of it counts, for certain
        co_return source;
    }
    const bool has_synced = std::ranges::find(ids, source.connection.calendar_id) != ids.end();
    if (source.connection.state != "active") {
        blame(source, {ErrorCode::needs_reauth, source.connection.last_error});
        if (has_synced) add_stored(home, source, window);
        co_return source;
    }
    const auto* provider = home.services->providers.find(source.connection.provider);
    if (provider == nullptr || provider->offers("busy")) {
        const bool is_told = co_await add_live(home, source, std::move(ids), window);
        if (!is_told && has_synced) add_stored(home, source, window);
    } else {
        co_await add_from_events(home, source, std::move(ids), window);
    }
    co_return source;
}

Task<Source> ask_at_home(const sync::Homes& homes, Connection row, Window window) {
    const auto id = row.id;
    return homes.run<Source>(id, [row = std::move(row), window](const sync::Home& home) {
        return ask(home, row, window);
    });
}

}  // namespace

Task<Result<Answer>> find_busy(connect::Services& services, const sync::Homes& homes,
                               std::string user_id, Window window) {
    auto rows = storage::list_connections(services.database.reader(), user_id);
    if (!rows) co_return fail(rows.error());
    std::erase_if(*rows, [](const Connection& row) { return row.state == "paused"; });
    if (rows->empty()) co_return Answer{};
    std::vector<Task<Source>> asked;
    for (auto& row : *rows) asked.push_back(ask_at_home(homes, std::move(row), window));
    Answer answer{.busy = {}, .sources = co_await gather(std::move(asked))};
    const bool is_known = std::ranges::any_of(
        answer.sources, [](const Source& source) { return source.as_of.has_value(); });
    if (!is_known) co_return fail(*answer.sources.front().error);
    for (const auto& source : answer.sources)
        answer.busy.insert(answer.busy.end(), source.busy.begin(), source.busy.end());
    answer.busy = calendar::join_windows(std::move(answer.busy), window);
    co_return answer;
}

}  // namespace calhost::availability
