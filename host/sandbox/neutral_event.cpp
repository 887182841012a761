// Events of the calendar room as Google's own.
#include "base/json.h"
#include "sandbox/calendar_api.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

using calendar::Event;

std::string camel_response(std::string_view word) {
    return word == "needs_action" || word.empty() ? "needsAction" : std::string(word);
}

json::array attendees_of(const Event& event) {
    json::array list;
    for (const auto& attendee : event.attendees) {
        if (attendee.email.find('@') == std::string::npos) continue;
        json::object entry{{"email", attendee.email},
                           {"responseStatus", camel_response(attendee.response)}};
        if (!attendee.name.empty()) entry["displayName"] = attendee.name;
        if (attendee.role == "optional") entry["optional"] = true;
        if (attendee.role == "resource") entry["resource"] = true;
        list.push_back(std::move(entry));
    }
    return list;
}

void put_reminders(json::object& body, const Event& event) {
    if (!event.reminders) return;
    json::array overrides;
    for (const auto& reminder : *event.reminders)
        if (overrides.size() < 5 && reminder.minutes >= 0 && reminder.minutes <= 40320)
            overrides.push_back(
                json::object{{"method", reminder.method}, {"minutes", reminder.minutes}});
    body["reminders"] = json::object{{"useDefault", false}, {"overrides", std::move(overrides)}};
}

void fill(json::object& body, const Event& event, std::string_view zone) {
    body["summary"] = event.title;
    if (!event.description.empty()) body["description"] = event.description;
    if (!event.location.empty()) body["location"] = event.location;
    if (event.status != "confirmed") body["status"] = event.status;
    if (event.busy == "free") body["transparency"] = "transparent";
    if (event.visibility != "default") body["visibility"] = event.visibility;
    if (!event.uid.empty()) body["iCalUID"] = event.uid;
    if (event.created) body["created"] = format_millis(*event.created);
    body["sequence"] = event.sequence;
    body["start"] = write_time(event.start, zone);
    body["end"] = write_time(event.finish, zone);
    if (auto attendees = attendees_of(event); !attendees.empty())
        body["attendees"] = std::move(attendees);
    if (!event.organizer.empty()) body["organizer"] = json::object{{"email", event.organizer}};
    put_reminders(body, event);
    if (event.recurrence) body["recurrence"] = write_recurrence(*event.recurrence);
}

}  // namespace

bool store_neutral(GoogleWorld& world, Account& account, Calendar& calendar, const Event& event,
                   std::string id, const std::string& series_id) {
    auto body = new_event_body(world, account, calendar, std::move(id));
    fill(body, event, calendar.zone);
    if (event.is_override()) {
        body["recurringEventId"] = series_id;
        body["originalStartTime"] = write_time(*event.recurrence_id, calendar.zone);
    }
    return store_event(world, account, calendar, std::move(body), "control.import").has_value();
}

}  // namespace calhost::sandbox
