#include "sandbox/event_body.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/json.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

constexpr auto kStrings =
    std::to_array<std::string_view>({"summary", "description", "location", "colorId", "status",
                                     "transparency", "visibility", "eventType", "iCalUID"});
constexpr auto kFlags = std::to_array<std::string_view>(
    {"guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "anyoneCanAddSelf"});
constexpr auto kStructures =
    std::to_array<std::string_view>({"start", "end", "recurrence", "attendees", "reminders",
                                     "extendedProperties", "source", "sequence"});

std::unexpected<ApiError> invalid(std::string_view name) {
    return refuse(400, "invalid", "Invalid value for: " + std::string(name));
}

Answer<> check_word(const json::object& body, std::string_view name,
                    std::initializer_list<std::string_view> words) {
    const auto* value = body.if_contains(name);
    if (value == nullptr) return {};
    if (!value->is_string() ||
        std::ranges::find(words, std::string_view(value->as_string())) == words.end())
        return invalid(name);
    return {};
}

Answer<> check_simple(const json::object& body) {
    for (const auto name : kStrings)
        if (const auto* value = body.if_contains(name); value != nullptr && !value->is_string())
            return invalid(name);
    for (const auto name : kFlags)
        if (const auto* value = body.if_contains(name); value != nullptr && !value->is_bool())
            return invalid(name);
    if (const auto* value = body.if_contains("sequence"); value != nullptr && !value->is_int64())
        return invalid("sequence");
    if (auto ok = check_word(body, "status", {"confirmed", "tentative", "cancelled"}); !ok)
        return ok;
    if (auto ok = check_word(body, "transparency", {"opaque", "transparent"}); !ok) return ok;
    if (auto ok = check_word(body, "visibility", {"default", "public", "private", "confidential"});
        !ok)
        return ok;
    if (auto ok =
            check_word(body, "eventType",
                       {"default", "birthday", "focusTime", "outOfOffice", "workingLocation"});
        !ok)
        return ok;
    return check_word(body, "colorId", {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"});
}

Answer<> check_attendees(const json::object& body) {
    const auto* list = body.if_contains("attendees");
    if (list == nullptr) return {};
    if (!list->is_array()) return invalid("attendees");
    for (const auto& attendee : list->as_array())
        if (json::text_of(attendee, "email").find('@') == std::string_view::npos)
            return refuse(400, "invalid", "Invalid attendee email.");
    return {};
}

Answer<> check_reminders(const json::object& body) {
    const auto* reminders = body.if_contains("reminders");
    if (reminders == nullptr) return {};
    if (!reminders->is_object()) return invalid("reminders");
    const auto* use_default = json::find(*reminders, "useDefault");
    const auto* overrides = json::find(*reminders, "overrides");
    if (use_default != nullptr && !use_default->is_bool()) return invalid("reminders.useDefault");
    if (overrides == nullptr) return {};
    if (!overrides->is_array()) return invalid("reminders.overrides");
    if (use_default != nullptr && use_default->as_bool() && !overrides->as_array().empty())
        return refuse(400, "cannotUseDefaultRemindersAndSpecifyOverride",
                      "Cannot specify both default reminders and overrides at the same time.");
    if (overrides->as_array().size() > 5) return invalid("reminders.overrides");
    for (const auto& reminder : overrides->as_array()) {
        const auto method = json::text_of(reminder, "method");
        const auto* minutes = json::find(reminder, "minutes");
        if (method != "email" && method != "popup") return invalid("reminders.overrides.method");
        if (minutes == nullptr || !minutes->is_int64() || minutes->as_int64() < 0 ||
            minutes->as_int64() > 40320)
            return invalid("reminders.overrides.minutes");
    }
    return {};
}

Answer<> check_properties(const json::object& body) {
    const auto* properties = body.if_contains("extendedProperties");
    if (properties == nullptr) return {};
    if (!properties->is_object()) return invalid("extendedProperties");
    std::size_t count = 0;
    std::size_t size = 0;
    for (const auto& [kind, map] : properties->as_object()) {
        if ((kind != "private" && kind != "shared") || !map.is_object())
            return invalid("extendedProperties");
        for (const auto& [name, value] : map.as_object()) {
            if (!value.is_string()) return invalid("extendedProperties");
            if (name.size() > 44 || value.as_string().size() > 1024)
                return refuse(400, "invalid", "Extended property is too long.");
            ++count;
            size += name.size() + value.as_string().size();
        }
    }
    if (count > 300 || size > 32'768)
        return refuse(400, "invalid", "Too many extended properties.");
    return {};
}

Answer<> check_range(const calendar::Event& event) {
    if (event.start.is_date != event.finish.is_date)
        return refuse(400, "invalid",
                      "Start and end times must either both be date or both be dateTime.");
    const bool is_empty = event.start.is_date ? event.finish.instant <= event.start.instant
                                              : event.finish.instant < event.start.instant;
    if (is_empty) return refuse(400, "timeRangeEmpty", "The specified time range is empty.");
    return {};
}

/// Start, end, recurrence and the original start of `body` as values.
Answer<> read_times(const json::object& body, const Calendar& calendar, calendar::Event& event) {
    const auto start = read_time(body.if_contains("start"), "start", calendar.zone);
    if (!start) return refuse(start.error());
    const auto finish = read_time(body.if_contains("end"), "end", calendar.zone);
    if (!finish) return refuse(finish.error());
    event.start = *start;
    event.finish = *finish;
    if (auto ok = check_range(event); !ok) return ok;
    if (const auto* original = body.if_contains("originalStartTime")) {
        const auto time = read_time(original, "original start", calendar.zone);
        if (!time) return refuse(time.error());
        event.recurrence_id = *time;
    }
    const auto* lines = body.if_contains("recurrence");
    if (lines == nullptr) return {};
    if (event.is_override()) return refuse(400, "invalid", "An instance cannot recur.");
    for (const std::string_view name : {"start", "end"})
        if (!event.start.is_date && json::text_of(body.at(name), "timeZone").empty())
            return refuse(400, "required",
                          "Missing time zone definition for " + std::string(name) + " time.");
    auto recurrence = read_recurrence(*lines, event.start);
    if (!recurrence) return refuse(recurrence.error());
    event.recurrence = std::move(*recurrence);
    return {};
}

}  // namespace

json::object writable(const json::object& sent) {
    json::object body;
    const auto take = [&](std::string_view name) {
        if (const auto* value = sent.if_contains(name)) body[name] = *value;
    };
    std::ranges::for_each(kStrings, take);
    std::ranges::for_each(kFlags, take);
    std::ranges::for_each(kStructures, take);
    return body;
}

void merge(json::object& body, const json::object& changes) {
    for (const auto& [name, value] : changes) {
        auto* old = body.if_contains(name);
        if (value.is_null())
            body.erase(name);
        else if (value.is_object() && old != nullptr && old->is_object())
            merge(old->as_object(), value.as_object());
        else
            body[name] = value;
    }
}

Answer<calendar::Event> check_body(json::object& body, const Calendar& calendar) {
    for (const auto check : {check_simple, check_attendees, check_reminders, check_properties})
        if (auto ok = check(body); !ok) return refuse(ok.error());
    if (const auto* lines = body.if_contains("recurrence");
        lines != nullptr && lines->is_array() && lines->as_array().empty())
        body.erase("recurrence");
    calendar::Event event;
    event.id = json::text_of(body, "id");
    event.uid = json::text_of(body, "iCalUID");
    event.status = json::text_of(body, "status");
    event.series_id = json::text_of(body, "recurringEventId");
    event.busy = json::text_of(body, "transparency") == "transparent" ? "free" : "busy";
    if (auto ok = read_times(body, calendar, event); !ok) return refuse(ok.error());
    body["start"] = write_time(event.start, calendar.zone);
    body["end"] = write_time(event.finish, calendar.zone);
    return event;
}

bool is_event_id(std::string_view id) {
    return id.size() >= 5 && id.size() <= 1024 && std::ranges::all_of(id, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'v');
           });
}

json::object present(const json::object& body, const View& view) {
    json::object shown = body;
    if (!view.zone.empty()) {
        for (const std::string_view name : {"start", "end", "originalStartTime"}) {
            auto* time = shown.if_contains(name);
            const auto instant = time == nullptr ? fail(ErrorCode::not_found, "")
                                                 : parse_rfc3339(json::text_of(*time, "dateTime"));
            if (instant) time->as_object()["dateTime"] = format_in_zone(*instant, view.zone);
        }
    }
    auto* attendees = shown.if_contains("attendees");
    if (view.max_attendees > 0 && attendees != nullptr &&
        attendees->as_array().size() > static_cast<std::size_t>(view.max_attendees)) {
        json::array own;
        for (const auto& attendee : attendees->as_array())
            if (const auto* self = json::find(attendee, "self");
                self != nullptr && self->is_bool() && self->as_bool())
                own.push_back(attendee);
        *attendees = std::move(own);
        shown["attendeesOmitted"] = true;
    }
    return shown;
}

json::object present_cancelled(const json::object& body) {
    json::object shown;
    for (const std::string_view name :
         {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"})
        if (const auto* value = body.if_contains(name)) shown[name] = *value;
    return shown;
}

json::object make_instance(const Row& series, const calendar::EventTime& original_start,
                           const calendar::EventTime& start, const calendar::EventTime& finish,
                           std::string_view zone) {
    json::object body = series.body;
    body.erase("recurrence");
    body["id"] = series.event.id + "_" + slot_name(original_start);
    body["start"] = write_time(start, zone);
    body["end"] = write_time(finish, zone);
    body["recurringEventId"] = series.event.id;
    body["originalStartTime"] = write_time(original_start, zone);
    return body;
}

std::string key_of(const json::object& body) {
    std::string key;
    const auto* properties = body.if_contains("extendedProperties");
    const auto* map = properties == nullptr ? nullptr : json::find(*properties, "private");
    if (map != nullptr && map->is_object())
        for (const auto& [name, value] : map->as_object())
            key += (key.empty() ? "" : "\n") + std::string(name) + "=" +
                   std::string(value.as_string());
    return key.empty() ? std::string(json::text_of(body, "iCalUID")) : key;
}

}  // namespace calhost::sandbox
