#include "sandbox/graph_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "base/json.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

enum class Need { user, read, write, settings, subscribe };

/// A path below /v1.0: `{c}` is a calendar's id, `{e}` an event's, `{w}` another one.
struct Entry {
    std::string_view verb;
    std::string_view path;
    Need need;
    Method method;
};

constexpr auto kEntries = std::to_array<Entry>({
    {"GET", "me", Need::user, get_me},
    {"GET", "me/calendars", Need::read, list_calendars},
    {"GET", "me/calendar", Need::read, get_calendar},
    {"GET", "me/calendars/{c}", Need::read, get_calendar},
    {"GET", "me/mailboxSettings", Need::settings, get_mailbox_settings},
    {"GET", "me/outlook/supportedTimeZones", Need::user, list_zones},
    {"POST", "me/calendar/getSchedule", Need::read, get_schedule},
    {"GET", "subscriptions", Need::subscribe, list_subscriptions},
    {"GET", "subscriptions/{w}", Need::subscribe, get_subscription},
    {"PATCH", "subscriptions/{w}", Need::subscribe, renew_subscription},
    {"POST", "subscriptions/{w}/reauthorize", Need::subscribe, renew_subscription},
    {"DELETE", "subscriptions/{w}", Need::subscribe, delete_subscription},
});

// The same below me, me/calendar and me/calendars/{c}.
constexpr auto kEventEntries = std::to_array<Entry>({
    {"GET", "events", Need::read, list_events},
    {"POST", "events", Need::write, create_event},
    {"GET", "events/{e}", Need::read, get_event},
    {"PATCH", "events/{e}", Need::write, update_event},
    {"DELETE", "events/{e}", Need::write, delete_event},
    {"POST", "events/{e}/permanentDelete", Need::write, delete_event},
    {"GET", "events/{e}/instances", Need::read, list_instances},
    {"GET", "calendarView", Need::read, list_view},
    {"GET", "calendarView/delta", Need::read, list_delta},
    {"GET", "calendarView/delta()", Need::read, list_delta},
});

bool is_allowed(const Scopes& scopes, Need need) {
    switch (need) {
        case Need::user:
            return allows(scopes, {"User.Read"});
        case Need::read:
            return allows(scopes, {"Calendars.Read", "Calendars.ReadWrite", "Calendars.Read.Shared",
                                   "Calendars.ReadWrite.Shared"});
        case Need::write:
            return allows(scopes, {"Calendars.ReadWrite", "Calendars.ReadWrite.Shared"});
        case Need::settings:
            return allows(scopes, {"MailboxSettings.Read", "MailboxSettings.ReadWrite"});
        case Need::subscribe:
            break;
    }
    return allows(scopes, {"Calendars.Read", "Calendars.ReadWrite"});
}

std::string_view next_part(std::string_view& path) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    return part;
}

struct Ids {
    std::string calendar;
    std::string event;
    std::string word;
};

bool is_match(std::string_view pattern, std::string_view path, Ids& ids) {
    while (!pattern.empty() && !path.empty()) {
        const auto wanted = next_part(pattern);
        const auto given = next_part(path);
        if (given.empty()) return false;
        if (wanted == "{c}")
            ids.calendar = given;
        else if (wanted == "{e}")
            ids.event = given;
        else if (wanted == "{w}")
            ids.word = given;
        else if (wanted != given)
            return false;
    }
    return pattern.empty() && path.empty();
}

const Entry* find_entry(std::string_view verb, std::string_view path, Ids& ids,
                        bool& is_whole_mailbox) {
    for (const auto& entry : kEntries)
        if (entry.verb == verb && is_match(entry.path, path, ids)) return &entry;
    for (const std::string_view prefix : {"me/calendars/{c}/", "me/calendar/", "me/"})
        for (const auto& entry : kEventEntries) {
            ids = {};
            if (entry.verb != verb ||
                !is_match(std::string(prefix) + std::string(entry.path), path, ids))
                continue;
            is_whole_mailbox = prefix == "me/" && entry.path.starts_with("events");
            return &entry;
        }
    return nullptr;
}

void apply_preference(Prefer& prefer, std::string_view name, std::string_view value) {
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    if (name == "outlook.timezone") {
        prefer.zone = value;
        prefer.is_zone_given = true;
    } else if (name == "outlook.body-content-type") {
        prefer.wants_text = value == "text";
    } else if (name == "odata.maxpagesize") {
        std::from_chars(value.data(), value.data() + value.size(), prefer.page_size);
    } else if (name == "IdType") {
        prefer.wants_immutable_ids = value == "ImmutableId";
    }
}

constexpr std::string_view kMutable = "AAMk";
constexpr std::string_view kImmutable = "AAkA";

}  // namespace

Answer<Prefer> read_prefer(const net::Request& request) {
    Prefer prefer;
    for (const auto& [name, list] : request.headers) {
        if (name.size() != 6 || (name != "Prefer" && name != "prefer")) continue;
        std::string_view rest = list;
        while (!rest.empty()) {
            bool is_quoted = false;
            std::size_t end = 0;
            for (; end < rest.size() && (is_quoted || rest[end] != ','); ++end)
                if (rest[end] == '"') is_quoted = !is_quoted;
            auto item = rest.substr(0, end);
            rest = end < rest.size() ? rest.substr(end + 1) : std::string_view();
            while (item.starts_with(' ')) item.remove_prefix(1);
            while (item.ends_with(' ')) item.remove_suffix(1);
            const auto mark = item.find('=');
            if (mark != std::string_view::npos)
                apply_preference(prefer, item.substr(0, mark), item.substr(mark + 1));
        }
    }
    if (zone_of(prefer.zone).empty())
        return refuse(400, "TimeZoneNotSupportedException",
                      fmt::format("The TimeZone '{}' is not supported.", prefer.zone));
    return prefer;
}

std::string show_id(std::string_view own, bool is_immutable) {
    return std::string(is_immutable ? kImmutable : kMutable) + base64url_encode(own) + "=";
}

std::string read_id(std::string_view shown) {
    if (!shown.ends_with('=')) return {};
    const auto prefix = shown.substr(0, kMutable.size());
    if (prefix != kMutable && prefix != kImmutable) return {};
    shown.remove_prefix(kMutable.size());
    shown.remove_suffix(1);
    auto own = base64_decode(shown);
    return own ? std::move(*own) : std::string();
}

net::Response no_content() {
    net::Response response;
    response.status = 204;
    return response;
}

net::Response ok(json::object body, int status) {
    auto response = net::Response::json(status, std::move(body));
    response.headers.set("OData-Version", "4.0");
    return response;
}

Answer<json::object> Call::body() const {
    auto value = json::parse(request.body);
    if (!value || !value->is_object())
        return refuse(400, "RequestBodyRead", "The request body is no JSON object.");
    return std::move(value->as_object());
}

Answer<calendar::Window> Call::window() const {
    const auto start = read_moment(request.query.get("startDateTime"), "startDateTime");
    if (!start) return refuse(start.error());
    const auto finish = read_moment(request.query.get("endDateTime"), "endDateTime");
    if (!finish) return refuse(finish.error());
    if (*finish < *start)
        return refuse(400, "ErrorInvalidParameter", "endDateTime is before startDateTime.");
    if (*finish - *start > std::chrono::hours{24 * 1825})
        return refuse(400, "ErrorInvalidParameter",
                      "The requested window is longer than 1825 days.");
    return calendar::Window{*start, *finish};
}

Answer<int> Call::number(std::string_view name, int otherwise, int most) const {
    const auto text = request.query.get(name);
    if (text.empty()) return otherwise;
    int number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > most)
        return refuse_query(fmt::format("The value of {} is not valid.", name));
    return number;
}

std::string Call::link_to(std::size_t skip) const {
    net::Query query;
    for (const auto& [name, value] : request.query)
        if (name != "$skip") query.add(name, value);
    query.add("$skip", std::to_string(skip));
    std::string path;
    std::string_view rest = request.path;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        path += "/" + percent_encode(rest.substr(0, rest.find('/')));
        const auto slash = rest.find('/');
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    }
    return world.options.issuer + path + "?" + query.to_string();
}

std::string Call::context(std::string_view of) const {
    return fmt::format("{}/$metadata#users('{}')/{}", world.api(), account.subject, of);
}

Task<Answer<net::Response>> serve_api(GraphWorld& world, Account& account, const Scopes& scopes,
                                      const net::Request& request) {
    const auto prefer = read_prefer(request);
    if (!prefer) co_return refuse(prefer.error());
    Call call{world, account, scopes, request, *prefer};
    const auto path = std::string_view(request.path).substr(std::string_view("/v1.0/").size());
    Ids ids;
    bool is_whole_mailbox = false;
    const auto denied = [] {
        return refuse(403, "ErrorAccessDenied",
                      "Access is denied. Check credentials and try again.");
    };
    if (request.method == "POST" && path == "subscriptions") {
        if (!is_allowed(scopes, Need::subscribe)) co_return denied();
        co_return co_await create_subscription(call);
    }
    const auto* entry = find_entry(request.method, path, ids, is_whole_mailbox);
    if (entry == nullptr)
        co_return refuse(400, "BadRequest", "Resource not found for the segment of this request.");
    if (!is_allowed(scopes, entry->need)) co_return denied();
    if (!is_whole_mailbox)
        call.calendar = account.find_calendar(ids.calendar.empty() ? "primary" : ids.calendar);
    if (!is_whole_mailbox && call.calendar == nullptr) co_return refuse_missing();
    if (entry->need == Need::write && call.home().access_role != "owner" &&
        !call.home().access_role.starts_with("writer"))
        co_return denied();
    if (!ids.event.empty()) {
        call.event_id = read_id(ids.event);
        if (call.event_id.empty())
            co_return refuse(400, "ErrorInvalidIdMalformed", "Id is malformed.");
    }
    call.word = ids.word;
    auto response = entry->method(call);
    if (response && prefer->is_zone_given)
        response->headers.set("Preference-Applied",
                              fmt::format("outlook.timezone=\"{}\"", prefer->zone));
    co_return response;
}

}  // namespace calhost::sandbox::graph
