// The change feed of a window. The server remembers what it told, so it can say what is gone.
#include <fmt/format.h>

#include "base/json.h"
#include "sandbox/graph_item.h"

namespace calhost::sandbox::graph {
namespace {

constexpr std::size_t kKeptTokens = 200;
constexpr int kDefaultPage = 50;

std::unexpected<ApiError> refuse_lost(const Call& call) {
    return refuse({410,
                   "SyncStateNotFound",
                   "The sync state generation is not found; start a new round.",
                   {},
                   call.world.options.issuer + call.request.path});
}

template <class Map>
std::string keep(Map& map, std::deque<std::string>& order, typename Map::mapped_type value,
                 Random& random) {
    auto token = new_token(random);
    map.emplace(token, std::move(value));
    order.push_back(token);
    if (order.size() > kKeptTokens) {
        map.erase(order.front());
        order.pop_front();
    }
    return token;
}

/// An occurrence comes with its times and its series' id; the rest is the series'.
json::object entry_of(const Item& item, const Prefer& prefer) {
    auto shown = present(item, prefer);
    shown["@odata.type"] = "#microsoft.graph.event";
    if (item.type != "occurrence") return shown;
    json::object few;
    for (const std::string_view name :
         {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"})
        few[name] = shown[name];
    return few;
}

json::object removal_of(const std::string& id, const Prefer& prefer) {
    return {{"@odata.type", "#microsoft.graph.event"},
            {"id", show_id(id, prefer.wants_immutable_ids)},
            {"@removed", json::object{{"reason", "deleted"}}}};
}

/// What the window has now, the masters of its occurrences too.
std::vector<Item> contents(const Calendar& calendar, calendar::Window window) {
    auto items = items_in(calendar, window);
    std::set<std::string> masters;
    for (const auto& item : items)
        if (!item.series_id.empty()) masters.insert(item.series_id);
    std::vector<Item> all;
    for (const auto& id : masters) all.push_back(item_of(calendar, *calendar.events.find(id)));
    for (auto& item : items) all.push_back(std::move(item));
    return all;
}

/// Everything that differs from what was told before.
DeltaRound begin_round(const Call& call, DeltaState state) {
    const Calendar& calendar = call.home();
    DeltaRound round{.account = call.account.email,
                     .path = call.request.path,
                     .generation = calendar.generation};
    std::map<std::string, std::uint64_t> now;
    for (const auto& item : contents(calendar, state.window)) {
        now[item.id] = item.version;
        const auto told = state.told.find(item.id);
        if (told == state.told.end() || told->second != item.version)
            round.entries.push_back(entry_of(item, call.prefer));
    }
    std::set<std::string> gone;
    for (const auto& [id, version] : state.told)
        if (!now.contains(id)) gone.insert(id);
    // The trap: what changed outside of the window looks deleted too.
    if (state.position > 0)
        for (auto it = calendar.events.log().upper_bound(state.position);
             it != calendar.events.log().end(); ++it)
            if (!now.contains(it->second->event.id)) gone.insert(it->second->event.id);
    for (const auto& id : gone) round.entries.push_back(removal_of(id, call.prefer));
    state.told = std::move(now);
    state.position = std::max<std::uint64_t>(calendar.events.last_position(), 1);
    state.generation = calendar.generation;
    round.next = std::move(state);
    return round;
}

Answer<net::Response> page_of(Call& call, const std::string& token, std::size_t first) {
    const auto found = call.world.rounds.find(token);
    if (found == call.world.rounds.end() || found->second.account != call.account.email ||
        found->second.path != call.request.path ||
        found->second.generation != call.home().generation)
        return refuse_lost(call);
    const auto& round = found->second;
    const auto size = call.prefer.page_size > 0 ? call.prefer.page_size : kDefaultPage;
    first = std::min(first, round.entries.size());
    const auto last = std::min(round.entries.size(), first + static_cast<std::size_t>(size));
    json::array value;
    for (auto i = first; i < last; ++i) value.push_back(round.entries[i]);
    json::object body{{"@odata.context", call.context("calendarView")},
                      {"value", std::move(value)}};
    const auto base = call.world.options.issuer + round.path;
    if (last < round.entries.size())
        body["@odata.nextLink"] = fmt::format("{}?$skiptoken={}.{}", base, token, last);
    else
        body["@odata.deltaLink"] = fmt::format(
            "{}?$deltatoken={}", base,
            keep(call.world.deltas, call.world.delta_tokens, round.next, call.world.random));
    return ok(std::move(body));
}

}  // namespace

Answer<net::Response> list_delta(Call& call) {
    const auto& query = call.request.query;
    for (const std::string_view name : {"$select", "$expand", "$filter", "$orderby", "$search"})
        if (query.has(name))
            return refuse_query(fmt::format(
                "The following parameters are not supported with change tracking over the "
                "'CalendarView' resource: '{}'.",
                name));
    if (const auto token = query.get("$skiptoken"); !token.empty()) {
        const auto dot = token.rfind('.');
        if (dot == std::string_view::npos) return refuse_lost(call);
        const auto offset = std::atoi(std::string(token.substr(dot + 1)).c_str());
        return page_of(call, std::string(token.substr(0, dot)),
                       static_cast<std::size_t>(std::max(offset, 0)));
    }
    DeltaState state;
    if (const auto token = query.get("$deltatoken"); !token.empty()) {
        const auto found = call.world.deltas.find(std::string(token));
        if (found == call.world.deltas.end() || found->second.account != call.account.email ||
            found->second.calendar != call.home().id ||
            found->second.generation != call.home().generation)
            return refuse_lost(call);
        state = found->second;
    } else {
        const auto window = call.window();
        if (!window) return refuse(window.error());
        state.account = call.account.email;
        state.calendar = call.home().id;
        state.window = *window;
    }
    const auto token = keep(call.world.rounds, call.world.round_tokens,
                            begin_round(call, std::move(state)), call.world.random);
    return page_of(call, token, 0);
}

}  // namespace calhost::sandbox::graph
