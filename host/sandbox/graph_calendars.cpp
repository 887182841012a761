// Who the mailbox belongs to, its calendars and its settings.
#include "base/json.h"
#include "calendar/windows_zones.h"
#include "sandbox/graph_call.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

json::object entry_of(const Account& account, const Calendar& calendar) {
    const bool can_edit =
        calendar.access_role == "owner" || calendar.access_role.starts_with("writer");
    return {{"id", calendar.id},
            {"name", calendar.is_primary ? "Calendar" : calendar.summary},
            {"color", "auto"},
            {"hexColor", ""},
            {"changeKey", "DwAAABYAAAB" + std::to_string(calendar.position)},
            {"isDefaultCalendar", calendar.is_primary},
            {"canShare", calendar.access_role == "owner"},
            {"canViewPrivateItems", can_edit},
            {"canEdit", can_edit},
            {"isTallyingResponses", calendar.is_primary},
            {"isRemovable", !calendar.is_primary},
            {"allowedOnlineMeetingProviders", json::array{}},
            {"defaultOnlineMeetingProvider", "unknown"},
            {"owner", json::object{{"name", account.name}, {"address", account.email}}}};
}

}  // namespace

Answer<net::Response> get_me(Call& call) {
    const auto& account = call.account;
    return ok({{"@odata.context", call.world.api() + "/$metadata#users/$entity"},
               {"id", account.subject},
               {"displayName", account.name},
               {"mail", account.email},
               {"userPrincipalName", account.email}});
}

Answer<net::Response> list_calendars(Call& call) {
    const auto top = call.number("$top", 100, 1000);
    if (!top) return refuse(top.error());
    const auto skip = call.number("$skip", 0, 100'000);
    if (!skip) return refuse(skip.error());
    json::array value;
    int index = 0;
    bool has_more = false;
    for (const auto& [id, calendar] : call.account.calendars) {
        if (calendar->is_deleted || index++ < *skip) continue;
        has_more = index > *skip + *top;
        if (has_more) break;
        value.push_back(entry_of(call.account, *calendar));
    }
    json::object body{{"@odata.context", call.context("calendars")}, {"value", std::move(value)}};
    const auto next = static_cast<std::size_t>(*skip) + static_cast<std::size_t>(*top);
    if (has_more) body["@odata.nextLink"] = call.link_to(next);
    return ok(std::move(body));
}

Answer<net::Response> get_calendar(Call& call) {
    auto body = entry_of(call.account, call.home());
    body["@odata.context"] = call.context("calendars/$entity");
    return ok(std::move(body));
}

Answer<net::Response> get_mailbox_settings(Call& call) {
    return ok({{"@odata.context", call.context("mailboxSettings")},
               {"timeZone", windows_name(call.account.zone)},
               {"dateFormat", "yyyy-MM-dd"},
               {"timeFormat", "HH:mm"}});
}

Answer<net::Response> list_zones(Call& call) {
    json::array value{json::object{{"alias", "UTC"}, {"displayName", "UTC"}}};
    for (const auto& zone : calendar::windows_zones())
        value.push_back(json::object{{"alias", zone.windows}, {"displayName", zone.windows}});
    return ok({{"@odata.context",
                call.world.api() + "/$metadata#Collection(microsoft.graph.timeZoneInformation)"},
               {"value", std::move(value)}});
}

}  // namespace calhost::sandbox::graph
