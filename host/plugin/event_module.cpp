#include "base/encoding.h"
#include "calendar/recurrence_lines.h"
#include "calendar/zone.h"
#include "plugin/event_table.h"
#include "plugin/modules.h"
#include "plugin/reminders.h"
#include "plugin/time_table.h"

namespace calhost::plugin {
namespace {

using lua::Call;
using lua::Reader;
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
    const auto time = make_known_instant(*moment, zone);
    if (!time) return call.give_error(time.error());
    call.give([&](Writer& writer) {
        push_time(writer, *time);
        if (!zone.empty() && time->zone != zone) writer.field(kUnknownZone, zone);
    });
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
    call.give([&](Writer& writer) { push_recurrence(writer, *recurrence); });
}

/// event.lines(recurrence): what `recurrence` reads.
void event_lines(Call& call) {
    const auto recurrence = read_recurrence(call.argument(1));
    if (!recurrence) return call.give_error(recurrence.error());
    call.give([&](Writer& writer) {
        writer.begin_array();
        std::int64_t index = 0;
        for (const auto& line : calendar::format_recurrence_lines(*recurrence)) {
            writer.string(line);
            writer.set_item(++index);
        }
    });
}

ReminderLimits read_limits(const Reader& table) {
    ReminderLimits limits;
    limits.most = static_cast<int>(table.integer_field("most").value_or(limits.most));
    limits.longest = static_cast<int>(table.integer_field("longest").value_or(limits.longest));
    table.with_field("methods", [&](const Reader& methods) {
        if (!methods.is_table()) return;
        limits.methods.clear();
        methods.each_item(
            [&](std::int64_t, const Reader& method) { limits.methods.emplace(method.string()); });
    });
    return limits;
}

/// event.fit_reminders(reminders, {most, methods, longest}): those that a service can hold, and a
/// sentence for each that it cannot.
void event_fit_reminders(Call& call) {
    const auto reminders = read_reminders(call.argument(1));
    if (!reminders) return call.give_error(reminders.error());
    const auto fitted = fit_reminders(*reminders, read_limits(call.argument(2)));
    call.give([&](Writer& writer) { push_reminders(writer, fitted.kept); });
    call.give([&](Writer& writer) {
        writer.begin_array();
        std::int64_t index = 0;
        for (const auto& sentence : fitted.lossy) {
            writer.string(sentence);
            writer.set_item(++index);
        }
    });
}

/// event.new(fields): the same table, after a look at its field names.
void event_new(Call& call) {
    const auto fields = call.argument(1);
    if (!fields.is_table()) call.refuse(1, "a table of event fields is expected");
    std::string unknown;
    fields.each_field([&](std::string_view name, const lua::Reader&) {
        if (!is_event_field(name)) unknown = name;
    });
    if (!unknown.empty()) call.refuse(1, "'" + unknown + "' is not a field of an event");
    call.give([&](Writer& writer) { writer.copy(fields); });
}

}  // namespace

void fill_event(lua::Table& table) {
    table.function("new", event_new);
    table.function("instant", event_instant);
    table.function("wall", event_wall);
    table.function("date", event_date);
    table.function("recurrence", event_recurrence);
    table.function("lines", event_lines);
    table.function("fit_reminders", event_fit_reminders);
    table.function("escape",
                   [](Call& call) { give_text(call, percent_encode(text_argument(call, 1))); });
}

}  // namespace calhost::plugin
