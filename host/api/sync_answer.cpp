#include "api/sync_answer.h"

#include "api/shapes.h"
#include "base/gather.h"
#include "base/json_text.h"

namespace calhost::api {
namespace {

/// Of a usual event in the answer: a text of thousands that grows by and by is copied again and
/// again.
constexpr std::size_t kEventText = 640;

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

/// Writes the array and gives how many events it has.
Result<std::size_t> write_upcoming(Context& context, json::TextWriter& out,
                                   const std::vector<storage::Connection>& connections) {
    const auto now = context.services.clock.now();
    std::size_t count = 0;
    out.begin_array();
    for (const auto& connection : connections) {
        auto found = sync::occurrences(context.services.database.reader(), connection,
                                       {now, now + kAnswerWindow});
        if (!found) return fail(found.error());
        out.reserve((count + found->events.size()) * kEventText);
        for (const auto& event : found->events) write_event(out, event, connection);
        count += found->events.size();
    }
    out.end_array();
    return count;
}

Result<void> write_result(Context& context, json::TextWriter& out, const Totals& totals,
                          const std::vector<storage::Connection>& connections) {
    out.begin_object();
    out.member("success", true);
    out.name("events");
    const auto count = write_upcoming(context, out, connections);
    if (!count) return fail(count.error());
    out.member("events_synced", *count);
    out.member("created", totals.created);
    out.member("updated", totals.updated);
    out.member("deleted", totals.deleted);
    out.member("last_sync", format_rfc3339(totals.last_sync));
    out.end_object();
    return {};
}

}  // namespace

Task<Result<net::Response>> sync_all(Context& context, std::vector<storage::Connection> connections,
                                     std::string_view sign) {
    std::vector<Task<Result<sync::SyncOutcome>>> syncs;
    for (const auto& connection : connections)
        syncs.push_back(sync_at_home(context, connection.id, connection.user_id));
    Totals totals;
    const auto outcomes = co_await gather(std::move(syncs));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        totals.add(outcomes[i]);
        if (outcomes[i]) connections[i].calendar_id = outcomes[i]->calendar_id;
    }
    if (totals.succeeded == 0 && totals.first_error) co_return fail(*totals.first_error);
    json::TextWriter answer;
    answer.begin_object();
    answer.member(sign, true);
    answer.member("message", "Calendar synced successfully");
    answer.member("user_id", connections.front().user_id);
    answer.name("sync_result");
    if (auto written = write_result(context, answer, totals, connections); !written)
        co_return fail(written.error());
    answer.end_object();
    co_return net::Response::json_text(answer.take());
}

}  // namespace calhost::api
