#include "simulation/invariants/nothing_lost_or_doubled.h"

#include <fmt/format.h>

#include <algorithm>

#include "simulation/provider_reader.h"
#include "sync/upcoming.h"

namespace calhost::simulation {

calendar::Window NothingLostOrDoubled::window() const {
    const auto today = std::chrono::floor<std::chrono::days>(host().time.now());
    return {today - std::chrono::days{5}, today + std::chrono::days{80}};
}

NothingLostOrDoubled::Lines NothingLostOrDoubled::events_of_host(
    const storage::Connection& connection) const {
    Lines lines;
    const auto found = test::must(sync::occurrences(host().sql(), connection, window()));
    for (const auto& event : found.events)
        lines.push_back(fmt::format("{} {} {}{}", format_rfc3339(event.start.instant),
                                    format_rfc3339(event.finish.instant), event.title,
                                    event.is_all_day() ? ", all day" : ""));
    std::ranges::sort(lines);
    return lines;
}

NothingLostOrDoubled::Lines NothingLostOrDoubled::events_of_provider(
    const std::string& account) const {
    Lines lines;
    const auto moment = [](const json::value& time) {
        const auto date = json::text_of(time, "date");
        return date.empty() ? format_rfc3339(*parse_rfc3339(json::text_of(time, "dateTime")))
                            : std::string(date) + "T00:00:00Z";
    };
    for (const auto& item : read_provider_events(host(), account, window())) {
        const auto& start = *json::find(item, "start");
        const bool is_all_day = !json::text_of(start, "date").empty();
        lines.push_back(fmt::format("{} {} {}{}", moment(start), moment(*json::find(item, "end")),
                                    json::text_of(item, "summary"), is_all_day ? ", all day" : ""));
    }
    std::ranges::sort(lines);
    return lines;
}

void NothingLostOrDoubled::compare(const storage::Connection& connection) {
    const auto here = events_of_host(connection);
    const auto there = events_of_provider(connection.email);
    Lines lost, extra;
    std::ranges::set_difference(there, here, std::back_inserter(lost));
    std::ranges::set_difference(here, there, std::back_inserter(extra));
    if (!lost.empty() || !extra.empty())
        violated(fmt::format("nothing lost or doubled: {}: lost [{}], too many [{}]",
                             connection.email, fmt::join(lost, "; "), fmt::join(extra, "; ")));
}

void NothingLostOrDoubled::at_rest() {
    for (const auto& row : stored_connections(host())) {
        const auto connection =
            test::must(storage::find_connection(host().sql(), row.user_id, row.id));
        compare(*connection);
    }
}

}  // namespace calhost::simulation
