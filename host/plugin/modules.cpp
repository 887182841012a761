#include "plugin/modules.h"

#include "base/log.h"
#include "calendar/windows_zones.h"
#include "calendar/zone.h"
#include "lua/json.h"

namespace calhost::plugin {
namespace {

using lua::Call;
using lua::Writer;

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
    state.add_module("host.html", fill_html);
    state.add_module("host.log", [&state](lua::Table& table) { fill_log(table, state.name()); });
    state.add_module("host.xml", fill_xml);
    state.add_module("host.dav", fill_dav);
    state.add_module("host.recurrence", fill_recurrence);
    state.add_module("host.template", fill_template);
    state.add_module("host.ical", [&clock](lua::Table& table) { fill_ical(table, clock); });
}

}  // namespace calhost::plugin
