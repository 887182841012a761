// What a body must look like.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/json.h"
#include "sandbox/graph_item.h"
#include "sandbox/graph_recurrence.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

struct Member {
    std::string_view name;
    boost::json::kind kind;
    std::string_view words;  ///< of an enumeration, separated by blanks
};

constexpr auto kString = boost::json::kind::string;
constexpr auto kBool = boost::json::kind::bool_;
constexpr auto kNumber = boost::json::kind::int64;
constexpr auto kObject = boost::json::kind::object;
constexpr auto kArray = boost::json::kind::array;

constexpr auto kMembers = std::to_array<Member>({
    {"subject", kString, {}},
    {"transactionId", kString, {}},
    {"importance", kString, "low normal high"},
    {"sensitivity", kString, "normal personal private confidential"},
    {"showAs", kString, "free tentative busy oof workingElsewhere unknown"},
    {"isAllDay", kBool, {}},
    {"isReminderOn", kBool, {}},
    {"responseRequested", kBool, {}},
    {"allowNewTimeProposals", kBool, {}},
    {"hideAttendees", kBool, {}},
    {"isOnlineMeeting", kBool, {}},
    {"onlineMeetingProvider", kString, {}},
    {"reminderMinutesBeforeStart", kNumber, {}},
    {"body", kObject, {}},
    {"start", kObject, {}},
    {"end", kObject, {}},
    {"location", kObject, {}},
    {"locations", kArray, {}},
    {"recurrence", kObject, {}},
    {"attendees", kArray, {}},
    {"categories", kArray, {}},
    {"singleValueExtendedProperties", kArray, {}},
});

// Taken and left alone, as the real one does with what only it writes.
constexpr auto kReadOnly = std::to_array<std::string_view>(
    {"id",          "iCalUId",       "createdDateTime",       "lastModifiedDateTime",
     "changeKey",   "type",          "seriesMasterId",        "originalStart",
     "webLink",     "bodyPreview",   "originalStartTimeZone", "originalEndTimeZone",
     "organizer",   "isOrganizer",   "responseStatus",        "isCancelled",
     "isDraft",     "onlineMeeting", "hasAttachments",        "onlineMeetingUrl",
     "@odata.etag", "@odata.type",   "@odata.context"});

bool is_word(std::string_view words, std::string_view word) {
    for (const auto& known : split_scopes(words))
        if (known == word) return true;
    return false;
}

/// "String {guid} Name x", "Integer {guid} Id 0x8012" or "String 0x4001001E".
bool is_property_id(std::string_view id) {
    const auto parts = split_scopes(id);
    constexpr std::string_view kTypes =
        "String Integer Boolean Double Float Long Short SystemTime CLSID Binary Currency";
    if (parts.size() < 2 || !is_word(kTypes, parts[0])) return false;
    if (parts.size() == 2) return parts[1].starts_with("0x") && parts[1].size() == 10;
    const auto& guid = parts[1];
    const bool is_guid = guid.size() == 38 && guid.front() == '{' && guid.back() == '}' &&
                         guid[9] == '-' && guid[14] == '-' && guid[19] == '-' && guid[24] == '-';
    return is_guid && parts.size() >= 4 && (parts[2] == "Name" || parts[2] == "Id");
}

Answer<> merge_properties(json::object& body, const json::array& sent) {
    json::array kept;
    if (const auto* old = body.if_contains("singleValueExtendedProperties")) kept = old->as_array();
    for (const auto& property : sent) {
        const auto id = json::text_of(property, "id");
        if (!is_property_id(id))
            return refuse(400, "ErrorInvalidProperty",
                          fmt::format("'{}' is no id of an extended property.", id));
        const auto* value = json::find(property, "value");
        if (value != nullptr && !value->is_string())
            return refuse_property("singleValueExtendedProperties", "a value is a string");
        const auto same = std::ranges::find_if(
            kept, [&](const json::value& other) { return json::text_of(other, "id") == id; });
        if (same != kept.end()) kept.erase(same);
        if (value != nullptr) kept.push_back(json::object{{"id", id}, {"value", *value}});
    }
    body["singleValueExtendedProperties"] = std::move(kept);
    return {};
}

json::array attendees_of(const json::array& sent) {
    json::array list;
    for (const auto& attendee : sent) {
        if (!attendee.is_object()) continue;
        json::object one = attendee.as_object();
        if (!one.contains("type")) one["type"] = "required";
        one["status"] = json::object{{"response", "none"}, {"time", "0001-01-01T00:00:00Z"}};
        list.push_back(std::move(one));
    }
    return list;
}

json::object default_location() {
    return {{"displayName", ""}, {"locationType", "default"}, {"uniqueIdType", "unknown"}};
}

void take(json::object& body, std::string_view name, const json::value& value) {
    if (name == "attendees") {
        body[name] = attendees_of(value.as_array());
    } else if (name == "location") {
        json::object location = default_location();
        for (const auto& [key, member] : value.as_object()) location[key] = member;
        body["locations"] =
            json::text_of(location, "displayName").empty() ? json::array{} : json::array{location};
        body[name] = std::move(location);
    } else if (name == "body") {
        json::object text{{"contentType", "html"}, {"content", ""}};
        for (const auto& [key, member] : value.as_object()) text[key] = member;
        body[name] = std::move(text);
    } else {
        body[name] = value;
    }
}

Answer<> take_null(json::object& body, std::string_view name) {
    if (name == "start" || name == "end" || name == "isAllDay" || name == "showAs")
        return refuse_property(name, "it cannot be null");
    if (name == "location") {
        body["location"] = default_location();
        body["locations"] = json::array{};
    } else if (name == "attendees" || name == "categories" || name == "locations") {
        body[name] = json::array{};
    } else if (name == "subject") {
        body[name] = "";
    } else if (name == "body") {
        body[name] = json::object{{"contentType", "html"}, {"content", ""}};
    } else {
        body.erase(name);
    }
    return {};
}

std::string rule_zone(const json::object& body) {
    return std::string(json::text_of(*json::find(body, "start"), "timeZone"));
}

}  // namespace

json::object new_body(GraphWorld& world, const Account& account) {
    const json::object person{
        {"emailAddress", json::object{{"name", account.name}, {"address", account.email}}}};
    return {{"createdDateTime", format_rfc3339(world.clock.now())},
            {"iCalUId",
             "040000008200E00074C5B7101A82E008" + hex_encode(random_bytes(world.random, 16))},
            {"subject", ""},
            {"body", json::object{{"contentType", "html"}, {"content", ""}}},
            {"importance", "normal"},
            {"sensitivity", "normal"},
            {"showAs", "busy"},
            {"isAllDay", false},
            {"isCancelled", false},
            {"isOrganizer", true},
            {"responseRequested", true},
            {"allowNewTimeProposals", true},
            {"hideAttendees", false},
            {"isOnlineMeeting", false},
            {"onlineMeetingProvider", "unknown"},
            {"isReminderOn", true},
            {"reminderMinutesBeforeStart", 15},
            {"categories", json::array{}},
            {"attendees", json::array{}},
            {"location", default_location()},
            {"locations", json::array{}},
            {"organizer", person},
            {"responseStatus",
             json::object{{"response", "organizer"}, {"time", "0001-01-01T00:00:00Z"}}}};
}

Answer<> apply(json::object& body, const json::object& sent) {
    for (const auto& [key, value] : sent) {
        const std::string_view name = key;
        if (std::ranges::find(kReadOnly, name) != kReadOnly.end()) continue;
        const auto member = std::ranges::find(kMembers, name, &Member::name);
        if (member == kMembers.end())
            return refuse(400, "RequestBodyRead",
                          fmt::format("The property '{}' does not exist on type "
                                      "'microsoft.graph.event'.",
                                      name));
        if (value.is_null()) {
            if (auto taken = take_null(body, name); !taken) return taken;
            continue;
        }
        if (value.kind() != member->kind) return refuse_property(name, "it has another type");
        if (!member->words.empty() && !is_word(member->words, value.as_string()))
            return refuse_property(name, "unknown word");
        if (name == "singleValueExtendedProperties") {
            if (auto merged = merge_properties(body, value.as_array()); !merged) return merged;
            continue;
        }
        take(body, name, value);
    }
    return {};
}

Answer<calendar::Event> check_body(const json::object& body) {
    calendar::Event event;
    const bool is_date = body.at("isAllDay").as_bool();
    const auto start = read_time(body.if_contains("start"), "Start", is_date);
    if (!start) return refuse(start.error());
    const auto finish = read_time(body.if_contains("end"), "End", is_date);
    if (!finish) return refuse(finish.error());
    event.start = *start;
    event.finish = *finish;
    if (is_date && rule_zone(body) != json::text_of(*json::find(body, "end"), "timeZone"))
        return refuse_property("End", "an all-day event starts and ends in the same zone");
    if (is_date ? event.finish.instant <= event.start.instant
                : event.finish.instant < event.start.instant)
        return refuse_property("End", "it is before the start, or an all-day event has no day");
    if (const auto* text = json::find(body, "body");
        text != nullptr && !is_word("html text", json::text_of(*text, "contentType")))
        return refuse_property("Body", "contentType is text or html");
    if (const auto* minutes = body.if_contains("reminderMinutesBeforeStart");
        minutes != nullptr && minutes->as_int64() < 0)
        return refuse_property("ReminderMinutesBeforeStart", "it is negative");
    if (body.at("attendees").as_array().size() > 500)
        return refuse_property("Attendees", "there are more than 500");
    if (const auto* recurrence = body.if_contains("recurrence")) {
        auto rule = read_pattern(*recurrence, event.start);
        if (!rule) return refuse(rule.error());
        event.recurrence = calendar::Recurrence{std::move(*rule), {}, {}};
    }
    event.uid = json::text_of(body, "iCalUId");
    event.busy = json::text_of(body, "showAs") == "free" ? "free" : "busy";
    return event;
}

}  // namespace calhost::sandbox::graph
