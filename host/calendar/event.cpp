#include "calendar/event.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "calendar/recurrence.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using Words = std::initializer_list<std::string_view>;

std::unexpected<Error> refuse(std::string_view field, std::string_view why) {
    return fail(ErrorCode::invalid, fmt::format("{} {}", field, why));
}

Result<void> check_word(std::string_view field, std::string_view word, Words words) {
    if (std::ranges::find(words, word) != words.end()) return {};
    return refuse(field, fmt::format("is '{}'; it must be one of: {}", word.substr(0, 40),
                                     fmt::join(words, ", ")));
}

Result<void> check_time(std::string_view field, const EventTime& time) {
    using std::chrono::year;
    const auto day =
        time.is_date ? time.date : Date(std::chrono::floor<std::chrono::days>(time.local));
    if (!day.ok()) return refuse(field, "is not a date");
    if (day.year() < year(1) || day.year() > year(9999))
        return refuse(field, "must lie in the years 1 to 9999");
    if (time.is_date) return {};
    if (time.zone.empty()) return refuse(field, "has no time zone");
    if (!is_zone(time.zone))
        return refuse(field,
                      fmt::format("has the unknown time zone '{}'", time.zone.substr(0, 64)));
    return {};
}

Result<void> check_times(std::string_view field, const std::vector<EventTime>& times) {
    for (const auto& time : times)
        if (auto ok = check_time(field, time); !ok) return ok;
    return {};
}

Result<void> check_span(const Event& event) {
    if (auto ok = check_time("start", event.start); !ok) return ok;
    if (auto ok = check_time("finish", event.finish); !ok) return ok;
    if (event.start.is_date != event.finish.is_date)
        return refuse("finish", "must be a date when start is one, and a time when it is one");
    // A cancelled occurrence takes its slot away and may have no length at all.
    if (event.status == "cancelled" && event.finish.instant == event.start.instant) return {};
    // Timed events of no length are real; a day that ends where it begins is none.
    if (event.finish.instant < event.start.instant) return refuse("finish", "is before start");
    if (event.is_all_day() && event.finish.date == event.start.date)
        return refuse("finish", "must be at least one day after start: it is exclusive");
    return {};
}

Result<void> check_recurrence(const Event& event) {
    if (event.is_this_and_future && !event.recurrence_id)
        return refuse("this_and_future", "can only stand on one occurrence");
    if (event.recurrence_id)
        if (auto ok = check_time("recurrence_id", *event.recurrence_id); !ok) return ok;
    if (!event.recurrence) return {};
    if (event.recurrence_id) return refuse("recurrence", "cannot stand on one occurrence");
    if (!event.recurrence->rrule.empty())
        if (auto ok = check_rrule(event.recurrence->rrule); !ok) return ok;
    if (auto ok = check_times("rdate", event.recurrence->rdate); !ok) return ok;
    return check_times("exdate", event.recurrence->exdate);
}

Result<void> check_reminders(const Event& event) {
    if (!event.reminders) return {};
    for (const auto& reminder : *event.reminders) {
        if (auto ok = check_word("reminders.method", reminder.method, {"popup", "email"}); !ok)
            return ok;
        if (reminder.minutes < 0) return refuse("reminders.minutes", "must not be negative");
    }
    return {};
}

Result<void> check_attendees(const Event& event) {
    for (const auto& [email, name, role, response, is_self] : event.attendees) {
        if (!is_utf8(email) || !is_utf8(name)) return refuse("attendees", "is not UTF-8");
        if (auto ok = check_word("attendees.role", role, {"", "required", "optional", "resource"});
            !ok)
            return ok;
        if (auto ok = check_word("attendees.response", response,
                                 {"", "needs_action", "declined", "tentative", "accepted"});
            !ok)
            return ok;
    }
    return {};
}

Result<void> check_words(const Event& event) {
    auto ok = check_word("description_format", event.description_format, {"text", "html"});
    if (ok) ok = check_word("busy", event.busy, {"busy", "free", "tentative", "oof", "elsewhere"});
    if (ok) ok = check_word("status", event.status, {"confirmed", "tentative", "cancelled"});
    if (ok)
        ok = check_word("visibility", event.visibility,
                        {"default", "public", "private", "confidential"});
    return ok;
}

bool is_color(std::string_view color) {
    return color.size() == 7 && color[0] == '#' &&
           color.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

Result<void> check_text(const Event& event) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"id", event.id},       {"etag", event.etag},           {"uid", event.uid},
        {"title", event.title}, {"location", event.location},   {"description", event.description},
        {"url", event.url},     {"organizer", event.organizer},
    };
    for (const auto& [field, text] : rows)
        if (!is_utf8(text)) return refuse(field, "is not well-formed UTF-8");
    for (const auto& word : event.categories)
        if (!is_utf8(word)) return refuse("categories", "is not well-formed UTF-8");
    if (!event.color.empty() && !is_color(event.color))
        return refuse("color", "must look like #a1b2c3");
    return {};
}

}  // namespace

Result<void> check_event(const Event& event) {
    for (const auto check :
         {check_span, check_recurrence, check_words, check_reminders, check_attendees, check_text})
        if (auto ok = check(event); !ok) return ok;
    return {};
}

}  // namespace calhost::calendar
