#include "app/plan_command.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/plugin_powers.h"
#include "base/json.h"
#include "booking/plan.h"
#include "calendar/zone.h"

namespace calhost::app {
namespace {

using boost::json::object;

std::string time_text(const calendar::EventTime& time) {
    if (time.is_date) return calendar::format_date(time.date);
    return fmt::format("{} {}", calendar::format_local(time.local), time.zone);
}

object shape_of(const booking::PlannedEvent& planned) {
    const auto& event = planned.event;
    const bool is_shown = planned.change != "remove" && !event.title.empty();
    object shape{{"booking", planned.booking_id},
                 {"role", planned.role},
                 {"user_id", planned.user_id},
                 {"provider", planned.provider},
                 {"account", planned.account},
                 {"change", planned.change},
                 {"title", event.title},
                 {"start", is_shown ? time_text(event.start) : ""},
                 {"finish", is_shown ? time_text(event.finish) : ""},
                 {"location", event.location},
                 {"description", event.description}};
    json::array reminders, failures;
    for (const auto& reminder : event.reminders.value_or(std::vector<calendar::Reminder>{}))
        reminders.push_back({{"method", reminder.method}, {"minutes", reminder.minutes}});
    for (const auto& line : planned.failures) failures.emplace_back(line);
    shape["reminders"] = std::move(reminders);
    shape["failures"] = std::move(failures);
    return shape;
}

void print_text(std::string_view label, std::string_view text) {
    if (text.empty()) return;
    fmt::print("    {:<12} ", label);
    for (const char c : text)
        std::fputs(c == '\n' ? "\n                 " : std::string(1, c).c_str(), stdout);
    fmt::print("\n");
}

std::string reminders_text(const json::value& event) {
    std::string text;
    for (const auto& reminder : event.at("reminders").as_array())
        text +=
            fmt::format("{}{} {} min", text.empty() ? "" : ", ", json::text_of(reminder, "method"),
                        boost::json::serialize(reminder.at("minutes")));
    return text;
}

void print_event(const json::value& event) {
    fmt::print("{:<7} {} for the {} in {}/{}\n", json::text_of(event, "change"),
               json::text_of(event, "booking"), json::text_of(event, "role"),
               json::text_of(event, "provider"), json::text_of(event, "account"));
    print_text("title", json::text_of(event, "title"));
    print_text("start", json::text_of(event, "start"));
    print_text("finish", json::text_of(event, "finish"));
    print_text("location", json::text_of(event, "location"));
    print_text("description", json::text_of(event, "description"));
    print_text("reminders", reminders_text(event));
    for (const auto& line : event.at("failures").as_array())
        print_text("failed", std::string_view(line.as_string()));
}

}  // namespace

Task<Result<object>> plan_bookings(const HostOptions& options, connect::Services& services,
                                   int limit) {
    const auto installed = plugin::discover(options.settings, services.clock);
    for (const auto& complaint : installed.complaints)
        if (complaint.is_error) co_return fail(ErrorCode::misconfigured, complaint.to_string());
    auto rules = plugin::Rules::load(installed.rules, services.clock);
    if (!rules) co_return fail(rules.error());
    sync::Homes nowhere;  // templates are pure: they reach no connection
    PluginPowers powers(services.database, nowhere, nullptr);
    auto plugins = plugin::Plugins::load(
        installed.plugins, {services.transport, services.clock, services.timers, services.random},
        services.database, powers);
    if (!plugins) co_return fail(plugins.error());
    auto planned = booking::plan(services.database.reader(), {rules->get(), plugins->get()},
                                 services.clock.now(), limit);
    if (!planned) co_return fail(planned.error());
    json::array events;
    for (const auto& one : *planned) events.push_back(shape_of(one));
    co_return object{{"events", std::move(events)}};
}

int print_plan(const object& answer) {
    std::size_t changes = 0, failures = 0;
    const auto& events = answer.at("events").as_array();
    for (const auto& event : events) {
        print_event(event);
        if (json::text_of(event, "change") != "none") ++changes;
        failures += event.at("failures").as_array().size();
    }
    fmt::print("{} of {} calendar events would change; nothing was written.\n", changes,
               events.size());
    return failures == 0 ? 0 : 1;
}

}  // namespace calhost::app
