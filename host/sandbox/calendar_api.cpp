#include "sandbox/calendar_api.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "calendar/zone.h"
#include "sandbox/fields.h"

namespace calhost::sandbox {
namespace {

/// A path below /calendar/v3: `{c}` is a calendar's id, `{e}` an event's or a setting's.
struct Entry {
    std::string_view verb;
    std::string_view path;
    std::string_view name;  ///< of the scope table
    Method method;
};

constexpr auto kEntries = std::to_array<Entry>({
    {"GET", "users/me/calendarList", "calendarList.list", list_calendars},
    {"GET", "users/me/calendarList/{c}", "calendarList.get", get_calendar_entry},
    {"GET", "users/me/settings", "settings", list_settings},
    {"GET", "users/me/settings/{e}", "settings", get_setting},
    {"GET", "calendars/{c}", "calendars.get", get_calendar},
    {"GET", "calendars/{c}/events", "events.list", list_events},
    {"POST", "calendars/{c}/events", "events.insert", insert_event},
    {"POST", "calendars/{c}/events/import", "events.import", import_event},
    {"POST", "calendars/{c}/events/quickAdd", "events.quickAdd", quick_add_event},
    {"POST", "calendars/{c}/events/watch", "events.watch", watch_events},
    {"GET", "calendars/{c}/events/{e}", "events.get", get_event},
    {"PATCH", "calendars/{c}/events/{e}", "events.patch", patch_event},
    {"PUT", "calendars/{c}/events/{e}", "events.update", update_event},
    {"DELETE", "calendars/{c}/events/{e}", "events.delete", delete_event},
    {"GET", "calendars/{c}/events/{e}/instances", "events.instances", list_instances},
    {"POST", "calendars/{c}/events/{e}/move", "events.move", move_event},
    {"POST", "freeBusy", "freebusy.query", query_free_busy},
    {"POST", "channels/stop", "channels.stop", stop_channel},
    {"GET", "colors", "colors.get", get_colors},
});

std::string_view next_part(std::string_view& path) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    return part;
}

bool is_match(std::string_view pattern, std::string_view path, std::string& calendar,
              std::string& event) {
    while (!pattern.empty() && !path.empty()) {
        const auto wanted = next_part(pattern);
        const auto given = next_part(path);
        if (given.empty()) return false;
        if (wanted == "{c}")
            calendar = given;
        else if (wanted == "{e}")
            event = given;
        else if (wanted != given)
            return false;
    }
    return pattern.empty() && path.empty();
}

bool needs_writer(std::string_view verb, std::string_view name) {
    return name.starts_with("events.") && name != "events.watch" && verb != "GET";
}

Answer<net::Response> run(const Entry& entry, Call& call, const std::string& calendar_id,
                          const Scopes& scopes) {
    if (!allows(scopes, entry.name))
        return refuse(403, "insufficientPermissions",
                      "Request had insufficient authentication scopes.");
    if (!calendar_id.empty()) {
        call.calendar = call.account.find_calendar(calendar_id);
        if (call.calendar == nullptr) return refuse_missing();
        const auto& role = call.calendar->access_role;
        if (needs_writer(entry.verb, entry.name) && !role.starts_with("writer") && role != "owner")
            return refuse({403,
                           "requiredAccessLevel",
                           "You need to have writer access to this calendar.",
                           "calendar",
                           {},
                           {}});
    }
    return entry.method(call);
}

/// Applies `fields` and `prettyPrint`.
Answer<net::Response> shape(net::Response response, const net::Query& query) {
    const auto fields = query.get("fields");
    const bool is_pretty = query.get("prettyPrint") == "true";
    if (response.status != 200 || (fields.empty() && !is_pretty)) return response;
    auto body = json::parse(response.body);
    if (!body) return response;
    if (!fields.empty()) {
        body = select_fields(*body, fields);
        if (!body) return refuse_parameter("fields", body.error().message);
    }
    response.body = is_pretty ? pretty_print(*body) : json::serialize(*body);
    return response;
}

}  // namespace

net::Response serve_calendar(GoogleWorld& world, Account& account, const Scopes& scopes,
                             const net::Request& request) {
    constexpr std::string_view kMount = "/calendar/v3/";
    const auto path = std::string_view(request.path).substr(kMount.size());
    for (const auto& entry : kEntries) {
        std::string calendar_id;
        Call call{world, account, request, nullptr, {}};
        if (entry.verb != request.method || !is_match(entry.path, path, calendar_id, call.event_id))
            continue;
        auto response = run(entry, call, calendar_id, scopes);
        if (response) response = shape(std::move(*response), request.query);
        return response ? std::move(*response) : to_response(response.error());
    }
    return to_response(refuse_missing().error());
}

Answer<View> Call::view() const {
    View view;
    view.zone = request.query.get("timeZone");
    if (!view.zone.empty() && !calendar::is_zone(view.zone))
        return refuse_parameter("timeZone", "Invalid time zone.");
    const auto max_attendees = number("maxAttendees", 0, 1);
    if (!max_attendees) return refuse(max_attendees.error());
    view.max_attendees = *max_attendees;
    return view;
}

Answer<json::object> Call::body() const {
    if (request.body.empty()) return json::object{};
    const auto value = json::parse(request.body);
    if (!value || !value->is_object()) return refuse(400, "parseError", "Parse Error");
    return value->as_object();
}

Answer<int> Call::number(std::string_view name, int otherwise, int least) const {
    const auto text = request.query.get(name);
    if (text.empty()) return otherwise;
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < least)
        return refuse_parameter(std::string(name), "Invalid value for " + std::string(name) + ".");
    return number;
}

Answer<std::optional<Timestamp>> Call::moment(std::string_view name) const {
    const auto text = request.query.get(name);
    if (text.empty()) return std::nullopt;
    const auto when = parse_rfc3339(text);
    if (!when) return refuse(400, "badRequest", "Bad Request");
    return *when;
}

}  // namespace calhost::sandbox
