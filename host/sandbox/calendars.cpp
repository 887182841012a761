// The account's calendars, its settings, and the palette.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/json.h"
#include "sandbox/calendar_api.h"

namespace calhost::sandbox {
namespace {

// Facts: Google's palette. Calendar colours "1" to "24", event colours "1" to "11".
constexpr auto kCalendarColors = std::to_array<std::string_view>(
    {"#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#42d692", "#16a765",
     "#7bd148", "#b3dc6c", "#fbe983", "#fad165", "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7",
     "#9a9cff", "#b99aff", "#c2c2c2", "#cabdbf", "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2"});
constexpr auto kEventColors = std::to_array<std::string_view>(
    {"#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c", "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1",
     "#5484ed", "#51b749", "#dc2127"});
constexpr std::string_view kForeground = "#1d1d1d";

std::string etag_of(const Calendar& calendar) {
    return fmt::format("\"{}\"", 1'700'000'000'000'000 + calendar.position);
}

json::object entry_of(const Calendar& calendar) {
    json::object entry{
        {"kind", "calendar#calendarListEntry"}, {"etag", etag_of(calendar)}, {"id", calendar.id}};
    if (calendar.is_deleted) {
        entry["deleted"] = true;
        return entry;
    }
    const auto color = static_cast<std::size_t>(std::stoi(calendar.color_id) - 1);
    entry["summary"] = calendar.summary;
    entry["timeZone"] = calendar.zone;
    entry["colorId"] = calendar.color_id;
    entry["backgroundColor"] = kCalendarColors.at(color);
    entry["foregroundColor"] = kForeground;
    entry["selected"] = true;
    entry["accessRole"] = calendar.access_role;
    entry["defaultReminders"] = json::array{json::object{{"method", "popup"}, {"minutes", 30}}};
    if (calendar.is_primary) entry["primary"] = true;
    entry["conferenceProperties"] =
        json::object{{"allowedConferenceSolutionTypes", json::array{"hangoutsMeet"}}};
    return entry;
}

int rank(std::string_view role) {
    constexpr auto kRoles = std::to_array<std::string_view>(
        {"freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"});
    const auto place = std::ranges::find(kRoles, role);
    return place == kRoles.end() ? -1 : static_cast<int>(place - kRoles.begin());
}

template <std::size_t N>
json::object palette(const std::array<std::string_view, N>& colors) {
    json::object map;
    for (std::size_t i = 0; i < N; ++i)
        map[std::to_string(i + 1)] =
            json::object{{"background", colors.at(i)}, {"foreground", kForeground}};
    return map;
}

json::array settings_of(const Account& account) {
    json::array list;
    const std::array<std::pair<std::string_view, std::string>, 5> settings{
        {{"defaultEventLength", "60"},
         {"format24HourTime", "true"},
         {"locale", "en"},
         {"timezone", account.zone},
         {"weekStart", "1"}}};
    for (const auto& [id, value] : settings)
        list.push_back(json::object{{"kind", "calendar#setting"},
                                    {"etag", "\"" + base64url_encode(value) + "\""},
                                    {"id", id},
                                    {"value", value}});
    return list;
}

std::string make_token(const Account& account) {
    return base64url_encode(fmt::format("list {} {} {}", account.list_generation,
                                        account.list_position, account.email));
}

Answer<std::uint64_t> read_token(std::string_view token, const Account& account) {
    const auto gone = [] {
        return refuse({410, "fullSyncRequired",
                       "Sync token is no longer valid, a full sync is required.", "calendar",
                       "syncToken", "parameter"});
    };
    const auto text = base64_decode(token);
    if (!text) return gone();
    unsigned long long generation = 0;
    unsigned long long position = 0;
    std::array<char, 256> email{};
    if (std::sscanf(text->c_str(), "list %llu %llu %255s", &generation, &position, email.data()) !=
        3)
        return gone();
    if (generation != account.list_generation || account.email != email.data()) return gone();
    return position;
}

}  // namespace

Answer<net::Response> list_calendars(Call& call) {
    const auto limit = call.number("maxResults", 100, 1);
    if (!limit) return refuse(limit.error());
    const auto offset = call.number("pageToken", 0, 0);
    if (!offset) return refuse_parameter("pageToken", "Invalid page token value.");
    const auto& given = call.request.query;
    std::uint64_t since = 0;
    const bool is_incremental = given.has("syncToken");
    if (is_incremental) {
        for (const std::string_view name : {"minAccessRole", "showOwnOrganizationOnly"})
            if (given.has(name))
                return refuse_parameter(
                    "syncToken", fmt::format("Sync token cannot be combined with {}.", name));
        const auto position = read_token(given.get("syncToken"), call.account);
        if (!position) return refuse(position.error());
        since = *position;
    }
    const int least = given.has("minAccessRole") ? rank(given.get("minAccessRole")) : 0;
    if (least < 0) return refuse_parameter("minAccessRole", "Invalid access role.");
    std::vector<const Calendar*> found;
    for (const auto& [id, calendar] : call.account.calendars)
        if (calendar->position > since && rank(calendar->access_role) >= least &&
            (!calendar->is_deleted || is_incremental || call.flag("showDeleted")))
            found.push_back(calendar.get());
    std::ranges::sort(found, {}, &Calendar::position);
    const auto first = static_cast<std::size_t>(*offset);
    const auto last =
        std::min(found.size(), first + static_cast<std::size_t>(std::min(*limit, 250)));
    json::array items;
    for (std::size_t i = first; i < last; ++i) items.push_back(entry_of(*found[i]));
    json::object body{{"kind", "calendar#calendarList"},
                      {"etag", fmt::format("\"p{}\"", call.account.list_position)},
                      {"items", std::move(items)}};
    if (last < found.size())
        body["nextPageToken"] = std::to_string(last);
    else
        body["nextSyncToken"] = make_token(call.account);
    return net::Response::json(200, body);
}

Answer<net::Response> get_calendar_entry(Call& call) {
    return net::Response::json(200, entry_of(*call.calendar));
}

Answer<net::Response> get_calendar(Call& call) {
    const Calendar& calendar = *call.calendar;
    return net::Response::json(200, json::object{{"kind", "calendar#calendar"},
                                                 {"etag", etag_of(calendar)},
                                                 {"id", calendar.id},
                                                 {"summary", calendar.summary},
                                                 {"timeZone", calendar.zone}});
}

Answer<net::Response> list_settings(Call& call) {
    return net::Response::json(200, json::object{{"kind", "calendar#settings"},
                                                 {"etag", "\"settings\""},
                                                 {"items", settings_of(call.account)}});
}

Answer<net::Response> get_setting(Call& call) {
    for (const auto& setting : settings_of(call.account))
        if (json::text_of(setting, "id") == call.event_id) return net::Response::json(200, setting);
    return refuse_missing();
}

Answer<net::Response> get_colors(Call& /*call*/) {
    return net::Response::json(200, json::object{{"kind", "calendar#colors"},
                                                 {"updated", "2012-02-14T00:00:00.000Z"},
                                                 {"calendar", palette(kCalendarColors)},
                                                 {"event", palette(kEventColors)}});
}

}  // namespace calhost::sandbox
