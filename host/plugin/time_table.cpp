#include "plugin/time_table.h"

#include <fmt/format.h>

#include "calendar/zone.h"

namespace calhost::plugin {
namespace {

using calendar::EventTime;
using lua::Reader;
using lua::Writer;

void push_times(Writer& writer, std::string_view name, const std::vector<EventTime>& times) {
    writer.open_field(name, static_cast<int>(times.size()));
    for (std::size_t i = 0; i < times.size(); ++i) {
        push_time(writer, times[i]);
        writer.set_item(static_cast<std::int64_t>(i) + 1);
    }
    writer.close_field(name);
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

}  // namespace

std::unexpected<Error> wrong_field(std::string_view field, std::string_view what) {
    return fail(ErrorCode::invalid, fmt::format("event.{}: {}", field, what));
}

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

void push_recurrence(Writer& writer, const calendar::Recurrence& recurrence) {
    writer.begin_table(0, 3);
    writer.field("rrule", recurrence.rrule);
    push_times(writer, "rdate", recurrence.rdate);
    push_times(writer, "exdate", recurrence.exdate);
}

Result<EventTime> make_known_instant(Timestamp moment, std::string_view zone) {
    const bool is_known = !zone.empty() && calendar::is_zone(zone);
    return calendar::make_instant(moment, is_known ? std::string(zone) : "Etc/UTC");
}

std::string_view unknown_zone(const Reader& time) {
    if (!time.is_table()) return {};
    if (const auto asked = time.string_field(kUnknownZone); !asked.empty()) return asked;
    const auto zone = time.string_field("tz");
    return zone == "Etc/UTC" || calendar::is_zone(zone) ? std::string_view() : zone;
}

Result<EventTime> read_time(const Reader& reader, std::string_view field) {
    if (!reader.is_table())
        return wrong_field(field, "is not a time; use event.instant or event.date");
    std::string_view date, local, zone, instant_text;
    std::optional<std::int64_t> instant;
    reader.each_field([&](std::string_view name, const Reader& value) {
        if (name == "date") date = value.string();
        if (name == "local") local = value.string();
        if (name == "tz") zone = value.string();
        if (name == "instant") (instant = value.integer(), instant_text = value.string());
    });
    if (!date.empty()) {
        const auto day = calendar::parse_date(date);
        if (!day) return wrong_field(field, day.error().message);
        return calendar::make_date(*day);
    }
    if (!instant_text.empty()) {
        const auto moment = parse_rfc3339(instant_text);
        if (!moment) return wrong_field(field, moment.error().message);
        return make_known_instant(*moment, zone);
    }
    if (instant)
        return calendar::make_instant(from_millis(*instant),
                                      std::string(zone.empty() ? "Etc/UTC" : zone));
    const auto wall_clock = calendar::parse_local(local);
    if (!wall_clock) return wrong_field(field, wall_clock.error().message);
    return calendar::make_local(*wall_clock, std::string(zone));
}

Result<calendar::Recurrence> read_recurrence(const Reader& reader) {
    if (!reader.is_table()) return wrong_field("recurrence", "is not a table");
    calendar::Recurrence recurrence;
    recurrence.rrule = reader.string_field("rrule");
    Result<void> outcome;
    for (const auto& [name, into] :
         {std::pair{"rdate", &recurrence.rdate}, {"exdate", &recurrence.exdate}})
        reader.with_field(name, [&](const Reader& list) {
            if (!list.is_table() || !outcome) return;
            auto times = read_times(list, name);
            if (times)
                *into = std::move(*times);
            else
                outcome = fail(std::move(times.error()));
        });
    if (!outcome) return fail(outcome.error());
    return recurrence;
}

}  // namespace calhost::plugin
