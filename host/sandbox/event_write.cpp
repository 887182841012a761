// The methods that change events. Each checks everything before it changes anything.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "sandbox/calendar_api.h"
#include "sandbox/instances.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

Answer<> check_match(const Call& call, const json::object& body) {
    const auto wanted = call.request.headers.get("If-Match");
    if (wanted.empty() || wanted == "*" || wanted == json::text_of(body, "etag")) return {};
    return refuse({412, "conditionNotMet", "Precondition Failed", "global", "If-Match", "header"});
}

/// `sendUpdates`, or the deprecated form of it.
Answer<std::string> send_updates(const Call& call) {
    std::string wish(call.request.query.get("sendUpdates"));
    if (wish.empty()) return call.flag("sendNotifications") ? "all" : "";
    if (wish != "all" && wish != "externalOnly" && wish != "none")
        return refuse_parameter("sendUpdates", "Invalid value for sendUpdates.");
    return wish;
}

/// Mail to attendees, as the provider would send it.
void send_mail(GoogleWorld& world, const Account& account, const Calendar& calendar,
               const json::object& body, std::string_view wish) {
    const auto* attendees = body.if_contains("attendees");
    if (attendees == nullptr || (wish != "all" && wish != "externalOnly")) return;
    for (const auto& attendee : attendees->as_array()) {
        const auto email = json::text_of(attendee, "email");
        if (email != account.email)
            world.ledger.add({.method = "mail",
                              .account = account.email,
                              .calendar = calendar.id,
                              .event_id = std::string(json::text_of(body, "id")),
                              .detail = std::string(email),
                              .live = calendar.events.live()});
    }
}

Answer<net::Response> store_and_answer(Call& call, json::object body, std::string_view effect) {
    const auto view = call.view();
    if (!view) return refuse(view.error());
    const auto wish = send_updates(call);
    if (!wish) return refuse(wish.error());
    const auto row =
        store_event(call.world, call.account, *call.calendar, std::move(body), effect, *wish);
    if (!row) return refuse(row.error());
    send_mail(call.world, call.account, *call.calendar, (*row)->body, *wish);
    return event_response((*row)->body, *view);
}

/// Overrides whose slot is gone from the rule go with it, as do those of a deleted series.
void drop_orphans(GoogleWorld& world, Calendar& calendar, const std::string& series_id) {
    const Row& series = *calendar.events.find(series_id);
    for (const auto* row : calendar.events.overrides_of(series_id)) {
        if (row->is_cancelled()) continue;
        if (!series.is_cancelled() && series.event.is_series() &&
            has_slot(calendar, series, *row->event.recurrence_id))
            continue;
        auto body = row->body;
        auto event = row->event;
        body["status"] = event.status = "cancelled";
        body["etag"] = calendar.events.next_etag();
        calendar.events.put(std::move(body), std::move(event), world.clock.now(), calendar.zone);
    }
}

void mark_self(json::object& body, const Account& account) {
    auto* attendees = body.if_contains("attendees");
    if (attendees == nullptr) return;
    for (auto& attendee : attendees->as_array()) {
        auto& fields = attendee.as_object();
        if (!fields.contains("responseStatus")) fields["responseStatus"] = "needsAction";
        if (json::text_of(attendee, "email") == account.email)
            fields["self"] = true;
        else
            fields.erase("self");
    }
}

/// Changing only reminders does not move `updated`.
bool differs_only_in_reminders(const json::object& a, const json::object& b) {
    const auto strip = [](json::object body) {
        for (const std::string_view name : {"reminders", "etag", "updated"}) body.erase(name);
        return body;
    };
    return a != b && strip(a) == strip(b);
}

Answer<json::object> existing(const Call& call) {
    auto body = find_body(*call.calendar, call.event_id);
    if (!body) return refuse_missing();
    if (auto ok = check_match(call, *body); !ok) return refuse(ok.error());
    return std::move(*body);
}

}  // namespace

json::object new_event_body(GoogleWorld& world, const Account& account, const Calendar& calendar,
                            std::string id) {
    if (id.empty()) id = hex_encode(random_bytes(world.random, 13));
    const json::object person{{"email", calendar.is_primary ? account.email : calendar.id},
                              {"self", true}};
    json::object body{{"kind", "calendar#event"},
                      {"etag", ""},
                      {"id", id},
                      {"status", "confirmed"},
                      {"htmlLink", "https://calendar.google.com/calendar/event?eid=" +
                                       base64url_encode(id + " " + account.email)},
                      {"created", format_millis(world.clock.now())},
                      {"updated", ""},
                      {"iCalUID", id + "@google.com"},
                      {"sequence", 0},
                      {"eventType", "default"},
                      {"creator", json::object{{"email", account.email}, {"self", true}}},
                      {"organizer", person}};
    body["reminders"] = json::object{{"useDefault", true}};
    return body;
}

Answer<const Row*> store_event(GoogleWorld& world, Account& account, Calendar& calendar,
                               json::object body, std::string_view effect,
                               std::string_view detail) {
    mark_self(body, account);
    auto event = check_body(body, calendar);
    if (!event) return refuse(event.error());
    const auto* old = calendar.events.find(event->id);
    const bool is_new_time =
        old != nullptr && (old->event.start != event->start || old->event.finish != event->finish ||
                           old->event.recurrence != event->recurrence);
    if (is_new_time)
        if (auto* number = body.if_contains("sequence"); number != nullptr && number->is_int64())
            *number = std::max(number->as_int64(),
                               old->body.at("sequence").to_number<std::int64_t>() + 1);
    const bool keeps_updated = old != nullptr && differs_only_in_reminders(old->body, body);
    const auto updated = keeps_updated ? old->updated : world.clock.now();
    body["updated"] = format_millis(updated);
    body["etag"] = calendar.events.next_etag();
    const Row& row =
        calendar.events.put(std::move(body), std::move(*event), updated, calendar.zone);
    if (is_new_time) drop_orphans(world, calendar, row.event.id);
    world.ledger.add({.method = std::string(effect),
                      .account = account.email,
                      .calendar = calendar.id,
                      .event_id = row.event.id,
                      .key = key_of(row.body),
                      .detail = std::string(detail),
                      .live = calendar.events.live()});
    notify_watchers(world, account, calendar);
    return &row;
}

Answer<> remove_event(GoogleWorld& world, Account& account, Calendar& calendar,
                      const std::string& id, std::string_view detail) {
    const auto found = find_body(calendar, id);
    if (!found) return refuse_missing();
    if (json::text_of(*found, "status") == "cancelled")
        return refuse(410, "deleted", "Resource has been deleted");
    auto body = *found;
    body["status"] = "cancelled";
    const auto row =
        store_event(world, account, calendar, std::move(body), "events.delete", detail);
    if (!row) return refuse(row.error());
    if ((*row)->event.is_series()) drop_orphans(world, calendar, id);
    return {};
}

Answer<net::Response> insert_event(Call& call) {
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    const bool has_id = sent->contains("id");
    const std::string id(json::text_of(*sent, "id"));
    if (has_id && !is_event_id(id)) return refuse(400, "invalid", "Invalid resource id value.");
    if (has_id && sent->contains("iCalUID"))
        return refuse(400, "invalid", "Only one of id and iCalUID may be given.");
    if (has_id && call.calendar->events.find(id) != nullptr)
        return refuse(409, "duplicate", "The requested identifier already exists.");
    auto body = new_event_body(call.world, call.account, *call.calendar, id);
    merge(body, writable(*sent));
    return store_and_answer(call, std::move(body), "events.insert");
}

Answer<net::Response> import_event(Call& call) {
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    const auto uid = json::text_of(*sent, "iCalUID");
    if (uid.empty()) return refuse(400, "required", "Missing iCalUID.");
    if (const auto type = json::text_of(*sent, "eventType"); !type.empty() && type != "default")
        return refuse(400, "invalid", "Only events of type default can be imported.");
    // A second import of the same UID updates the copy instead of making another.
    for (const auto& [position, row] : call.calendar->events.log()) {
        if (row->event.uid != uid || row->event.is_override()) continue;
        auto body = row->body;
        merge(body, writable(*sent));
        if (!sent->contains("status")) body["status"] = "confirmed";
        return store_and_answer(call, std::move(body), "events.import");
    }
    auto body = new_event_body(call.world, call.account, *call.calendar, {});
    merge(body, writable(*sent));
    if (const auto* organizer = json::find(*sent, "organizer")) body["organizer"] = *organizer;
    return store_and_answer(call, std::move(body), "events.import");
}

Answer<net::Response> patch_event(Call& call) {
    auto body = existing(call);
    if (!body) return refuse(body.error());
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    auto changes = writable(*sent);
    changes.erase("iCalUID");
    changes.erase("eventType");
    merge(*body, changes);
    if (!body->contains("status")) (*body)["status"] = "confirmed";
    return store_and_answer(call, std::move(*body), "events.patch");
}

Answer<net::Response> update_event(Call& call) {
    const auto old = existing(call);
    if (!old) return refuse(old.error());
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    auto body = new_event_body(call.world, call.account, *call.calendar, call.event_id);
    for (const std::string_view name :
         {"htmlLink", "created", "creator", "organizer", "iCalUID", "sequence", "eventType",
          "recurringEventId", "originalStartTime"})
        if (const auto* value = old->if_contains(name)) body[name] = *value;
    auto fields = writable(*sent);
    fields.erase("iCalUID");
    fields.erase("eventType");
    merge(body, fields);
    return store_and_answer(call, std::move(body), "events.update");
}

Answer<net::Response> delete_event(Call& call) {
    const auto body = existing(call);
    if (!body) return refuse(body.error());
    const auto wish = send_updates(call);
    if (!wish) return refuse(wish.error());
    if (auto ok = remove_event(call.world, call.account, *call.calendar, call.event_id, *wish); !ok)
        return refuse(ok.error());
    send_mail(call.world, call.account, *call.calendar, *body, *wish);
    net::Response response;
    response.status = 204;
    return response;
}

Answer<net::Response> move_event(Call& call) {
    auto* destination = call.account.find_calendar(call.request.query.get("destination"));
    if (call.request.query.get("destination").empty())
        return refuse({400, "required", "Required parameter: destination", "global", "destination",
                       "parameter"});
    const auto* row = call.calendar->events.find(call.event_id);
    if (destination == nullptr || row == nullptr || row->is_cancelled()) return refuse_missing();
    if (row->event.is_override())
        return refuse(400, "cannotChangeOrganizerOfInstance", "An instance cannot be moved.");
    if (destination == call.calendar || destination->events.find(call.event_id) != nullptr)
        return refuse(409, "duplicate", "The requested identifier already exists.");
    auto body = row->body;
    if (auto ok = remove_event(call.world, call.account, *call.calendar, call.event_id); !ok)
        return refuse(ok.error());
    body["organizer"] = json::object{
        {"email", destination->is_primary ? call.account.email : destination->id}, {"self", true}};
    call.calendar = destination;
    return store_and_answer(call, std::move(body), "events.move");
}

Answer<net::Response> quick_add_event(Call& /*call*/) {
    return refuse(501, "notImplemented", "The sandbox does not read events from sentences.");
}

}  // namespace calhost::sandbox
