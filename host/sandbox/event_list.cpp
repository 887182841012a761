// events.list: a walk through the log of changes, or a sorted selection when an order is asked.
#include <algorithm>

#include "base/json.h"
#include "sandbox/instances.h"
#include "sandbox/list_query.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

constexpr auto kBeginning = from_millis(-62'135'596'800'000);    // year 1
constexpr milliseconds kHorizon = std::chrono::hours{24 * 731};  // of series without end

/// One item of the answer with its place in the order.
struct Item {
    std::int64_t key = 0;
    std::string id;
    std::string text;
};

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool has_text(const json::object& body, const std::string& text) {
    for (const std::string_view name : {"summary", "description", "location"})
        if (lower(json::text_of(body, name)).find(text) != std::string::npos) return true;
    const auto* attendees = body.if_contains("attendees");
    if (attendees == nullptr) return false;
    return std::ranges::any_of(attendees->as_array(), [&](const json::value& attendee) {
        return lower(json::text_of(attendee, "email")).find(text) != std::string::npos ||
               lower(json::text_of(attendee, "displayName")).find(text) != std::string::npos;
    });
}

bool has_properties(const json::object& body, std::string_view kind,
                    const std::vector<std::pair<std::string, std::string>>& wanted) {
    if (wanted.empty()) return true;
    const auto* properties = body.if_contains("extendedProperties");
    const auto* map = properties == nullptr ? nullptr : json::find(*properties, kind);
    return map != nullptr && std::ranges::all_of(wanted, [&](const auto& pair) {
               return json::find(*map, pair.first) != nullptr &&
                      json::text_of(*map, pair.first) == pair.second;
           });
}

/// The filters that look at what an event says, not when it is.
bool is_wanted(const Row& row, const ListQuery& query) {
    if (!query.uid.empty() && row.event.uid != query.uid) return false;
    if (!query.types.empty() &&
        !query.types.contains(std::string(json::text_of(row.body, "eventType"))))
        return false;
    if (!query.text.empty() && !has_text(row.body, query.text)) return false;
    return has_properties(row.body, "private", query.private_properties) &&
           has_properties(row.body, "shared", query.shared_properties);
}

/// A sync token's filter counts what the event ever covered: a client that knows the event must
/// hear that it moved away.
bool is_in_time(const Row& row, const ListQuery& query, std::string_view zone) {
    if (query.is_incremental)
        return (!query.time_min || !row.latest || *row.latest > *query.time_min) &&
               (!query.time_max || row.earliest < *query.time_max);
    return (!query.time_min || !row.finish || *row.finish > *query.time_min) &&
           (!query.time_max || moment_of(row.event.start, zone) < *query.time_max);
}

bool is_override_of_live_series(const Row& row, const EventStore& events) {
    if (!row.event.is_override()) return false;
    const auto* series = events.find(row.event.series_id);
    return series != nullptr && !series->is_cancelled();
}

/// The two meanings of "cancelled" (an instance of a live series, a deleted event) and who hears
/// of them.
bool is_visible(const Row& row, const ListQuery& query, const Calendar& calendar) {
    if (!is_wanted(row, query)) return false;
    if (query.updated_min && row.updated < *query.updated_min) return false;
    if (!row.is_cancelled()) return is_in_time(row, query, calendar.zone);
    if (query.is_incremental || query.updated_min) return true;
    const bool is_exception =
        is_override_of_live_series(row, calendar.events) && !query.is_expanded;
    return (query.shows_deleted || is_exception) && is_in_time(row, query, calendar.zone);
}

std::string text_of(const Row& row, const View& view) {
    if (row.is_cancelled()) return json::serialize(present_cancelled(row.body));
    if (view.zone.empty() && view.max_attendees == 0) return row.text();
    return json::serialize(present(row.body, view));
}

/// Items in the order of the log, and whether there are more.
std::pair<std::vector<Item>, bool> walk_log(const Calendar& calendar, const ListQuery& query) {
    std::vector<Item> items;
    auto from = query.since;
    if (query.after) from = std::max(from, static_cast<std::uint64_t>(query.after->first));
    const auto& log = calendar.events.log();
    for (auto it = log.upper_bound(from); it != log.end(); ++it) {
        const Row& row = *it->second;
        if (!is_visible(row, query, calendar)) continue;
        if (items.size() == static_cast<std::size_t>(query.max_results))
            return {std::move(items), true};
        items.push_back(
            {static_cast<std::int64_t>(row.position), row.event.id, text_of(row, query.view)});
    }
    return {std::move(items), false};
}

void add_series(const Call& call, const Row& row, const ListQuery& query,
                std::vector<Item>& items) {
    const Calendar& calendar = *call.calendar;
    const auto horizon = call.world.clock.now() + kHorizon;
    const calendar::Window window{
        query.time_min.value_or(kBeginning),
        query.time_max.value_or(row.finish ? *row.finish + milliseconds{1} : horizon)};
    const bool with_cancelled = query.shows_deleted || query.is_incremental || query.updated_min;
    for (auto& instance : expand_series(calendar, row, window, with_cancelled))
        items.push_back(
            {to_millis(instance.start), std::string(json::text_of(instance.body, "id")),
             json::serialize(instance.is_cancelled ? instance.body
                                                   : present(instance.body, query.view))});
}

/// Everything that matches, one entry an item.
std::vector<Item> select(const Call& call, const ListQuery& query) {
    const Calendar& calendar = *call.calendar;
    std::vector<Item> items;
    for (const auto& [position, row] : calendar.events.log()) {
        if (position <= query.since) continue;
        const bool is_series = row->event.is_series() && !row->is_cancelled();
        if (query.is_expanded && is_series) {
            if (is_wanted(*row, query) &&
                (!query.updated_min || row->updated >= *query.updated_min))
                add_series(call, *row, query, items);
            continue;
        }
        // The series brings its overrides, unless only they changed.
        if (query.is_expanded && is_override_of_live_series(*row, calendar.events) &&
            calendar.events.find(row->event.series_id)->position > query.since)
            continue;
        if (!is_visible(*row, query, calendar)) continue;
        const auto key = query.order == "updated"
                             ? to_millis(row->updated)
                             : to_millis(moment_of(row->event.start, calendar.zone));
        items.push_back({key, row->event.id, text_of(*row, query.view)});
    }
    return items;
}

/// One page of the sorted selection.
std::pair<std::vector<Item>, bool> sort_page(std::vector<Item> items, const ListQuery& query) {
    const auto place = [](const Item& item) {
        return std::pair(item.key, std::string_view(item.id));
    };
    std::ranges::sort(items, {}, place);
    if (query.after)
        std::erase_if(items, [&](const Item& item) {
            return place(item) <=
                   std::pair(query.after->first, std::string_view(query.after->second));
        });
    const bool has_more = items.size() > static_cast<std::size_t>(query.max_results);
    if (has_more) items.resize(static_cast<std::size_t>(query.max_results));
    return {std::move(items), has_more};
}

json::object list_head(const Call& call) {
    const Calendar& calendar = *call.calendar;
    const auto& log = calendar.events.log();
    const auto updated = log.empty() ? call.world.clock.now() : log.rbegin()->second->updated;
    const auto zone = call.request.query.get("timeZone");
    return {{"kind", "calendar#events"},
            {"etag", calendar.events.next_etag()},
            {"summary", calendar.summary},
            {"description", ""},
            {"updated", format_millis(updated)},
            {"timeZone", zone.empty() ? calendar.zone : std::string(zone)},
            {"accessRole", calendar.access_role},
            {"defaultReminders", json::array{json::object{{"method", "popup"}, {"minutes", 30}}}}};
}

}  // namespace

Answer<net::Response> list_events(Call& call) {
    const auto query = read_list_query(call);
    if (!query) return refuse(query.error());
    const bool is_sorted = query->is_expanded || !query->order.empty();
    auto [items, has_more] =
        is_sorted ? sort_page(select(call, *query), *query) : walk_log(*call.calendar, *query);
    auto head = list_head(call);
    if (has_more)
        head["nextPageToken"] = make_page_token(call, *query, items.back().key, items.back().id);
    else if (query->gives_sync_token())
        head["nextSyncToken"] = make_sync_token(call, *query);
    // The events' texts are made once and kept: only the head is serialised here.
    std::string body = json::serialize(head);
    body.pop_back();
    body += ",\"items\":[";
    for (const auto& item : items) {
        if (&item != items.data()) body += ',';
        body += item.text;
    }
    body += "]}";
    net::Response response;
    response.headers.set("Content-Type", "application/json; charset=UTF-8");
    response.body = std::move(body);
    return response;
}

}  // namespace calhost::sandbox
