// events.get and events.instances.
#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "sandbox/instances.h"
#include "sandbox/list_query.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

constexpr milliseconds kHorizon = std::chrono::hours{24 * 731};

}  // namespace

net::Response event_response(const json::object& body, const View& view) {
    auto response = net::Response::json(200, present(body, view));
    response.headers.set("ETag", std::string(json::text_of(body, "etag")));
    return response;
}

Answer<net::Response> get_event(Call& call) {
    const auto view = call.view();
    if (!view) return refuse(view.error());
    const auto body = find_body(*call.calendar, call.event_id);
    if (!body) return refuse_missing();
    const auto known = call.request.headers.get("If-None-Match");
    if (!known.empty() && known == json::text_of(*body, "etag")) {
        net::Response unchanged;
        unchanged.status = 304;
        unchanged.headers.set("ETag", std::string(known));
        return unchanged;
    }
    return event_response(*body, *view);
}

Answer<net::Response> list_instances(Call& call) {
    const auto view = call.view();
    const auto limit = call.number("maxResults", 250, 1);
    const auto offset = call.number("pageToken", 0, 0);
    const auto time_min = call.moment("timeMin");
    const auto time_max = call.moment("timeMax");
    if (!view) return refuse(view.error());
    if (!limit) return refuse(limit.error());
    if (!offset) return refuse_parameter("pageToken", "Invalid page token value.");
    if (!time_min) return refuse(time_min.error());
    if (!time_max) return refuse(time_max.error());
    const Calendar& calendar = *call.calendar;
    const auto* series = calendar.events.find(call.event_id);
    if (series == nullptr || (series->is_cancelled() && !call.flag("showDeleted")))
        return refuse_missing();
    if (!series->event.is_series())
        return refuse(400, "badRequest", "The event is not a recurring event.");

    const auto start = time_min->value_or(moment_of(series->event.start, calendar.zone) -
                                          std::chrono::hours{24 * 366});
    const auto finish = time_max->value_or(series->finish ? *series->finish + milliseconds{1}
                                                          : call.world.clock.now() + kHorizon);
    const std::string original(call.request.query.get("originalStart"));
    // An occurrence that was moved keeps its slot: with originalStart its new time does not matter.
    auto instances =
        original.empty()
            ? expand_series(calendar, *series, {start, finish}, call.flag("showDeleted"))
            : expand_series(calendar, *series,
                            {from_millis(-62'135'596'800'000), call.world.clock.now() + kHorizon},
                            true);
    if (!original.empty()) {
        const auto wanted = parse_rfc3339(original);
        std::erase_if(instances, [&](const Instance& instance) {
            const auto& slot = instance.body.at("originalStartTime");
            const auto moment = parse_rfc3339(json::text_of(slot, "dateTime"));
            return !(wanted && moment && *wanted == *moment) &&
                   json::text_of(slot, "date") != original;
        });
    }
    std::ranges::sort(instances, {}, &Instance::start);
    json::array items;
    const auto first = static_cast<std::size_t>(*offset);
    const auto last =
        std::min(instances.size(), first + static_cast<std::size_t>(std::min(*limit, 2500)));
    for (std::size_t i = first; i < last; ++i)
        items.push_back(instances[i].is_cancelled ? instances[i].body
                                                  : present(instances[i].body, *view));
    json::object body{{"kind", "calendar#events"},
                      {"etag", series->body.at("etag")},
                      {"summary", calendar.summary},
                      {"updated", format_millis(series->updated)},
                      {"timeZone", view->zone.empty() ? calendar.zone : view->zone},
                      {"accessRole", calendar.access_role},
                      {"defaultReminders", json::array{}},
                      {"items", std::move(items)}};
    if (last < instances.size()) body["nextPageToken"] = std::to_string(last);
    return net::Response::json(200, body);
}

}  // namespace calhost::sandbox
