#include <algorithm>

#include "calendar/icalendar.h"
#include "calendar/recurrence.h"
#include "calendar/recurrence_lines.h"
#include "plugin/event_table.h"
#include "plugin/modules.h"
#include "plugin/time_table.h"

namespace calhost::plugin {
namespace {

using calendar::Event;
using lua::Call;
using lua::Reader;
using lua::Writer;

std::string option(Call& call, int index, std::string_view name) {
    const auto options = call.argument(index);
    return options.is_table() ? std::string(options.string_field(name)) : std::string();
}

/// What a provider calls the events of one text, and whose account it is; what is empty is not
/// said.
struct Names {
    Names(Call& call, int index)
        : id(option(call, index, "id")),
          etag(option(call, index, "etag")),
          owner(option(call, index, "owner")) {}
    std::string id, etag, owner;
};

bool is_same_address(std::string_view one, std::string_view other) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; };
    return std::ranges::equal(one, other, {}, lower, lower);
}

void put_names(Event& event, const Names& names) {
    if (!names.id.empty()) {
        const bool is_override = event.is_override();
        event.id = is_override ? calendar::occurrence_id(names.id, *event.recurrence_id) : names.id;
        event.series_id = is_override ? names.id : "";
        event.etag = names.etag;
    }
    if (names.owner.empty()) return;
    if (!event.organizer.empty())
        event.is_organizer = is_same_address(event.organizer, names.owner);
    for (auto& person : event.attendees)
        person.is_self = is_same_address(person.email, names.owner);
}

/// ical.read(text, { id?, etag?, owner? }): `{ events, name, time_zone, warnings }`
void ical_read(Call& call) {
    auto read = calendar::read_icalendar(text_argument(call, 1));
    if (!read) return call.give_error(read.error());
    const Names names(call, 2);
    for (auto& event : read->events) put_names(event, names);
    call.give([&](Writer& writer) {
        writer.begin_table(0, 4);
        writer.field("name", read->name);
        writer.field("time_zone", read->zone);
        std::int64_t index = 0;
        writer.open_field("events", static_cast<int>(read->events.size()));
        for (const auto& event : read->events) {
            push_event(writer, event);
            writer.set_item(++index);
        }
        writer.close_field("events");
        index = 0;
        writer.open_field("warnings", static_cast<int>(read->warnings.size()));
        for (const auto& warning : read->warnings) {
            writer.string(warning);
            writer.set_item(++index);
        }
        writer.close_field("warnings");
    });
}

/// iCalendar has whole seconds.
Timestamp now_of(const Clock& clock) {
    return std::chrono::floor<std::chrono::seconds>(clock.now());
}

/// The provider's own names do not go into the text.
void drop_names(Event& event) {
    if (event.uid.empty()) event.uid = event.is_override() ? event.series_id : event.id;
    event.id =
        event.is_override() ? calendar::occurrence_id(event.uid, *event.recurrence_id) : event.uid;
    event.series_id = event.is_override() ? event.uid : "";
    event.etag.clear();
}

/// A slot as a time, or as text as it stands in an occurrence's id.
Result<calendar::EventTime> read_slot(const Reader& value) {
    if (value.type() == lua::Type::string)
        return calendar::parse_basic_time(value.string(), "Etc/UTC");
    return read_time(value, "recurrence_id");
}

/// The event is that one occurrence, and no series.
Result<void> put_into_slot(calendar::Event& event, const Reader& value) {
    auto slot = read_slot(value);
    if (!slot) return fail(std::move(slot.error()));
    event.recurrence_id = std::move(*slot);
    event.recurrence.reset();
    return {};
}

/// ical.write({ event, … }, { owner? })
void ical_write(Call& call, const Clock& clock) {
    const auto list = call.argument(1);
    if (!list.is_table()) call.refuse(1, "a list of events is expected");
    calendar::Calendar calendar{.owner = option(call, 2, "owner")};
    Result<void> outcome;
    list.each_item([&](std::int64_t, const Reader& item) {
        auto event = read_event(item);
        if (!event) return static_cast<void>(outcome = fail(event.error()));
        drop_names(*event);
        if (!event->updated) event->updated = now_of(clock);
        calendar.events.push_back(std::move(*event));
    });
    if (!outcome) return call.give_error(outcome.error());
    give_text(call, calendar::write_icalendar(calendar));
}

/// ical.update(stored, event, { owner?, slot? })
void ical_update(Call& call, const Clock& clock) {
    auto event = read_event(call.argument(2));
    if (!event) return call.give_error(event.error());
    event->updated = now_of(clock);
    call.argument(2).with_field(
        "attendees", [&](const Reader& list) { event->sets_attendees = list.is_table(); });
    Result<void> moved;
    if (const auto options = call.argument(3); options.is_table())
        options.with_field("slot", [&](const Reader& value) {
            if (!value.is_nil()) moved = put_into_slot(*event, value);
        });
    if (!moved) return call.give_error(moved.error());
    auto text =
        calendar::update_icalendar(text_argument(call, 1), *event, option(call, 3, "owner"));
    if (!text) return call.give_error(text.error());
    give_text(call, std::move(*text));
}

/// ical.exclude(stored, slot)
void ical_exclude(Call& call, const Clock& clock) {
    const auto slot = read_slot(call.argument(2));
    if (!slot) return call.give_error(slot.error());
    auto text = calendar::exclude_occurrence(text_argument(call, 1), *slot, now_of(clock));
    if (!text) return call.give_error(text.error());
    give_text(call, std::move(*text));
}

/// ical.occurrence(stored, slot, { id?, etag?, owner? }): the override, or what the series says of
/// that slot.
void ical_occurrence(Call& call) {
    const auto slot = read_slot(call.argument(2));
    if (!slot) return call.give_error(slot.error());
    const auto read = calendar::read_icalendar(text_argument(call, 1));
    if (!read) return call.give_error(read.error());
    auto found = calendar::find_occurrence(read->events, *slot);
    if (!found) return call.give_error(found.error());
    put_names(found->event, Names(call, 3));
    call.give([&](Writer& writer) { push_event(writer, found->event); });
}

/// ical.occurrence_id(series_id, slot)
void ical_occurrence_id(Call& call) {
    const auto slot = read_slot(call.argument(2));
    if (!slot) return call.give_error(slot.error());
    give_text(call, calendar::occurrence_id(text_argument(call, 1), *slot));
}

/// ical.quiet(stored, owner?): no server sends mail because this is stored.
void ical_quiet(Call& call) {
    give_text(call, calendar::keep_quiet(text_argument(call, 1), call.argument(2).string()));
}

}  // namespace

void fill_ical(lua::Table& table, const Clock& clock) {
    table.function("read", ical_read);
    table.function("write", [&clock](Call& call) { ical_write(call, clock); });
    table.function("update", [&clock](Call& call) { ical_update(call, clock); });
    table.function("exclude", [&clock](Call& call) { ical_exclude(call, clock); });
    table.function("occurrence", ical_occurrence);
    table.function("occurrence_id", ical_occurrence_id);
    table.function("quiet", ical_quiet);
}

}  // namespace calhost::plugin
