#include "sandbox/list_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/json.h"

namespace calhost::sandbox {
namespace {

constexpr int kMaxResults = 2500;
constexpr milliseconds kUpdatedMinAge = std::chrono::hours{24 * 28};

// What Google refuses beside a sync token.
constexpr auto kNotWithSyncToken =
    std::to_array<std::string_view>({"iCalUID", "orderBy", "privateExtendedProperty", "q",
                                     "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"});
// What may differ from call to call without changing the question.
constexpr auto kFree = std::to_array<std::string_view>({"maxResults", "pageToken", "syncToken",
                                                        "fields", "prettyPrint", "alt", "key",
                                                        "quotaUser", "showDeleted", "timeZone"});

std::unexpected<ApiError> token_gone() {
    return refuse({410, "fullSyncRequired",
                   "Sync token is no longer valid, a full sync is required.", "calendar",
                   "syncToken", "parameter"});
}

std::unexpected<ApiError> bad_page_token() {
    return refuse_parameter("pageToken", "Invalid page token value.");
}

/// The question without what may differ: a token is only good for the one it came from.
/// Filters that a sync token remembers itself are left out with `without_times`.
std::string question(const Call& call, bool without_times) {
    std::vector<std::string> parts;
    for (const auto& [name, value] : call.request.query) {
        if (std::ranges::find(kFree, name) != kFree.end()) continue;
        if (without_times && (name == "timeMin" || name == "timeMax")) continue;
        if (value == "false") continue;
        parts.push_back(name + "=" + value);
    }
    std::ranges::sort(parts);
    return fmt::format("{}", fmt::join(parts, "&"));
}

std::optional<json::value> open_token(std::string_view token) {
    const auto bytes = base64_decode(token);
    if (!bytes) return std::nullopt;
    auto content = json::parse(*bytes);
    if (!content || !content->is_object()) return std::nullopt;
    return *content;
}

std::int64_t number_of(const json::value& token, std::string_view name) {
    const auto* value = json::find(token, name);
    return value != nullptr && value->is_int64() ? value->as_int64() : -1;
}

std::optional<Timestamp> moment_of_token(const json::value& token, std::string_view name) {
    const auto* value = json::find(token, name);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    return from_millis(value->as_int64());
}

void put_moment(json::object& token, std::string_view name, std::optional<Timestamp> when) {
    if (when) token[name] = to_millis(*when);
}

bool is_alive(const json::value& token, const Call& call) {
    return json::text_of(token, "c") == call.calendar->id &&
           number_of(token, "g") == static_cast<std::int64_t>(call.calendar->generation);
}

Answer<> apply_sync_token(const Call& call, std::string_view text, ListQuery& query) {
    for (const auto name : kNotWithSyncToken)
        if (call.request.query.has(name))
            return refuse_parameter("syncToken",
                                    fmt::format("Sync token cannot be combined with {}.", name));
    if (call.request.query.get("showDeleted") == "false")
        return refuse_parameter("showDeleted", "Deleted events cannot be left out of a sync.");
    const auto token = open_token(text);
    if (!token || json::text_of(*token, "k") != "sync") return token_gone();
    if (!is_alive(*token, call)) return token_gone();
    if (json::text_of(*token, "q") != question(call, true))
        return refuse_parameter("syncToken", "The parameters differ from those of the first sync.");
    query.is_incremental = true;
    query.since = static_cast<std::uint64_t>(number_of(*token, "s"));
    query.time_min = moment_of_token(*token, "a");
    query.time_max = moment_of_token(*token, "b");
    return {};
}

Answer<> apply_page_token(const Call& call, std::string_view text, ListQuery& query) {
    const auto token = open_token(text);
    if (!token || json::text_of(*token, "k") != "page") return bad_page_token();
    if (!is_alive(*token, call)) return token_gone();
    if (json::text_of(*token, "q") != question(call, false)) return bad_page_token();
    query.after.emplace(number_of(*token, "at"), json::text_of(*token, "id"));
    query.snapshot = static_cast<std::uint64_t>(number_of(*token, "n"));
    if (const auto since = number_of(*token, "s"); since >= 0) {
        query.is_incremental = true;
        query.since = static_cast<std::uint64_t>(since);
        query.time_min = moment_of_token(*token, "a");
        query.time_max = moment_of_token(*token, "b");
    }
    return {};
}

Answer<> read_properties(const Call& call, ListQuery& query) {
    for (const auto& [name, value] : call.request.query) {
        if (name == "eventTypes") query.types.insert(value);
        if (name != "privateExtendedProperty" && name != "sharedExtendedProperty") continue;
        const auto equals = value.find('=');
        if (equals == std::string::npos || equals == 0)
            return refuse_parameter(name, "Invalid extended property constraint.");
        auto& list =
            name.starts_with("private") ? query.private_properties : query.shared_properties;
        list.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    }
    return {};
}

Answer<> read_times(const Call& call, ListQuery& query) {
    const std::array<std::pair<std::string_view, std::optional<Timestamp>*>, 3> fields{
        {{"timeMin", &query.time_min},
         {"timeMax", &query.time_max},
         {"updatedMin", &query.updated_min}}};
    for (const auto& [name, slot] : fields) {
        auto when = call.moment(name);
        if (!when) return refuse(when.error());
        *slot = *when;
    }
    if (query.time_min && query.time_max && *query.time_max <= *query.time_min)
        return refuse({400, "timeRangeEmpty", "The specified time range is empty.", "calendar",
                       "timeMax", "parameter"});
    if (query.updated_min && *query.updated_min < call.world.clock.now() - kUpdatedMinAge)
        return refuse({410, "updatedMinTooLongAgo",
                       "The requested minimum modification time lies too far in the past.",
                       "calendar", "updatedMin", "parameter"});
    return {};
}

}  // namespace

Answer<ListQuery> read_list_query(const Call& call) {
    const auto& given = call.request.query;
    ListQuery query;
    const auto max_results = call.number("maxResults", 250, 1);
    if (!max_results) return refuse(max_results.error());
    query.max_results = std::min(*max_results, kMaxResults);
    query.is_expanded = call.flag("singleEvents");
    query.shows_deleted = call.flag("showDeleted");
    query.order = given.get("orderBy");
    if (!query.order.empty() && query.order != "startTime" && query.order != "updated")
        return refuse_parameter("orderBy", "Invalid order.");
    if (query.order == "startTime" && !query.is_expanded)
        return refuse({400, "badRequest",
                       "The requested ordering is not available for the particular query.",
                       "global", "orderBy", "parameter"});
    auto view = call.view();
    if (!view) return refuse(view.error());
    query.view = std::move(*view);
    query.uid = given.get("iCalUID");
    query.text = given.get("q");
    std::ranges::transform(query.text, query.text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (auto ok = read_properties(call, query); !ok) return refuse(ok.error());
    if (auto ok = read_times(call, query); !ok) return refuse(ok.error());
    query.snapshot = call.calendar->events.last_position();
    if (const auto token = given.get("syncToken"); !token.empty())
        if (auto ok = apply_sync_token(call, token, query); !ok) return refuse(ok.error());
    if (const auto token = given.get("pageToken"); !token.empty())
        if (auto ok = apply_page_token(call, token, query); !ok) return refuse(ok.error());
    return query;
}

std::string make_sync_token(const Call& call, const ListQuery& query) {
    json::object token{{"k", "sync"},
                       {"c", call.calendar->id},
                       {"g", call.calendar->generation},
                       {"s", query.snapshot},
                       {"q", question(call, true)}};
    put_moment(token, "a", query.time_min);
    put_moment(token, "b", query.time_max);
    return base64url_encode(json::serialize(token));
}

std::string make_page_token(const Call& call, const ListQuery& query, std::int64_t key,
                            std::string_view id) {
    json::object token{{"k", "page"},
                       {"c", call.calendar->id},
                       {"g", call.calendar->generation},
                       {"n", query.snapshot},
                       {"at", key},
                       {"id", id},
                       {"q", question(call, false)}};
    if (query.is_incremental) {
        token["s"] = query.since;
        put_moment(token, "a", query.time_min);
        put_moment(token, "b", query.time_max);
    }
    return base64url_encode(json::serialize(token));
}

}  // namespace calhost::sandbox
