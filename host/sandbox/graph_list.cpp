// Lists, one page at a time.
#include "base/json.h"
#include "sandbox/graph_query.h"

namespace calhost::sandbox::graph {
namespace {

constexpr int kDefaultPage = 10;
constexpr int kLargestPage = 1000;

Answer<net::Response> page_of(Call& call, std::vector<Item> items, std::string_view context) {
    const auto options = read_options(call);
    if (!options) return refuse(options.error());
    const auto top = call.number("$top", kDefaultPage, kLargestPage);
    if (!top) return refuse(top.error());
    const auto skip = call.number("$skip", 0, 1'000'000);
    if (!skip) return refuse(skip.error());
    if (auto done = filter_and_sort(call, items); !done) return refuse(done.error());
    const auto first = std::min(items.size(), static_cast<std::size_t>(*skip));
    const auto last = std::min(items.size(), first + static_cast<std::size_t>(*top));
    json::array value;
    for (auto i = first; i < last; ++i)
        value.push_back(
            project(present(items[i], call.prefer), items[i], call.home(), *options, call.prefer));
    json::object body{{"@odata.context", call.context(context)}, {"value", std::move(value)}};
    if (last < items.size()) body["@odata.nextLink"] = call.link_to(last);
    return ok(std::move(body));
}

}  // namespace

Answer<net::Response> list_events(Call& call) {
    std::vector<Item> items;
    for (const auto& [id, calendar] : call.account.calendars) {
        if (calendar->is_deleted || (call.calendar != nullptr && call.calendar != calendar.get()))
            continue;
        for (const auto& [position, row] : calendar->events.log())
            if (!row->is_cancelled() && !row->event.is_override())
                items.push_back(item_of(*calendar, *row));
    }
    return page_of(call, std::move(items), "events");
}

Answer<net::Response> list_view(Call& call) {
    const auto window = call.window();
    if (!window) return refuse(window.error());
    return page_of(call, items_in(call.home(), *window), "calendarView");
}

Answer<net::Response> list_instances(Call& call) {
    const auto window = call.window();
    if (!window) return refuse(window.error());
    Calendar* home = nullptr;
    const auto item = find_item(call.account, call.calendar, call.event_id, home);
    if (!item) return refuse_missing();
    if (item->type != "seriesMaster")
        return refuse(400, "ErrorInvalidRequest", "Only a series master has instances.");
    return page_of(call, instances_of(*home, *home->events.find(item->id), *window), "events");
}

}  // namespace calhost::sandbox::graph
