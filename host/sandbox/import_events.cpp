// Events of the calendar room as Google's own: from iCalendar files, and for the demo.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "calendar/icalendar.h"
#include "calendar/zone.h"
#include "crypto/crypto.h"
#include "sandbox/calendar_api.h"
#include "sandbox/google_impl.h"
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

/// The same file gives the same ids, whenever it is loaded.
std::string id_of(const std::string& uid) { return hex_encode(crypto::sha256(uid)).substr(0, 26); }

/// The ids that UIDs have already, so that a file that is loaded twice is not there twice.
std::map<std::string, std::string> ids_by_uid(const Calendar& calendar) {
    std::map<std::string, std::string> ids;
    for (const auto& [position, row] : calendar.events.log())
        if (!row->event.is_override()) ids[row->event.uid] = row->event.id;
    return ids;
}

bool store(World& world, Account& account, Calendar& calendar, const Event& event, std::string id,
           const std::string& series_id) {
    auto body = new_event_body(world, account, calendar, std::move(id));
    fill(body, event, calendar.zone);
    if (event.is_override()) {
        body["recurringEventId"] = series_id;
        body["originalStartTime"] = write_time(*event.recurrence_id, calendar.zone);
    }
    return store_event(world, account, calendar, std::move(body), "control.import").has_value();
}

}  // namespace

int import_events(World& world, Account& account, const std::vector<Event>& events) {
    Calendar& calendar = *account.find_calendar("primary");
    auto ids = ids_by_uid(calendar);
    int count = 0;
    for (const auto& event : events) {
        if (event.is_override()) continue;
        std::string& id = ids[event.uid];
        if (id.empty()) id = id_of(event.uid);
        if (store(world, account, calendar, event, id, {})) ++count;
    }
    for (const auto& event : events) {
        if (!event.is_override()) continue;
        std::string& series_id = ids[event.uid];
        if (series_id.empty()) series_id = id_of(event.uid);
        const auto id = series_id + "_" + slot_name(*event.recurrence_id);
        if (store(world, account, calendar, event, id, series_id)) ++count;
    }
    return count;
}

Result<int> Google::load_icalendar(std::string_view email, std::string_view text) {
    auto* account = impl_->world.find_account(email);
    if (account == nullptr)
        return fail(ErrorCode::not_found, fmt::format("the sandbox has no account {}", email));
    const auto file = calendar::read_icalendar(text);
    if (!file) return fail(file.error());
    return import_events(impl_->world, *account, file->events);
}

void Google::add_demo_events(std::string_view email) {
    auto* account = impl_->world.find_account(email);
    if (account == nullptr) return;
    const auto today = std::chrono::floor<std::chrono::days>(impl_->world.clock.now());
    const auto event_at = [&](std::string title, int day, std::chrono::minutes time,
                              std::chrono::minutes length) {
        Event event;
        event.title = std::move(title);
        event.uid = event.title + "@sandbox.example";
        const auto local =
            std::chrono::local_seconds((today + std::chrono::days{day}).time_since_epoch() + time);
        event.start = calendar::make_local(local, account->zone).value_or(calendar::EventTime{});
        event.finish =
            calendar::make_local(local + length, account->zone).value_or(calendar::EventTime{});
        return event;
    };
    using std::chrono::hours;
    using std::chrono::minutes;
    std::vector<Event> events;
    events.push_back(event_at("Coffee with Ada", 1, hours{10}, minutes{45}));
    events.back().location = "Café Central";
    events.push_back(event_at("Dentist", 3, hours{14} + minutes{30}, hours{1}));
    events.back().visibility = "private";

    events.push_back(event_at("Weekly planning", 0, hours{9}, minutes{30}));
    events.back().recurrence = calendar::Recurrence{"FREQ=WEEKLY;COUNT=8", {}, {}};
    auto moved = event_at("Weekly planning (moved)", 7, hours{11}, minutes{30});
    moved.uid = events.back().uid;
    moved.recurrence_id = event_at({}, 7, hours{9}, minutes{30}).start;
    events.push_back(std::move(moved));

    auto holiday = event_at("Day off", 5, hours{0}, hours{24});
    holiday.start = calendar::make_date(std::chrono::sys_days(today) + std::chrono::days{5});
    holiday.finish = calendar::make_date(std::chrono::sys_days(today) + std::chrono::days{6});
    holiday.busy = "free";
    events.push_back(std::move(holiday));
    import_events(impl_->world, *account, events);
}

}  // namespace calhost::sandbox
