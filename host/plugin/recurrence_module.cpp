#include <limits>

#include "calendar/recurrence_lines.h"
#include "calendar/rule_fields.h"
#include "plugin/modules.h"
#include "plugin/time_table.h"

namespace calhost::plugin {
namespace {

using calendar::RuleDay;
using calendar::RuleFields;
using lua::Call;
using lua::Reader;
using lua::Writer;

void push_days(Writer& writer, const std::vector<RuleDay>& days) {
    writer.open_field("by_day", static_cast<int>(days.size()));
    std::int64_t index = 0;
    for (const auto& item : days) {
        writer.begin_table(0, 2);
        writer.field("day", item.day);
        if (item.nth != 0) writer.field("nth", item.nth);
        writer.set_item(++index);
    }
    writer.close_field("by_day");
}

void push_fields(Writer& writer, const RuleFields& fields) {
    writer.begin_table(0, 8);
    writer.field("freq", fields.freq);
    writer.field("interval", fields.interval);
    writer.field("week_start", fields.week_start);
    writer.field("has_start", fields.has_start);
    if (fields.count > 0) writer.field("count", fields.count);
    if (!fields.by_day.empty()) push_days(writer, fields.by_day);
    for (const auto& [name, list] : fields.numbers) {
        writer.open_field(name, static_cast<int>(list.size()));
        std::int64_t index = 0;
        for (const int value : list) {
            writer.integer(value);
            writer.set_item(++index);
        }
        writer.close_field(name);
    }
    if (fields.last) {
        push_time(writer, *fields.last);
        writer.set_field("last");
    }
}

/// A member that is a whole number, or `otherwise` where there is none.
int whole_number(Call& call, const Reader& value, int otherwise) {
    if (value.is_nil()) return otherwise;
    const auto number = value.integer();
    if (!number || std::abs(*number) > std::numeric_limits<int>::max())
        call.refuse(1, "whole numbers are expected");
    return static_cast<int>(*number);
}

void read_days(Call& call, const Reader& list, std::vector<RuleDay>& into) {
    list.each_item([&](std::int64_t, const Reader& item) {
        if (!item.is_table()) call.refuse(1, "by_day = { { day, nth? } } is expected");
        RuleDay& day = into.emplace_back();
        day.day = item.string_field("day");
        item.with_field("nth", [&](const Reader& nth) { day.nth = whole_number(call, nth, 0); });
    });
}

RuleFields read_fields(Call& call, const Reader& table) {
    if (!table.is_table()) call.refuse(1, "a table of a rule's fields is expected");
    RuleFields fields{.freq = std::string(table.string_field("freq"))};
    if (const auto day = table.string_field("week_start"); !day.empty()) fields.week_start = day;
    table.with_field("interval",
                     [&](const Reader& value) { fields.interval = whole_number(call, value, 1); });
    table.with_field("count",
                     [&](const Reader& value) { fields.count = whole_number(call, value, 0); });
    table.with_field("last", [&](const Reader& value) {
        if (value.is_nil()) return;
        auto last = read_time(value, "last");
        if (!last) call.refuse(1, last.error().message);
        fields.last = std::move(*last);
    });
    table.with_field("by_day", [&](const Reader& list) { read_days(call, list, fields.by_day); });
    for (const auto name : calendar::kNumberFields)
        table.with_field(name, [&](const Reader& list) {
            list.each_item([&](std::int64_t, const Reader& value) {
                fields.numbers[std::string(name)].push_back(whole_number(call, value, 0));
            });
        });
    return fields;
}

/// recurrence.parse("FREQ=WEEKLY;COUNT=4", start)
void recurrence_parse(Call& call) {
    const auto start = read_time(call.argument(2), "start");
    if (!start) return call.give_error(start.error());
    const auto fields = calendar::parse_rule_fields(text_argument(call, 1), *start);
    if (!fields) return call.give_error(fields.error());
    call.give([&](Writer& writer) { push_fields(writer, *fields); });
}

/// recurrence.text(fields): what `parse` reads.
void recurrence_text(Call& call) {
    auto text = calendar::format_rule_fields(read_fields(call, call.argument(1)));
    if (!text) call.refuse(1, text.error().message);
    give_text(call, std::move(*text));
}

/// recurrence.split_id(id): series and slot of an occurrence, from an id that the host made of
/// both; nil for any other.
void recurrence_split_id(Call& call) {
    const auto id = text_argument(call, 1);
    const auto bar = id.rfind('_');
    if (bar == std::string_view::npos || bar == 0) return call.give(&Writer::nil);
    const auto text = id.substr(bar + 1);
    const auto slot = calendar::parse_basic_time(text, "Etc/UTC");
    if (!slot || (!slot->is_date && !text.ends_with('Z'))) return call.give(&Writer::nil);
    give_text(call, std::string(id.substr(0, bar)));
    call.give([&](Writer& writer) { push_time(writer, *slot); });
}

}  // namespace

void fill_recurrence(lua::Table& table) {
    table.function("parse", recurrence_parse);
    table.function("text", recurrence_text);
    table.function("split_id", recurrence_split_id);
}

}  // namespace calhost::plugin
