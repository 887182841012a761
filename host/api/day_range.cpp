#include "api/day_range.h"

#include <fmt/format.h>

#include "api/body.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "calendar/busy.h"
#include "calendar/zone.h"

namespace calhost::api {
namespace {

using calendar::Window;

constexpr std::chrono::days kMostDays{366};

/// Both days inclusive, midnight to midnight in the zone. *Errors*: invalid, naming the field.
std::expected<Window, accounts::FieldError> window_of(const DayQuestion& question) {
    const auto first = calendar::parse_date(question.start_date);
    if (!first) return std::unexpected(accounts::FieldError{"start_date", first.error().message});
    const auto last = calendar::parse_date(question.end_date);
    if (!last) return std::unexpected(accounts::FieldError{"end_date", last.error().message});
    const std::chrono::local_days from{*first}, to{*last};
    if (to < from)
        return std::unexpected(accounts::FieldError{"end_date", "end_date is before start_date"});
    if (to - from >= kMostDays)
        return std::unexpected(
            accounts::FieldError{"end_date", "at most 366 days can be asked for"});
    const auto start = calendar::to_instant(from, question.time_zone);
    const auto finish = calendar::to_instant(to + std::chrono::days{1}, question.time_zone);
    if (!start || !finish)
        return std::unexpected(accounts::FieldError{"time_zone", "time_zone is not a known zone"});
    return Window{*start, *finish};
}

std::vector<Window> gaps(const std::vector<Window>& blocks, Window bounds) {
    std::vector<Window> free;
    auto at = bounds.start;
    for (const auto& block : blocks) {
        if (block.start > at) free.push_back({at, block.start});
        at = std::max(at, block.finish);
    }
    if (at < bounds.finish) free.push_back({at, bounds.finish});
    return free;
}

std::vector<Window> cut(const std::vector<Window>& windows, std::chrono::minutes length) {
    if (length.count() == 0) return windows;
    std::vector<Window> slots;
    for (const auto& window : windows)
        for (auto at = window.start; at + length <= window.finish; at += length)
            slots.push_back({at, at + length});
    return slots;
}

json::array slots_shape(const std::vector<Window>& slots) {
    json::array list;
    for (const auto& slot : slots)
        list.push_back(
            {{"start_time", format_rfc3339(slot.start)},
             {"end_time", format_rfc3339(slot.finish)},
             {"duration_minutes",
              std::chrono::floor<std::chrono::minutes>(slot.finish - slot.start).count()}});
    return list;
}

/// What the last syncs saw, and how fresh it is.
struct Seen {
    json::TextWriter events;  ///< an array
    std::size_t event_count = 0;
    std::vector<Window> blocks;
    std::optional<Timestamp> as_of;  ///< the oldest of the last syncs
    json::array warnings;
};

Result<Seen> look(Context& context, const storage::User& user, const DayQuestion& question,
                  Window window) {
    Seen seen;
    auto connections = connect::select(context.services, user.id, {});
    if (!connections) return fail(connections.error());
    seen.events.begin_array();
    for (const auto& connection : *connections) {
        auto found = sync::occurrences(context.services.database.reader(), connection, window);
        if (!found) return fail(found.error());
        for (const auto& event : found->events) {
            write_event(seen.events, event, connection);
            if (calendar::blocks_time(event))
                seen.blocks.push_back({calendar::moment_in(event.start, question.time_zone),
                                       calendar::moment_in(event.finish, question.time_zone)});
        }
        seen.event_count += found->events.size();
        if (found->is_cut)
            seen.warnings.emplace_back("A series has too many occurrences; not all are listed.");
        if (connection.state != "active")
            seen.warnings.emplace_back(fmt::format("{} ({}) needs attention: {}",
                                                   connection.provider, connection.account,
                                                   connection.last_error));
        if (connection.last_synced_at)
            seen.as_of = seen.as_of ? std::min(*seen.as_of, *connection.last_synced_at)
                                    : connection.last_synced_at;
    }
    seen.events.end_array();
    return seen;
}

}  // namespace

std::optional<storage::User> own_user(Context& context, const accounts::Principal& principal,
                                      std::string_view email) {
    auto user = context.accounts.find(principal.user_id);
    const auto same = [](char a, char b) {
        const auto lower = [](char c) {
            return c >= 'A' && c <= 'Z' ? c + 32 : static_cast<int>(c);
        };
        return lower(a) == lower(b);
    };
    if (!user || !std::ranges::equal(user->email, email, same)) return std::nullopt;
    return std::move(*user);
}

net::Response answer_days(Context& context, const net::Request& request, const storage::User& user,
                          const DayQuestion& question) {
    const auto window = window_of(question);
    if (!window) return invalid_fields({window.error()}, request.request_id);
    auto seen = look(context, user, question, *window);
    if (!seen) return host_problem(seen.error(), request.request_id);
    const auto blocked = calendar::join_windows(std::move(seen->blocks), *window);
    const auto free = cut(gaps(blocked, *window), std::chrono::minutes{question.slot_minutes});
    const bool is_stale =
        !seen->as_of || context.services.clock.now() - *seen->as_of > std::chrono::hours{1};
    json::object answer{
        {"email", user.email},
        {"total_events", seen->event_count},
        {"total_free_slots", question.wants_free ? free.size() : 0},
        {"total_blocked_slots", question.wants_blocked ? blocked.size() : 0},
        {"date_range", {{"start", question.start_date}, {"end", question.end_date}}},
        {"free_slots", question.wants_free ? slots_shape(free) : json::array{}},
        {"blocked_slots", question.wants_blocked ? slots_shape(blocked) : json::array{}},
        {"as_of", time_or_null(seen->as_of)},
        {"stale", is_stale},
        {"warnings", std::move(seen->warnings)}};
    std::string body = json::serialize(answer);
    body.back() = ',';
    body += R"("events":)" + seen->events.take() + '}';
    return net::Response::json_text(std::move(body));
}

Task<net::Response> events_of_days(Context& context, net::Request& request,
                                   accounts::Principal principal) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    DayQuestion question{.email = body->required_text("email", 320),
                         .start_date = body->required_text("start_date", 10),
                         .end_date = body->required_text("end_date", 10),
                         .time_zone = body->text("time_zone", 64)};
    question.wants_free = body->boolean("include_free_slots").value_or(true);
    question.wants_blocked = body->boolean("include_blocked_slots").value_or(true);
    question.slot_minutes = body->integer("slot_minutes", 5, 1440).value_or(0);
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    const auto user = own_user(context, principal, question.email);
    if (!user) co_return problem(403, "forbidden", "Forbidden", request.request_id);
    if (question.time_zone.empty()) question.time_zone = user->time_zone;
    co_return answer_days(context, request, *user, question);
}

}  // namespace calhost::api
