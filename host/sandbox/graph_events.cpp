// The methods that read and change one event. Each checks everything before it changes anything.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "sandbox/graph_item.h"
#include "sandbox/graph_query.h"

namespace calhost::sandbox::graph {
namespace {

Answer<Item> existing(Call& call, Calendar*& home) {
    auto item = find_item(call.account, call.calendar, call.event_id, home);
    if (!item) return refuse_missing();
    const auto wanted = call.request.headers.get("If-Match");
    if (!wanted.empty() && wanted != "*" && wanted != etag_of(*item, {}))
        return refuse(412, "ErrorIrresolvableConflict",
                      "The send or update operation could not be performed because the change key "
                      "passed in the request does not match the current change key for the item.");
    return std::move(*item);
}

/// The event whose creation had this transactionId, in any calendar of the mailbox.
bool is_taken(const Account& account, std::string_view transaction) {
    for (const auto& [id, calendar] : account.calendars)
        for (const auto& [position, row] : calendar->events.log())
            if (!row->is_cancelled() && json::text_of(row->body, "transactionId") == transaction)
                return true;
    return false;
}

net::Response shown(const Call& call, const Item& item, int status) {
    auto body = present(item, call.prefer);
    body["@odata.context"] = call.context("events/$entity");
    return ok(std::move(body), status);
}

/// A changed time or rule takes the exceptions with it, and the cancelled occurrences.
void drop_exceptions(Calendar& calendar, const std::string& series_id) {
    for (const auto* row : calendar.events.overrides_of(series_id))
        calendar.events.erase(std::string(row->event.id));
}

/// Remembers which members an exception no longer shares with its series.
void note_own(json::object& body, const json::object& sent) {
    json::array own;
    if (const auto* known = body.if_contains(kOwnMembers)) own = known->as_array();
    for (const auto& [name, value] : sent) own.emplace_back(name);
    body[kOwnMembers] = std::move(own);
}

bool is_own(const json::object& body, std::string_view name) {
    const auto* own = body.if_contains(kOwnMembers);
    return own != nullptr &&
           std::ranges::find(own->as_array(), json::value(name)) != own->as_array().end();
}

/// Exceptions share with their series what they did not change.
void pass_on(GraphWorld& world, Account& account, Calendar& calendar, const std::string& series_id,
             const json::object& sent) {
    for (const auto* row : calendar.events.overrides_of(series_id)) {
        if (row->is_cancelled()) continue;
        json::object shared;
        for (const auto& [name, value] : sent)
            if (name != "start" && name != "end" && name != "isAllDay" && name != "recurrence" &&
                !is_own(row->body, name))
                shared[name] = value;
        auto body = row->body;
        auto event = row->event;
        if (shared.empty() || !apply(body, shared)) continue;
        event.busy = json::text_of(body, "showAs") == "free" ? "free" : "busy";
        store(world, account, calendar, std::move(body), std::move(event), "updated");
    }
}

/// Marks as deleted, so that change feeds can tell.
void bury(GraphWorld& world, Account& account, Calendar& calendar, const Item& item) {
    calendar::Event event;
    event.id = item.id;
    event.status = "cancelled";
    event.start = item.start;
    event.finish = item.finish;
    event.series_id = item.series_id;
    event.recurrence_id = item.slot;
    auto body = item.body;
    body.erase("recurrence");
    calendar.events.touch(item.series_id, world.clock.now());
    store(world, account, calendar, std::move(body), std::move(event), "deleted");
}

}  // namespace

Answer<net::Response> create_event(Call& call) {
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    const auto transaction = json::text_of(*sent, "transactionId");
    if (!transaction.empty() && is_taken(call.account, transaction))
        return refuse(409, "ErrorDuplicateTransactionId",
                      "Your request can't be completed. The calendar item with this transactionId "
                      "already exists.");
    auto body = new_body(call.world, call.account);
    if (auto applied = apply(body, *sent); !applied) return refuse(applied.error());
    auto event = check_body(body);
    if (!event) return refuse(event.error());
    event->id = hex_encode(random_bytes(call.world.random, 13));
    Calendar& home = call.home();
    const Row& row =
        store(call.world, call.account, home, std::move(body), std::move(*event), "created");
    auto response = shown(call, item_of(home, row), 201);
    response.headers.set("Location",
                         fmt::format("{}/me/events/{}", call.world.api(),
                                     show_id(row.event.id, call.prefer.wants_immutable_ids)));
    return response;
}

Answer<net::Response> get_event(Call& call) {
    Calendar* home = nullptr;
    const auto item = find_item(call.account, call.calendar, call.event_id, home);
    if (!item) return refuse_missing();
    const auto options = read_options(call);
    if (!options) return refuse(options.error());
    auto body = project(present(*item, call.prefer), *item, *home, *options, call.prefer);
    body["@odata.context"] = call.context("events/$entity");
    return ok(std::move(body));
}

Answer<net::Response> update_event(Call& call) {
    Calendar* home = nullptr;
    const auto item = existing(call, home);
    if (!item) return refuse(item.error());
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    if (const auto id = json::text_of(*sent, "transactionId");
        !id.empty() && id != json::text_of(item->body, "transactionId"))
        return refuse_property("TransactionId", "it is set at creation and never changes");
    auto body = item->body;
    if (item->slot) {
        if (sent->contains("recurrence"))
            return refuse_property("Recurrence", "an occurrence has none of its own");
        // An occurrence shares the series' body, not its times.
        const auto zone = std::string(json::text_of(body.at("start"), "timeZone"));
        Prefer own{.zone = zone};
        const auto shown_body = present(*item, own);
        body["start"] = shown_body.at("start");
        body["end"] = shown_body.at("end");
        body.erase("recurrence");
        body.erase("transactionId");
        note_own(body, *sent);
        home->events.touch(item->series_id, call.world.clock.now());
    }
    if (auto applied = apply(body, *sent); !applied) return refuse(applied.error());
    auto event = check_body(body);
    if (!event) return refuse(event.error());
    event->id = item->id;
    event->series_id = item->series_id;
    event->recurrence_id = item->slot;
    if (const auto* old = home->events.find(item->id);
        old != nullptr && old->event.is_series() &&
        (old->event.start != event->start || old->event.finish != event->finish ||
         old->event.recurrence != event->recurrence))
        drop_exceptions(*home, item->id);
    if (item->type == "seriesMaster") pass_on(call.world, call.account, *home, item->id, *sent);
    const Row& row =
        store(call.world, call.account, *home, std::move(body), std::move(*event), "updated");
    return shown(call, item_of(*home, row), 200);
}

Answer<net::Response> delete_event(Call& call) {
    Calendar* home = nullptr;
    const auto item = existing(call, home);
    if (!item) return refuse(item.error());
    if (item->type == "seriesMaster") drop_exceptions(*home, item->id);
    bury(call.world, call.account, *home, *item);
    return no_content();
}

bool stage_event(GraphWorld& world, Account& account, const json::value& wanted) {
    Calendar* home = nullptr;
    const auto item = find_item(account, nullptr, read_id(json::text_of(wanted, "event")), home);
    const auto* row = item ? home->events.find(item->id) : nullptr;
    if (row == nullptr) return false;
    auto body = row->body;
    if (const auto* cancelled = json::find(wanted, "isCancelled")) body["isCancelled"] = *cancelled;
    if (const auto response = json::text_of(wanted, "response"); !response.empty()) {
        body["isOrganizer"] = false;
        body["responseStatus"] =
            json::object{{"response", response}, {"time", format_rfc3339(world.clock.now())}};
    }
    store(world, account, *home, std::move(body), row->event, "updated");
    return true;
}

}  // namespace calhost::sandbox::graph
