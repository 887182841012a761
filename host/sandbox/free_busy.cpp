// freebusy.query: when a calendar is busy, and nothing else.
#include <algorithm>

#include "base/json.h"
#include "calendar/zone.h"
#include "sandbox/calendar_api.h"
#include "sandbox/instances.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

constexpr std::size_t kMaxCalendars = 50;
constexpr milliseconds kLongest = std::chrono::hours{24 * 92};

bool is_busy(const json::object& body) {
    if (json::text_of(body, "transparency") == "transparent") return false;
    const auto* attendees = body.if_contains("attendees");
    if (attendees == nullptr) return true;
    return std::ranges::none_of(attendees->as_array(), [](const json::value& attendee) {
        const auto* self = json::find(attendee, "self");
        return self != nullptr && self->is_bool() && self->as_bool() &&
               json::text_of(attendee, "responseStatus") == "declined";
    });
}

/// Busy times inside the window, sorted and joined.
std::vector<calendar::Window> busy_times(const Calendar& calendar, calendar::Window window) {
    std::vector<calendar::Window> times;
    const auto add = [&](const json::object& body) {
        if (!is_busy(body)) return;
        const auto start = read_time(body.if_contains("start"), "start", calendar.zone);
        const auto finish = read_time(body.if_contains("end"), "end", calendar.zone);
        if (!start || !finish) return;
        const auto from = std::max(moment_of(*start, calendar.zone), window.start);
        const auto to = std::min(moment_of(*finish, calendar.zone), window.finish);
        if (from < to) times.push_back({from, to});
    };
    for (const auto& [position, row] : calendar.events.log()) {
        const bool comes_with_series =
            row->event.is_override() && calendar.events.find(row->event.series_id) != nullptr;
        if (row->is_cancelled() || comes_with_series) continue;
        if (!row->event.is_series()) {
            add(row->body);
            continue;
        }
        for (const auto& instance : expand_series(calendar, *row, window, false))
            add(instance.body);
    }
    std::ranges::sort(times, {}, &calendar::Window::start);
    std::vector<calendar::Window> joined;
    for (const auto& time : times) {
        if (!joined.empty() && time.start <= joined.back().finish)
            joined.back().finish = std::max(joined.back().finish, time.finish);
        else
            joined.push_back(time);
    }
    return joined;
}

json::object error_entry(std::string_view reason) {
    return {{"errors", json::array{json::object{{"domain", "global"}, {"reason", reason}}}},
            {"busy", json::array{}}};
}

}  // namespace

Answer<net::Response> query_free_busy(Call& call) {
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    const auto start = parse_rfc3339(json::text_of(*sent, "timeMin"));
    const auto finish = parse_rfc3339(json::text_of(*sent, "timeMax"));
    if (!start || !finish) return refuse(400, "required", "Missing or invalid timeMin or timeMax.");
    if (*finish <= *start)
        return refuse(400, "timeRangeEmpty", "The specified time range is empty.");
    if (*finish - *start > kLongest)
        return refuse(400, "timeRangeTooLong", "The requested time range is too long.");
    std::string zone(json::text_of(*sent, "timeZone"));
    if (zone.empty()) zone = "Etc/UTC";
    if (!calendar::is_zone(zone)) return refuse(400, "invalid", "Invalid time zone.");
    const auto* items = sent->if_contains("items");
    if (items != nullptr && !items->is_array())
        return refuse(400, "invalid", "Invalid value for: items");

    json::object calendars;
    const json::array none;
    const auto& asked = items == nullptr ? none : items->as_array();
    for (const auto& item : asked) {
        const auto id = json::text_of(item, "id");
        const auto* calendar = call.account.find_calendar(id);
        if (asked.size() > kMaxCalendars)
            calendars[id] = error_entry("tooManyCalendarsRequested");
        else if (calendar == nullptr)
            calendars[id] = error_entry("notFound");
        if (calendar == nullptr || asked.size() > kMaxCalendars) continue;
        json::array busy;
        for (const auto& time : busy_times(*calendar, {*start, *finish}))
            busy.push_back(json::object{{"start", format_in_zone(time.start, zone)},
                                        {"end", format_in_zone(time.finish, zone)}});
        calendars[id] = json::object{{"busy", std::move(busy)}};
    }
    return net::Response::json(200, json::object{{"kind", "calendar#freeBusy"},
                                                 {"timeMin", format_millis(*start)},
                                                 {"timeMax", format_millis(*finish)},
                                                 {"calendars", std::move(calendars)}});
}

}  // namespace calhost::sandbox
