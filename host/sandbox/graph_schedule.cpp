// getSchedule: when somebody is busy. Work accounts only.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "calendar/zone.h"
#include "sandbox/graph_item.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

constexpr std::size_t kMostSchedules = 20;
constexpr auto kLongest = std::chrono::hours{24 * 42};

/// The digit of an availability view.
char digit_of(std::string_view status) {
    if (status == "tentative") return '1';
    if (status == "oof") return '3';
    if (status == "workingElsewhere") return '4';
    return status == "free" ? '0' : '2';
}

std::string status_of(const Item& item) {
    const auto* cancelled = item.body.if_contains("isCancelled");
    const auto* own = item.body.if_contains("responseStatus");
    const bool is_declined = own != nullptr && json::text_of(*own, "response") == "declined";
    if (is_declined || (cancelled != nullptr && cancelled->as_bool())) return "free";
    return std::string(json::text_of(item.body, "showAs"));
}

json::object in_utc(Timestamp moment) {
    const auto local = std::chrono::local_seconds(
        std::chrono::floor<std::chrono::seconds>(moment).time_since_epoch());
    return {{"dateTime", format_seven(local)}, {"timeZone", "UTC"}};
}

json::object schedule_of(Account& account, calendar::Window window, milliseconds interval) {
    const Calendar& calendar = *account.find_calendar("primary");
    const auto slots = static_cast<std::size_t>(
        (window.finish - window.start + interval - milliseconds{1}) / interval);
    std::string view(slots, '0');
    json::array items;
    for (const auto& item : items_in(calendar, window)) {
        const auto status = status_of(item);
        const auto from = moment_of(item.start, calendar.zone);
        const auto to = moment_of(item.finish, calendar.zone);
        json::object shown{{"status", status},
                           {"start", in_utc(from)},
                           {"end", in_utc(to)},
                           {"isPrivate", json::text_of(item.body, "sensitivity") == "private"}};
        if (!shown["isPrivate"].as_bool()) shown["subject"] = item.body.at("subject");
        items.push_back(std::move(shown));
        for (std::size_t i = 0; i < slots; ++i) {
            const auto begin = window.start + interval * static_cast<int>(i);
            if (from < begin + interval && to > begin)
                view[i] = std::max(view[i], digit_of(status));
        }
    }
    return {{"scheduleId", account.email},
            {"availabilityView", view},
            {"scheduleItems", std::move(items)}};
}

}  // namespace

Answer<net::Response> get_schedule(Call& call) {
    if (call.account.tenant == kConsumers)
        return refuse(403, "ErrorAccessDenied", "getSchedule is not there for personal accounts.");
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    const auto start = read_time(sent->if_contains("startTime"), "startTime", false);
    if (!start) return refuse(start.error());
    const auto finish = read_time(sent->if_contains("endTime"), "endTime", false);
    if (!finish) return refuse(finish.error());
    const calendar::Window window{start->instant, finish->instant};
    if (window.finish <= window.start || window.finish - window.start >= kLongest)
        return refuse(400, "ErrorInvalidParameter", "The window is empty or 42 days or longer.");
    const auto* given = sent->if_contains("availabilityViewInterval");
    const auto minutes = given != nullptr && given->is_int64() ? given->as_int64() : 30;
    if (minutes < 5 || minutes > 1440)
        return refuse(400, "ErrorInvalidParameter",
                      "availabilityViewInterval is from 5 to 1440 minutes.");
    const auto* schedules = sent->if_contains("schedules");
    if (schedules == nullptr || !schedules->is_array() || schedules->as_array().empty() ||
        schedules->as_array().size() > kMostSchedules)
        return refuse(400, "ErrorInvalidParameter", "schedules has 1 to 20 addresses.");
    json::array value;
    for (const auto& name : schedules->as_array()) {
        const std::string email(name.is_string() ? std::string_view(name.as_string())
                                                 : std::string_view());
        auto* account = call.world.find_account(email);
        if (account != nullptr && account->tenant == call.account.tenant)
            value.push_back(schedule_of(*account, window, std::chrono::minutes(minutes)));
        else
            value.push_back(json::object{
                {"scheduleId", email},
                {"error", json::object{{"message", "The mailbox could not be found."},
                                       {"responseCode", "ErrorMailRecipientNotFound"}}}});
    }
    return ok({{"@odata.context",
                call.world.api() + "/$metadata#Collection(microsoft.graph.scheduleInformation)"},
               {"value", std::move(value)}});
}

}  // namespace calhost::sandbox::graph
