// Events of the calendar room as Graph's own.
#include "base/json.h"
#include "sandbox/graph_item.h"
#include "sandbox/graph_recurrence.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

using calendar::Event;
using calendar::EventTime;

/// As it is stored: in the zone's Windows name where there is one, else in UTC.
json::object time_of(const EventTime& time, const std::string& calendar_zone) {
    auto name = windows_name(time.is_date ? calendar_zone : time.zone);
    if (zone_of(name).empty()) name = "UTC";
    return write_time(time, name);
}

std::string show_as(const Event& event) {
    if (event.busy == "elsewhere") return "workingElsewhere";
    if (event.status == "tentative") return "tentative";
    return event.busy;
}

void fill(json::object& body, const Event& event, const std::string& zone) {
    body["subject"] = event.title;
    body["body"] =
        json::object{{"contentType", event.description_format == "html" ? "html" : "text"},
                     {"content", event.description}};
    if (!event.uid.empty()) body["iCalUId"] = event.uid;
    if (!event.location.empty()) {
        const json::object place{{"displayName", event.location},
                                 {"locationType", "default"},
                                 {"uniqueIdType", "unknown"}};
        body["location"] = place;
        body["locations"] = json::array{place};
    }
    body["showAs"] = show_as(event);
    if (event.visibility == "private" || event.visibility == "confidential")
        body["sensitivity"] = event.visibility;
    body["isAllDay"] = event.is_all_day();
    body["start"] = time_of(event.start, zone);
    body["end"] = time_of(event.finish, zone);
    if (event.is_all_day()) body["end"].as_object()["timeZone"] = body["start"].at("timeZone");
    json::array categories;
    for (const auto& category : event.categories) categories.emplace_back(category);
    body["categories"] = std::move(categories);
    body["isReminderOn"] = event.reminders && !event.reminders->empty();
    if (event.reminders && !event.reminders->empty())
        body["reminderMinutesBeforeStart"] = event.reminders->front().minutes;
}

/// An occurrence that does not happen.
void cancel(GraphWorld& world, Calendar& calendar, const Row& series, const EventTime& slot) {
    Event event;
    event.id = series.event.id + "_" + slot_name(slot);
    event.status = "cancelled";
    event.start = slot;
    event.finish = slot;
    event.series_id = series.event.id;
    event.recurrence_id = slot;
    calendar.events.put(series.body, std::move(event), world.clock.now(), calendar.zone);
}

}  // namespace

bool store_neutral(GraphWorld& world, Account& account, Calendar& calendar, const Event& event,
                   std::string id, const std::string& series_id) {
    if (event.status == "cancelled" && !event.is_override()) return false;
    auto body = new_body(world, account);
    fill(body, event, account.zone);
    if (event.is_series()) {
        auto pattern = pattern_of(event.recurrence->rrule, event.start);
        if (!pattern || !event.recurrence->rdate.empty()) return false;
        body["recurrence"] = std::move(*pattern);
    }
    auto checked = check_body(body);
    if (!checked) return false;
    checked->id = std::move(id);
    checked->series_id = series_id;
    checked->recurrence_id = event.recurrence_id;
    checked->status = event.status == "cancelled" ? "cancelled" : "confirmed";
    const Row& row =
        store(world, account, calendar, std::move(body), std::move(*checked), "created");
    if (event.is_series())
        for (const auto& slot : event.recurrence->exdate)
            if (has_slot(calendar, row, slot)) cancel(world, calendar, row, slot);
    return true;
}

}  // namespace calhost::sandbox::graph
