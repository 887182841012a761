#include "simulation/editor.h"

#include <fmt/format.h>

namespace calhost::simulation {
namespace {

std::string events_of(const std::string& account) { return "/accounts/" + account + "/events"; }

std::string date_of(Timestamp when) { return format_rfc3339(when).substr(0, 10); }

calendar::EventTime slot_of(bool is_all_day, Timestamp start) {
    calendar::EventTime time;
    time.is_date = is_all_day;
    time.date = calendar::Date(std::chrono::floor<std::chrono::days>(start));
    time.instant = start;
    return time;
}

}  // namespace

net::Response Editor::send(std::string method, std::string path, const json::value& body) {
    net::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = json::serialize(body);
    auto answer = scene_->host->time.wait(scene_->host->google.control(request));
    trace_->add(fmt::format("edit {} {}: {}", request.method, request.path, answer.status));
    return answer;
}

void Editor::order(const std::string& path, const json::value& body) { send("POST", path, body); }

json::object Editor::times(bool is_all_day, Timestamp start) {
    if (is_all_day)
        return {{"start", {{"date", date_of(start)}}},
                {"end", {{"date", date_of(start + std::chrono::days{1})}}}};
    const auto* zone = dice_->chance(50) ? "Europe/Berlin" : "America/New_York";
    const auto finish = start + std::chrono::minutes(15 * (1 + dice_->below(8)));
    return {{"start", {{"dateTime", format_rfc3339(start)}, {"timeZone", zone}}},
            {"end", {{"dateTime", format_rfc3339(finish)}, {"timeZone", zone}}}};
}

void Editor::create(const std::string& account) {
    // Far from both ends of the window that is compared.
    Made made{.is_series = dice_->chance(40), .is_all_day = dice_->chance(30)};
    const auto today = std::chrono::floor<std::chrono::days>(scene_->host->time.now());
    made.start = today + std::chrono::days(2 + dice_->below(20));
    if (!made.is_all_day) made.start += std::chrono::minutes(30 * (16 + dice_->below(16)));
    auto body = times(made.is_all_day, made.start);
    body["summary"] = fmt::format("Event {}", ++titles_);
    if (made.is_series) {
        made.count = 2 + static_cast<int>(dice_->below(5));
        made.step_days = dice_->chance(50) ? 1 : 7;
        body["recurrence"] = json::array{fmt::format(
            "RRULE:FREQ={};COUNT={}", made.step_days == 1 ? "DAILY" : "WEEKLY", made.count)};
    }
    const auto answer = send("POST", events_of(account), body);
    if (answer.status != 200) return;
    made.id = json::text_of(*json::parse(answer.body), "id");
    made_[account].push_back(made);
}

void Editor::change_occurrence(const std::string& account, const Made& series) {
    const auto number = static_cast<int>(dice_->below(static_cast<std::uint64_t>(series.count)));
    const auto slot = series.start + std::chrono::days(number * series.step_days);
    const auto id = calendar::occurrence_id(series.id, slot_of(series.is_all_day, slot));
    const auto path = events_of(account) + "/" + id;
    if (dice_->chance(40)) {
        send("DELETE", path, json::object{});
        return;
    }
    auto body = times(series.is_all_day, slot + std::chrono::days(dice_->below(3)));
    if (dice_->chance(50)) body["summary"] = fmt::format("Exception {}", ++titles_);
    send("PATCH", path, body);
}

void Editor::change(const std::string& account, std::size_t which) {
    auto& all = made_[account];
    Made& made = all[which];
    if (made.is_series && dice_->chance(60)) return change_occurrence(account, made);
    const auto path = events_of(account) + "/" + made.id;
    if (dice_->chance(30)) {
        send("DELETE", path, json::object{});
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
        return;
    }
    json::object body{{"summary", fmt::format("Renamed {}", ++titles_)}};
    if (!made.is_series && dice_->chance(60)) {
        made.start += std::chrono::days(dice_->below(4));
        body = times(made.is_all_day, made.start);
    }
    send("PATCH", path, body);
}

void Editor::edit(const std::string& account) {
    const auto& all = made_[account];
    if (all.empty() || dice_->chance(35)) return create(account);
    change(account, dice_->below(all.size()));
}

}  // namespace calhost::simulation
