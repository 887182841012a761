#include "api/shapes.h"

#include "base/json.h"
#include "calendar/zone.h"
#include "connect/choice.h"

namespace calhost::api {
namespace {

/// `status` is what older clients know of `state`.
std::string_view old_status(std::string_view state) {
    if (state == "active") return "active";
    return state == "paused" ? "disabled" : "error";
}

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::array words(std::string_view text) {
    json::array list;
    for (auto& word : plugin::split_words(text)) list.emplace_back(std::move(word));
    return list;
}

std::string time_text(const calendar::EventTime& time) {
    return time.is_date ? calendar::format_date(time.date) : format_rfc3339(time.instant);
}

std::string_view message_of(const storage::Connection& connection) {
    if (connection.state == "active") return "Calendar connected and ready for sync";
    if (connection.state == "paused") return "Calendar connected, syncing is paused";
    return connection.last_error.empty() ? "Calendar needs attention"
                                         : std::string_view(connection.last_error);
}

json::array fields_shape(const plugin::AuthInfo& auth) {
    json::array list;
    for (const auto& field : auth.fields)
        list.push_back({{"name", field.name},
                        {"title", field.title},
                        {"kind", field.kind},
                        {"required", field.is_required},
                        {"help", text_or_null(field.help)}});
    return list;
}

json::array presets_shape(const plugin::AuthInfo& auth) {
    json::array list;
    for (const auto& preset : auth.presets) {
        json::array origins(preset.origins.begin(), preset.origins.end());
        list.push_back({{"title", preset.title},
                        {"url", text_or_null(preset.url)},
                        {"example", text_or_null(preset.example)},
                        {"origins", std::move(origins)},
                        {"help", text_or_null(preset.help)}});
    }
    return list;
}

/// The one that the flat members speak of: the first that works, else the first.
const storage::Connection& leading(const std::vector<storage::Connection>& connections) {
    const auto active = std::ranges::find(connections, "active", &storage::Connection::state);
    return active == connections.end() ? connections.front() : *active;
}

}  // namespace

json::value time_or_null(const std::optional<Timestamp>& when) {
    return when ? json::value(format_rfc3339(*when)) : json::value(nullptr);
}

json::object connection_shape(const storage::Connection& connection) {
    const auto busy = connect::busy_calendars_of(connection);
    return {{"id", connection.id},
            {"provider", connection.provider},
            {"account", connection.account},
            {"email", text_or_null(connection.email)},
            {"calendar_id", connection.calendar_id},
            {"takes_bookings", connection.takes_bookings},
            {"busy_calendars", json::array(busy.begin(), busy.end())},
            {"sync_enabled", connection.sync_enabled},
            {"sync_mode", connection.sync_mode},
            {"status", old_status(connection.state)},
            {"state", connection.state},
            {"scopes", words(connection.scopes)},
            {"last_synced_at", time_or_null(connection.last_synced_at)},
            {"last_error", text_or_null(connection.last_error)},
            {"connected_at", format_rfc3339(connection.connected_at)},
            {"updated_at", format_rfc3339(connection.updated_at)}};
}

json::object calendar_shape(const storage::CalendarRow& calendar) {
    return {{"id", calendar.id},
            {"name", calendar.name},
            {"primary", calendar.is_primary},
            {"read_only", calendar.is_read_only},
            {"color", text_or_null(calendar.color)},
            {"time_zone", text_or_null(calendar.time_zone)}};
}

void write_event(json::TextWriter& out, const calendar::Event& event,
                 const storage::Connection& connection) {
    out.begin_object();
    out.member("google_event_id", event.id);
    out.member("external_event_id", event.id);
    out.member("provider", connection.provider);
    out.member("calendar_id", connection.calendar_id);
    out.member("title", event.title.empty() ? "No Title" : std::string_view(event.title));
    out.member("description", event.description);
    out.member("start_time", time_text(event.start));
    out.member("end_time", time_text(event.finish));
    out.member("all_day", event.is_all_day());
    out.name("time_zone");
    if (event.is_all_day())
        out.value(nullptr);
    else
        out.value(event.start.zone);
    out.name("attendees");
    out.begin_array();
    for (const auto& attendee : event.attendees) out.value(attendee.email);
    out.end_array();
    out.member("location", event.location);
    out.member("status", event.status);
    out.member("user_id", connection.user_id);
    out.end_object();
}

json::object provider_shape(const plugin::ProviderInfo& provider) {
    return {{"id", provider.id},
            {"title", provider.title},
            {"sign_in", provider.auth.kind},
            {"configured", provider.is_configured()},
            {"fields", fields_shape(provider.auth)},
            {"presets", presets_shape(provider.auth)},
            {"capabilities", provider.can}};
}

json::object status_shape(std::string_view user_id,
                          const std::vector<storage::Connection>& connections) {
    json::array list;
    for (const auto& connection : connections) list.push_back(connection_shape(connection));
    const bool is_connected = !connections.empty();
    json::object status{
        {"user_id", user_id}, {"calendar_connected", is_connected}, {"connected", is_connected}};
    const auto none = storage::Connection{};
    const auto& first = is_connected ? leading(connections) : none;
    status["provider"] = text_or_null(first.provider);
    status["account"] = text_or_null(first.account);
    status["email"] = text_or_null(first.email);
    status["status"] = is_connected ? json::value(old_status(first.state)) : json::value(nullptr);
    status["state"] = is_connected ? json::value(first.state) : json::value(nullptr);
    status["last_sync"] = time_or_null(first.last_synced_at);
    status["last_sync_at"] = time_or_null(first.last_synced_at);
    status["credentials_stored_at"] =
        is_connected ? json::value(format_rfc3339(first.connected_at)) : json::value(nullptr);
    status["scopes"] = words(first.scopes);
    status["last_error"] = text_or_null(first.last_error);
    status["message"] = is_connected ? message_of(first) : "Calendar not connected";
    // Until people set working hours, everyone has the same capacity.
    status["capacity"] = {{"level", "default"}, {"actions_per_day", 6}, {"source", "fallback"}};
    status["connections"] = std::move(list);
    return status;
}

}  // namespace calhost::api
