// Events of the calendar room as an account's own: from iCalendar files, and for the demo.
#include <fmt/format.h>

#include "base/encoding.h"
#include "calendar/icalendar.h"
#include "calendar/zone.h"
#include "crypto/crypto.h"
#include "sandbox/occurrences.h"
#include "sandbox/parts.h"

namespace calhost::sandbox {
namespace {

using calendar::Event;

/// The same file gives the same ids, whenever it is loaded.
std::string id_of(const std::string& uid) { return hex_encode(crypto::sha256(uid)).substr(0, 26); }

/// The ids that UIDs have already, so that a file that is loaded twice is not there twice.
std::map<std::string, std::string> ids_by_uid(const Calendar& calendar) {
    std::map<std::string, std::string> ids;
    for (const auto& [position, row] : calendar.events.log())
        if (!row->event.is_override()) ids[row->event.uid] = row->event.id;
    return ids;
}

}  // namespace

int import_events(Provider::Parts& parts, Account& account, const std::vector<Event>& events) {
    Calendar& calendar = *account.find_calendar("primary");
    auto ids = ids_by_uid(calendar);
    int count = 0;
    for (const auto& event : events) {
        if (event.is_override()) continue;
        std::string& id = ids[event.uid];
        if (id.empty()) id = id_of(event.uid);
        if (parts.store(account, calendar, event, id, {})) ++count;
    }
    for (const auto& event : events) {
        if (!event.is_override()) continue;
        std::string& series_id = ids[event.uid];
        if (series_id.empty()) series_id = id_of(event.uid);
        const auto id = series_id + "_" + slot_name(*event.recurrence_id);
        if (parts.store(account, calendar, event, id, series_id)) ++count;
    }
    return count;
}

Result<int> Provider::load_icalendar(std::string_view email, std::string_view text) {
    auto* account = parts_->world.find_account(email);
    if (account == nullptr)
        return fail(ErrorCode::not_found, fmt::format("the sandbox has no account {}", email));
    const auto file = calendar::read_icalendar(text);
    if (!file) return fail(file.error());
    return import_events(*parts_, *account, file->events);
}

void Provider::add_demo_events(std::string_view email) {
    auto* account = parts_->world.find_account(email);
    if (account == nullptr) return;
    const auto today = std::chrono::floor<std::chrono::days>(parts_->world.clock.now());
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
    import_events(*parts_, *account, events);
}

}  // namespace calhost::sandbox
