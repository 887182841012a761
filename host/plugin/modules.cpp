#include "plugin/modules.h"

#include "base/encoding.h"
#include "base/log.h"
#include "calendar/recurrence_lines.h"
#include "calendar/windows_zones.h"
#include "calendar/zone.h"
#include "crypto/crypto.h"
#include "lua/json.h"
#include "plugin/event_table.h"

namespace calhost::plugin {
namespace {

using lua::Call;
using lua::Writer;

void give_time(Call& call, const Result<calendar::EventTime>& time) {
    if (!time) return call.give_error(time.error());
    call.give([&](Writer& writer) { push_time(writer, *time); });
}

/// event.instant("2026-11-20T09:00:00+01:00", "Europe/Berlin")
void event_instant(Call& call) {
    const auto moment = parse_rfc3339(text_argument(call, 1));
    if (!moment) return call.give_error(moment.error());
    const auto zone = call.argument(2).string();
    // A zone that this machine does not know must not lose the event: the moment is what counts.
    const bool is_known = !zone.empty() && calendar::is_zone(zone);
    give_time(call, calendar::make_instant(*moment, is_known ? std::string(zone) : "Etc/UTC"));
}

/// event.wall("2026-11-20T09:00:00", "Europe/Berlin")
void event_wall(Call& call) {
    const auto local = calendar::parse_local(text_argument(call, 1));
    if (!local) return call.give_error(local.error());
    give_time(call, calendar::make_local(*local, std::string(text_argument(call, 2))));
}

void event_date(Call& call) {
    const auto date = calendar::parse_date(text_argument(call, 1));
    if (!date) return call.give_error(date.error());
    give_time(call, calendar::make_date(*date));
}

/// event.recurrence({"RRULE:FREQ=DAILY", "EXDATE:…"}, zone)
void event_recurrence(Call& call) {
    std::vector<std::string> lines;
    call.argument(1).each_item(
        [&](std::int64_t, const lua::Reader& line) { lines.emplace_back(line.string()); });
    const auto zone = call.argument(2).string();
    const auto recurrence =
        calendar::parse_recurrence_lines(lines, zone.empty() ? "Etc/UTC" : zone);
    if (!recurrence) return call.give_error(recurrence.error());
    call.give([&](Writer& writer) {
        writer.begin_table(0, 3);
        writer.field("rrule", recurrence->rrule);
        for (const auto& [name, times] :
             {std::pair{"rdate", &recurrence->rdate}, {"exdate", &recurrence->exdate}}) {
            writer.open_field(name, static_cast<int>(times->size()));
            for (std::size_t i = 0; i < times->size(); ++i) {
                push_time(writer, (*times)[i]);
                writer.set_item(static_cast<std::int64_t>(i) + 1);
            }
            writer.close_field(name);
        }
    });
}

constexpr auto kEventFields = std::to_array<std::string_view>({"id",           "etag",
                                                               "uid",          "title",
                                                               "description",  "description_format",
                                                               "location",     "url",
                                                               "start",        "finish",
                                                               "all_day",      "busy",
                                                               "status",       "visibility",
                                                               "categories",   "color",
                                                               "reminders",    "recurrence",
                                                               "series_id",    "recurrence_id",
                                                               "attendees",    "organizer",
                                                               "is_organizer", "sequence",
                                                               "created",      "updated",
                                                               "marks",        "this_and_future"});

/// event.new(fields): the same table, after a look at its field names.
void event_new(Call& call) {
    const auto fields = call.argument(1);
    if (!fields.is_table()) call.refuse(1, "a table of event fields is expected");
    std::string unknown;
    fields.each_field([&](std::string_view name, const lua::Reader&) {
        if (std::ranges::find(kEventFields, name) == kEventFields.end()) unknown = name;
    });
    if (!unknown.empty()) call.refuse(1, "'" + unknown + "' is not a field of an event");
    call.give([&](Writer& writer) { writer.copy(fields); });
}

void fill_event(lua::Table& table) {
    table.function("new", event_new);
    table.function("instant", event_instant);
    table.function("wall", event_wall);
    table.function("date", event_date);
    table.function("recurrence", event_recurrence);
    table.function("escape",
                   [](Call& call) { give_text(call, percent_encode(text_argument(call, 1))); });
}

/// The name, or nil for one that is empty.
void give_name(Call& call, std::string_view name) {
    call.give([&](Writer& writer) { name.empty() ? writer.nil() : writer.string(name); });
}

void fill_time(lua::Table& table, const Clock& clock) {
    table.function("now", [&clock](Call& call) {
        const auto now = to_millis(clock.now());
        call.give([&](Writer& writer) { writer.integer(now); });
    });
    table.function("parse", [](Call& call) {
        const auto moment = parse_rfc3339(text_argument(call, 1));
        if (!moment) return call.give_error(moment.error());
        call.give([&](Writer& writer) { writer.integer(to_millis(*moment)); });
    });
    table.function("format", [](Call& call) {
        const auto millis = call.argument(1).integer();
        if (!millis) call.refuse(1, "milliseconds are expected");
        give_text(call, format_rfc3339(from_millis(*millis)));
    });
    table.function("is_zone", [](Call& call) {
        const bool known = calendar::is_zone(text_argument(call, 1));
        call.give([&](Writer& writer) { writer.boolean(known); });
    });
    table.function("to_iana", [](Call& call) {
        const auto name = text_argument(call, 1);
        give_name(call, calendar::is_zone(name) ? name : calendar::windows_to_iana(name));
    });
    table.function("to_windows", [](Call& call) {
        give_name(call, calendar::iana_to_windows(text_argument(call, 1)));
    });
}

void fill_crypto(lua::Table& table) {
    table.function("sha256", [](Call& call) {
        give_text(call, hex_encode(crypto::sha256(text_argument(call, 1))));
    });
    table.function("hmac_sha256", [](Call& call) {
        give_text(call,
                  hex_encode(crypto::hmac_sha256(text_argument(call, 1), text_argument(call, 2))));
    });
    table.function("base64",
                   [](Call& call) { give_text(call, base64_encode(text_argument(call, 1))); });
    table.function("base64url",
                   [](Call& call) { give_text(call, base64url_encode(text_argument(call, 1))); });
    table.function("equal", [](Call& call) {
        const bool same = crypto::equal(text_argument(call, 1), text_argument(call, 2));
        call.give([&](Writer& writer) { writer.boolean(same); });
    });
}

void fill_log(lua::Table& table, const std::string& plugin) {
    for (const auto& [name, level] : {std::pair{"debug", log::Level::debug},
                                      {"info", log::Level::info},
                                      {"warning", log::Level::warning},
                                      {"error", log::Level::error}})
        table.function(name, [plugin, at = level](Call& call) {
            log::write(at, text_argument(call, 1), {{"plugin", plugin}});
        });
}

}  // namespace

std::string_view text_argument(Call& call, int index) {
    const auto argument = call.argument(index);
    if (argument.type() != lua::Type::string) call.refuse(index, "a string is expected");
    return argument.string();
}

void give_text(Call& call, std::string text) {
    call.give([text = std::move(text)](Writer& writer) { writer.string(text); });
}

void add_modules(lua::State& state, const Clock& clock) {
    state.add_module("host.json", lua::fill_json);
    state.add_module("host.event", fill_event);
    state.add_module("host.time", [&clock](lua::Table& table) { fill_time(table, clock); });
    state.add_module("host.crypto", fill_crypto);
    state.add_module("host.log", [&state](lua::Table& table) { fill_log(table, state.name()); });
    state.add_module("host.xml", fill_xml);
    state.add_module("host.ical", [&clock](lua::Table& table) { fill_ical(table, clock); });
}

}  // namespace calhost::plugin
