#include "api/sync_answer.h"

#include "api/shapes.h"
#include "base/json.h"

namespace calhost::api {
namespace {

struct Totals {
    std::int64_t created = 0, updated = 0, deleted = 0;
    Timestamp last_sync{};
    int succeeded = 0;
    std::optional<Error> first_error;

    void add(const Result<sync::SyncOutcome>& outcome) {
        if (!outcome) {
            if (!first_error) first_error = outcome.error();
            return;
        }
        ++succeeded;
        created += outcome->created;
        updated += outcome->updated;
        deleted += outcome->deleted;
        last_sync = std::max(last_sync, outcome->finished_at);
    }
};

Task<Result<sync::SyncOutcome>> sync_at_home(Context& context, std::string id,
                                             std::string user_id) {
    return context.homes.run<Result<sync::SyncOutcome>>(id, [id, user_id](const sync::Home& home) {
        return home.puller->sync(id, user_id, "manual");
    });
}

Result<json::array> upcoming_events(Context& context,
                                    const std::vector<storage::Connection>& connections) {
    const auto now = context.services.clock.now();
    json::array events;
    for (const auto& connection : connections) {
        auto found = sync::occurrences(context.services.database.reader(), connection,
                                       {now, now + kAnswerWindow});
        if (!found) return fail(found.error());
        for (const auto& event : found->events) events.push_back(event_shape(event, connection));
    }
    return events;
}

}  // namespace

Task<Result<json::object>> sync_all(Context& context,
                                    std::vector<storage::Connection> connections) {
    Totals totals;
    for (const auto& connection : connections)
        totals.add(co_await sync_at_home(context, connection.id, connection.user_id));
    if (totals.succeeded == 0 && totals.first_error) co_return fail(*totals.first_error);
    auto events = upcoming_events(context, connections);
    if (!events) co_return fail(events.error());
    co_return json::object{{"success", true},
                           {"events_synced", events->size()},
                           {"created", totals.created},
                           {"updated", totals.updated},
                           {"deleted", totals.deleted},
                           {"events", std::move(*events)},
                           {"last_sync", format_rfc3339(totals.last_sync)}};
}

}  // namespace calhost::api
