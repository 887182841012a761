#include "plugin/event_table.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "plugin/time_table.h"

namespace calhost::plugin {
namespace {

using calendar::Event;
using calendar::EventTime;
using lua::Reader;
using lua::Writer;

/// Puts what was read where it belongs.
template <class T>
Result<void> put(Result<T> read, T& into) {
    if (!read) return fail(std::move(read.error()));
    into = std::move(*read);
    return {};
}

void push_attendees(Writer& writer, const std::vector<calendar::Attendee>& attendees) {
    writer.open_field("attendees", static_cast<int>(attendees.size()));
    std::int64_t index = 0;
    for (const auto& attendee : attendees) {
        writer.begin_table(0, 5);
        writer.field("email", attendee.email);
        writer.field("name", attendee.name);
        writer.field("role", attendee.role);
        writer.field("response", attendee.response);
        writer.field("is_self", attendee.is_self);
        writer.set_item(++index);
    }
    writer.close_field("attendees");
}

void push_words(Writer& writer, std::string_view name, const std::vector<std::string>& words) {
    writer.open_field(name, static_cast<int>(words.size()));
    std::int64_t index = 0;
    for (const auto& word : words) {
        writer.string(word);
        writer.set_item(++index);
    }
    writer.close_field(name);
}

// Each of these reads one field of an event, whose value is not nil.

template <auto Field>
Result<void> text_field(const Reader& value, Event& event) {
    if (const auto text = value.string(); !text.empty()) event.*Field = text;
    return {};
}

Result<void> start_field(const Reader& value, Event& event) {
    return put(read_time(value, "start"), event.start);
}

Result<void> finish_field(const Reader& value, Event& event) {
    return put(read_time(value, "finish"), event.finish);
}

Result<void> recurrence_id_field(const Reader& value, Event& event) {
    return put(read_time(value, "recurrence_id"), event.recurrence_id.emplace());
}

Result<void> this_and_future_field(const Reader& flag, Event& event) {
    event.is_this_and_future = flag.boolean();
    return {};
}

Result<void> recurrence_field(const Reader& table, Event& event) {
    if (!table.is_table()) return {};
    return put(read_recurrence(table), event.recurrence.emplace());
}

Result<void> reminders_field(const Reader& list, Event& event) {
    if (!list.is_table()) return {};
    return put(read_reminders(list), event.reminders.emplace());
}

Result<void> attendees_field(const Reader& list, Event& event) {
    list.each_item([&](std::int64_t, const Reader& item) {
        event.attendees.push_back({.email = std::string(item.string_field("email")),
                                   .name = std::string(item.string_field("name")),
                                   .role = std::string(item.string_field("role")),
                                   .response = std::string(item.string_field("response")),
                                   .is_self = item.boolean_field("is_self")});
    });
    return {};
}

Result<void> categories_field(const Reader& list, Event& event) {
    list.each_item([&](std::int64_t, const Reader& item) {
        if (!item.string().empty()) event.categories.emplace_back(item.string());
    });
    return {};
}

Result<void> marks_field(const Reader& marks, Event& event) {
    marks.each_field([&](std::string_view name, const Reader& value) {
        event.marks.emplace(std::string(name), std::string(value.string()));
    });
    return {};
}

Result<void> is_organizer_field(const Reader& flag, Event& event) {
    if (flag.type() == lua::Type::boolean) event.is_organizer = flag.boolean();
    return {};
}

Result<void> sequence_field(const Reader& number, Event& event) {
    event.sequence = number.integer().value_or(0);
    return {};
}

/// A time of change that the provider wrote in a form we do not know is left out, not refused.
template <auto Field>
Result<void> moment_field(const Reader& value, Event& event) {
    if (const auto moment = parse_rfc3339(value.string())) event.*Field = *moment;
    return {};
}

using ReadField = Result<void> (*)(const Reader&, Event&);

/// What scripts may read but the host works out itself.
Result<void> ignored_field(const Reader& /*value*/, Event& /*event*/) { return {}; }

struct Field {
    std::string_view name;
    ReadField read;
};

constexpr Field kFields[] = {
    {"id", text_field<&Event::id>},
    {"etag", text_field<&Event::etag>},
    {"uid", text_field<&Event::uid>},
    {"title", text_field<&Event::title>},
    {"description", text_field<&Event::description>},
    {"description_format", text_field<&Event::description_format>},
    {"location", text_field<&Event::location>},
    {"url", text_field<&Event::url>},
    {"start", start_field},
    {"finish", finish_field},
    {"all_day", ignored_field},
    {"busy", text_field<&Event::busy>},
    {"status", text_field<&Event::status>},
    {"visibility", text_field<&Event::visibility>},
    {"categories", categories_field},
    {"color", text_field<&Event::color>},
    {"reminders", reminders_field},
    {"recurrence", recurrence_field},
    {"series_id", text_field<&Event::series_id>},
    {"recurrence_id", recurrence_id_field},
    {"this_and_future", this_and_future_field},
    {"attendees", attendees_field},
    {"organizer", text_field<&Event::organizer>},
    {"is_organizer", is_organizer_field},
    {"sequence", sequence_field},
    {"created", moment_field<&Event::created>},
    {"updated", moment_field<&Event::updated>},
    {"marks", marks_field},
};

/// Every field of every event of a sync is looked up: each name has a slot of its own, so that one
/// comparison tells. Two names in one slot do not compile; then choose other factors.
constexpr std::size_t kSlots = 128;

constexpr std::size_t slot_of(std::string_view name) {
    const auto first = static_cast<unsigned char>(name.front());
    const auto last = static_cast<unsigned char>(name.back());
    return (name.size() * 8 + first + last) % kSlots;
}

constexpr auto kFieldAt = [] {
    std::array<const Field*, kSlots> slots{};
    for (const Field& field : kFields) {
        const Field*& slot = slots[slot_of(field.name)];
        if (slot != nullptr) throw std::logic_error("two names in one slot");
        slot = &field;
    }
    return slots;
}();

const Field* find_field(std::string_view name) {
    if (name.empty()) return nullptr;
    const Field* field = kFieldAt[slot_of(name)];
    return field != nullptr && field->name == name ? field : nullptr;
}

std::unexpected<Error> no_table() {
    return fail(ErrorCode::invalid, "an event is a table of fields; make it with event.new");
}

ChangeKind kind_of(std::string_view flag) {
    if (flag == "whole") return ChangeKind::whole_series;
    if (flag == "deleted") return ChangeKind::deletion;
    return flag == "out_of_window" ? ChangeKind::out_of_window : ChangeKind::event;
}

/// One pass over what the table has is a third of the work of asking it for each name.
Result<void> read_fields(const Reader& table, Event& event, ChangeKind& kind) {
    Result<void> outcome;
    table.each_field([&](std::string_view name, const Reader& value) {
        if (const Field* field = find_field(name)) {
            if (outcome && !value.is_nil()) outcome = field->read(value, event);
        } else if (value.boolean()) {
            kind = std::max(kind, kind_of(name));
        }
    });
    return outcome;
}

/// A time that was read is a date or has a zone.
bool is_set(const EventTime& time) { return time.is_date || !time.zone.empty(); }

/// Puts what a script may leave out, and refuses what makes no sense.
Result<void> complete_times(Event& event) {
    if (!is_set(event.start)) return wrong_field("start", "is missing");
    if (!is_set(event.finish)) event.finish = event.start;
    return calendar::check_event(event);
}

Result<void> complete(Event& event) {
    if (event.id.empty()) return wrong_field("id", "is missing");
    return complete_times(event);
}

}  // namespace

void push_reminders(Writer& writer, const std::vector<calendar::Reminder>& reminders) {
    writer.begin_array(static_cast<int>(reminders.size()));
    std::int64_t index = 0;
    for (const auto& reminder : reminders) {
        writer.begin_table(0, 2);
        writer.field("method", reminder.method);
        writer.field("minutes", reminder.minutes);
        writer.set_item(++index);
    }
}

void push_event(Writer& writer, const Event& event) {
    writer.begin_table(0, 27);
    const auto text = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) writer.field(name, value);
    };
    const auto time = [&](std::string_view name, const EventTime& value) {
        push_time(writer, value);
        writer.set_field(name);
    };
    text("id", event.id);
    text("etag", event.etag);
    text("uid", event.uid);
    text("title", event.title);
    text("description", event.description);
    text("description_format", event.description_format);
    text("location", event.location);
    text("url", event.url);
    time("start", event.start);
    time("finish", event.finish);
    writer.field("all_day", event.is_all_day());
    text("busy", event.busy);
    text("status", event.status);
    text("visibility", event.visibility);
    if (!event.categories.empty()) push_words(writer, "categories", event.categories);
    text("color", event.color);
    text("series_id", event.series_id);
    text("organizer", event.organizer);
    writer.field("is_organizer", event.is_organizer);
    writer.field("sequence", event.sequence);
    if (event.created) text("created", format_rfc3339(*event.created));
    if (event.updated) text("updated", format_rfc3339(*event.updated));
    if (event.recurrence_id) time("recurrence_id", *event.recurrence_id);
    if (event.is_this_and_future) writer.field("this_and_future", true);
    if (event.recurrence) {
        push_recurrence(writer, *event.recurrence);
        writer.set_field("recurrence");
    }
    if (event.reminders) {
        push_reminders(writer, *event.reminders);
        writer.set_field("reminders");
    }
    if (!event.attendees.empty()) push_attendees(writer, event.attendees);
    writer.open_field("marks", 0, static_cast<int>(event.marks.size()));
    for (const auto& [name, value] : event.marks) writer.field(name, value);
    writer.close_field("marks");
}

void push_wanted(Writer& writer, const Event& event) {
    Event wanted = event;
    wanted.attendees.clear();
    wanted.organizer.clear();
    push_event(writer, wanted);
    if (event.sets_attendees) push_attendees(writer, event.attendees);
    for (const auto& [name, text] : {std::pair{"title", &event.title},
                                     {"description", &event.description},
                                     {"location", &event.location},
                                     {"url", &event.url}})
        if (text->empty()) writer.field(name, "");
    if (!event.recurrence && !event.is_override()) writer.field("recurrence", false);
}

std::string unknown_zone(const Reader& table, const Event& event) {
    std::string found;
    // Whatever is not known became UTC.
    for (const auto& [name, time] : {std::pair{"start", &event.start}, {"finish", &event.finish}})
        if (found.empty() && time->zone == "Etc/UTC")
            table.with_field(name, [&](const Reader& value) { found = unknown_zone(value); });
    return found;
}

bool is_event_field(std::string_view name) { return find_field(name) != nullptr; }

Result<ChangeKind> read_change(const Reader& reader, Event& into) {
    if (!reader.is_table()) return no_table();
    auto kind = ChangeKind::event;
    auto outcome = read_fields(reader, into, kind);
    if (kind == ChangeKind::event && outcome) outcome = complete(into);
    if (kind == ChangeKind::event && !outcome) return fail(std::move(outcome.error()));
    return kind;
}

Result<std::vector<calendar::Reminder>> read_reminders(const Reader& reader) {
    if (!reader.is_table()) return wrong_field("reminders", "is not a list");
    std::vector<calendar::Reminder> reminders;
    reader.each_item([&](std::int64_t, const Reader& item) {
        reminders.push_back(
            {.method = std::string(item.string_field("method")),
             .minutes = static_cast<int>(item.integer_field("minutes").value_or(0))});
    });
    return reminders;
}

Result<Event> read_event(const Reader& reader) {
    if (!reader.is_table()) return no_table();
    Event event;
    auto ignored = ChangeKind::event;
    auto outcome = read_fields(reader, event, ignored);
    if (outcome) outcome = complete(event);
    if (!outcome) return fail(std::move(outcome.error()));
    return event;
}

Result<Event> read_edited(const Reader& reader, const Event& known) {
    if (!reader.is_table()) return no_table();
    Event read;
    auto ignored = ChangeKind::event;
    if (auto outcome = read_fields(reader, read, ignored); !outcome)
        return fail(std::move(outcome.error()));
    Event event = known;
    event.title = std::move(read.title);
    event.description = std::move(read.description);
    event.description_format = std::move(read.description_format);
    event.location = std::move(read.location);
    event.url = std::move(read.url);
    event.start = std::move(read.start);
    event.finish = std::move(read.finish);
    event.busy = std::move(read.busy);
    event.status = std::move(read.status);
    event.visibility = std::move(read.visibility);
    event.categories = std::move(read.categories);
    event.color = std::move(read.color);
    event.reminders = std::move(read.reminders);
    event.attendees = std::move(read.attendees);
    if (auto outcome = complete_times(event); !outcome) return fail(std::move(outcome.error()));
    return event;
}

}  // namespace calhost::plugin
