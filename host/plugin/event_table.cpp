#include "plugin/event_table.h"

#include <fmt/format.h>

#include "calendar/zone.h"

namespace calhost::plugin {
namespace {

using calendar::Event;
using calendar::EventTime;
using lua::Reader;
using lua::Writer;

std::unexpected<Error> wrong(std::string_view field, std::string_view what) {
    return fail(ErrorCode::invalid, fmt::format("event.{}: {}", field, what));
}

void push_times(Writer& writer, std::string_view name, const std::vector<EventTime>& times) {
    writer.open_field(name, static_cast<int>(times.size()));
    for (std::size_t i = 0; i < times.size(); ++i) {
        push_time(writer, times[i]);
        writer.set_item(static_cast<std::int64_t>(i) + 1);
    }
    writer.close_field(name);
}

void push_recurrence(Writer& writer, const calendar::Recurrence& recurrence) {
    writer.open_field("recurrence", 0, 3);
    writer.field("rrule", recurrence.rrule);
    push_times(writer, "rdate", recurrence.rdate);
    push_times(writer, "exdate", recurrence.exdate);
    writer.close_field("recurrence");
}

void push_reminders(Writer& writer, const std::vector<calendar::Reminder>& reminders) {
    writer.open_field("reminders", static_cast<int>(reminders.size()));
    std::int64_t index = 0;
    for (const auto& reminder : reminders) {
        writer.begin_table(0, 2);
        writer.field("method", reminder.method);
        writer.field("minutes", reminder.minutes);
        writer.set_item(++index);
    }
    writer.close_field("reminders");
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

/// Takes a string member over when it is there.
void take(const Reader& table, std::string_view name, std::string& into) {
    if (const auto text = table.string_field(name); !text.empty()) into = text;
}

Result<std::vector<EventTime>> read_times(const Reader& list, std::string_view field) {
    std::vector<EventTime> times;
    Result<void> outcome;
    list.each_item([&](std::int64_t, const Reader& item) {
        if (!outcome) return;
        auto time = read_time(item, field);
        if (time)
            times.push_back(std::move(*time));
        else
            outcome = fail(time.error());
    });
    if (!outcome) return fail(outcome.error());
    return times;
}

Result<void> read_recurrence(const Reader& table, Event& event) {
    Result<void> outcome;
    table.with_field("recurrence", [&](const Reader& raw) {
        if (!raw.is_table()) return;
        auto& recurrence = event.recurrence.emplace();
        recurrence.rrule = raw.string_field("rrule");
        for (const auto& [name, into] :
             {std::pair{"rdate", &recurrence.rdate}, {"exdate", &recurrence.exdate}})
            raw.with_field(name, [&](const Reader& list) {
                auto times =
                    list.is_table() ? read_times(list, name) : Result<std::vector<EventTime>>{};
                if (times)
                    *into = std::move(*times);
                else if (outcome)
                    outcome = fail(times.error());
            });
    });
    return outcome;
}

void read_reminders(const Reader& table, Event& event) {
    table.with_field("reminders", [&](const Reader& list) {
        if (!list.is_table()) return;
        auto& reminders = event.reminders.emplace();
        list.each_item([&](std::int64_t, const Reader& item) {
            reminders.push_back(
                {.method = std::string(item.string_field("method")),
                 .minutes = static_cast<int>(item.integer_field("minutes").value_or(0))});
        });
    });
}

void read_attendees(const Reader& table, Event& event) {
    table.with_field("attendees", [&](const Reader& list) {
        if (!list.is_table()) return;
        list.each_item([&](std::int64_t, const Reader& item) {
            event.attendees.push_back({.email = std::string(item.string_field("email")),
                                       .name = std::string(item.string_field("name")),
                                       .role = std::string(item.string_field("role")),
                                       .response = std::string(item.string_field("response")),
                                       .is_self = item.boolean_field("is_self")});
        });
    });
}

void read_categories(const Reader& table, Event& event) {
    table.with_field("categories", [&](const Reader& list) {
        if (!list.is_table()) return;
        list.each_item([&](std::int64_t, const Reader& item) {
            if (!item.string().empty()) event.categories.emplace_back(item.string());
        });
    });
}

void read_texts(const Reader& table, Event& event) {
    take(table, "etag", event.etag);
    take(table, "uid", event.uid);
    take(table, "title", event.title);
    take(table, "description", event.description);
    take(table, "description_format", event.description_format);
    take(table, "location", event.location);
    take(table, "url", event.url);
    take(table, "busy", event.busy);
    take(table, "status", event.status);
    take(table, "visibility", event.visibility);
    take(table, "color", event.color);
    take(table, "series_id", event.series_id);
    take(table, "organizer", event.organizer);
}

void read_marks(const Reader& table, Event& event) {
    table.with_field("marks", [&](const Reader& marks) {
        if (!marks.is_table()) return;
        marks.each_field([&](std::string_view name, const Reader& value) {
            event.marks.emplace(std::string(name), std::string(value.string()));
        });
    });
}

/// A time of change that the provider wrote in a form we do not know is left out, not refused.
std::optional<Timestamp> read_moment(const Reader& table, std::string_view name) {
    const auto text = table.string_field(name);
    if (text.empty()) return std::nullopt;
    const auto moment = parse_rfc3339(text);
    return moment ? std::optional(*moment) : std::nullopt;
}

Result<void> read_start_and_finish(const Reader& table, Event& event) {
    Result<void> outcome;
    const auto read_into = [&](std::string_view name, auto&& store) {
        table.with_field(name, [&](const Reader& raw) {
            if (raw.is_nil() || !outcome) return;
            auto time = read_time(raw, name);
            if (time)
                store(std::move(*time));
            else
                outcome = fail(time.error());
        });
    };
    bool has_start = false, has_finish = false;
    read_into("start", [&](EventTime time) { event.start = std::move(time), has_start = true; });
    read_into("finish", [&](EventTime time) { event.finish = std::move(time), has_finish = true; });
    read_into("recurrence_id", [&](EventTime time) { event.recurrence_id = std::move(time); });
    if (!outcome) return outcome;
    if (!has_start) return wrong("start", "is missing");
    if (!has_finish) event.finish = event.start;
    return {};
}

}  // namespace

void push_time(Writer& writer, const EventTime& time) {
    writer.begin_table(0, 3);
    if (time.is_date) {
        writer.field("date", calendar::format_date(time.date));
        return;
    }
    writer.field("local", calendar::format_local(time.local));
    writer.field("tz", time.zone);
    writer.field("instant", to_millis(time.instant));
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
    if (event.recurrence) push_recurrence(writer, *event.recurrence);
    if (event.reminders) push_reminders(writer, *event.reminders);
    if (!event.attendees.empty()) push_attendees(writer, event.attendees);
    writer.open_field("marks", 0, static_cast<int>(event.marks.size()));
    for (const auto& [name, value] : event.marks) writer.field(name, value);
    writer.close_field("marks");
}

Result<EventTime> read_time(const Reader& reader, std::string_view field) {
    if (!reader.is_table()) return wrong(field, "is not a time; use event.instant or event.date");
    if (const auto date = reader.string_field("date"); !date.empty()) {
        const auto day = calendar::parse_date(date);
        if (!day) return wrong(field, day.error().message);
        return calendar::make_date(*day);
    }
    const std::string zone(reader.string_field("tz"));
    if (const auto instant = reader.integer_field("instant"))
        return calendar::make_instant(from_millis(*instant), zone.empty() ? "Etc/UTC" : zone);
    const auto local = calendar::parse_local(reader.string_field("local"));
    if (!local) return wrong(field, local.error().message);
    return calendar::make_local(*local, zone);
}

Result<Event> read_event(const Reader& reader) {
    if (!reader.is_table()) return wrong("", "is not a table");
    Event event;
    event.id = reader.string_field("id");
    if (event.id.empty()) return wrong("id", "is missing");
    read_texts(reader, event);
    if (auto times = read_start_and_finish(reader, event); !times) return fail(times.error());
    if (auto recurrence = read_recurrence(reader, event); !recurrence)
        return fail(recurrence.error());
    read_categories(reader, event);
    read_reminders(reader, event);
    read_attendees(reader, event);
    read_marks(reader, event);
    reader.with_field("is_organizer", [&](const Reader& flag) {
        if (flag.type() == lua::Type::boolean) event.is_organizer = flag.boolean();
    });
    event.sequence = reader.integer_field("sequence").value_or(0);
    event.created = read_moment(reader, "created");
    event.updated = read_moment(reader, "updated");
    if (auto checked = calendar::check_event(event); !checked) return fail(checked.error());
    return event;
}

}  // namespace calhost::plugin
