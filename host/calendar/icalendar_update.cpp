#include <algorithm>
#include <array>
#include <span>

#include "calendar/icalendar.h"
#include "calendar/icalendar_text.h"
#include "calendar/recurrence.h"

namespace calhost::calendar {
namespace {

constexpr auto kDescribed = std::to_array<std::string_view>({"DESCRIPTION", "X-ALT-DESC"});
constexpr auto kTimes = std::to_array<std::string_view>({"DTSTART", "DTEND", "DURATION"});
constexpr auto kRecurrence = std::to_array<std::string_view>({"RRULE", "RDATE", "EXDATE"});
constexpr auto kShowing = std::to_array<std::string_view>({"TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"});

/// In upper case.
std::string name_of(std::string_view line) {
    std::string name(line.substr(0, line.find_first_of(":;")));
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    return name;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (end > 0) lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// The lines of one VEVENT: its own, and those of each component inside it together.
struct Block {
    explicit Block(std::string_view text) {
        std::size_t depth = 0;
        for (const auto line : lines_of(text)) {
            if (name_of(line) == "END" && --depth <= 1) {
                if (depth == 1) parts.back().push_back(line);
                continue;
            }
            if (name_of(line) == "BEGIN" && ++depth <= 2) {
                if (depth == 2) parts.push_back({line});
                continue;
            }
            (depth >= 2 ? parts.back() : own).push_back(line);
        }
    }
    [[nodiscard]] bool has(std::string_view name) const {
        return std::ranges::any_of(own, [&](auto line) { return name_of(line) == name; });
    }
    std::vector<std::string_view> own;
    std::vector<std::vector<std::string_view>> parts;
};

/// The stored text, cut, and the event that each of its VEVENTs means.
struct Stored {
    explicit Stored(std::string_view raw) : text(clean(raw).text), chunks(cut(text)) {}
    Stored(const Stored&) = delete;
    Stored& operator=(const Stored&) = delete;

    /// Reads one VEVENT by itself, in the file's zones.
    [[nodiscard]] Result<Event> event_of(const Chunk& wanted) const {
        std::string alone = "BEGIN:VCALENDAR\n";
        for (const auto& chunk : chunks)
            if (chunk.kind == Chunk::Kind::zone || chunk.kind == Chunk::Kind::property ||
                chunk.text.data() == wanted.text.data())
                alone.append(chunk.text) += '\n';
        auto calendar = read_icalendar(alone + "END:VCALENDAR\n");
        if (!calendar) return fail(calendar.error());
        if (calendar->events.empty())
            return fail(ErrorCode::invalid, "The stored event cannot be read.");
        return std::move(calendar->events.front());
    }

    std::string text;
    std::vector<Chunk> chunks;
};

/// What the event would be written as, without the names that it has elsewhere.
Event without_names(Event event, const Event& before) {
    event.uid = before.uid;
    event.id = before.id;
    event.series_id = before.series_id;
    event.etag.clear();
    event.organizer = before.organizer;
    event.attendees = before.attendees;
    event.is_organizer = before.is_organizer;
    event.created = before.created;
    event.extra = before.extra;
    event.sequence = std::max(event.sequence, before.sequence);
    if (!event.reminders) event.reminders = before.reminders;
    return event;
}

/// Replaces the lines of what differs.
class Editor {
  public:
    Editor(std::string_view stored, const Event& before, const Event& after,
           std::string_view written)
        : block_(stored), new_(written), before_(before), after_(after) {}

    std::string run() {
        mark(&Event::title, std::array<std::string_view, 1>{"SUMMARY"});
        mark(&Event::description, kDescribed);
        mark(&Event::location, std::array<std::string_view, 1>{"LOCATION"});
        mark(&Event::url, std::array<std::string_view, 1>{"URL"});
        mark(&Event::visibility, std::array<std::string_view, 1>{"CLASS"});
        mark(&Event::status, std::array<std::string_view, 1>{"STATUS"});
        mark(&Event::busy, kShowing);
        mark(&Event::categories, std::array<std::string_view, 1>{"CATEGORIES"});
        mark(&Event::sequence, std::array<std::string_view, 1>{"SEQUENCE"});
        mark(&Event::start, kTimes);
        mark(&Event::finish, kTimes);
        mark(&Event::recurrence, kRecurrence);
        replaced_.push_back("X-CALHOST-EVENT");
        if (after_.updated != before_.updated)
            replaced_.insert(replaced_.end(), {"DTSTAMP", "LAST-MODIFIED"});
        return write();
    }

  private:
    template <class Field>
    void mark(Field field, std::span<const std::string_view> names) {
        if (before_.*field != after_.*field)
            replaced_.insert(replaced_.end(), names.begin(), names.end());
    }

    [[nodiscard]] bool is_replaced(std::string_view line) const {
        return std::ranges::find(replaced_, name_of(line)) != replaced_.end();
    }

    /// One that the model holds; the others are not ours to touch.
    [[nodiscard]] static bool is_reminder(const std::vector<std::string_view>& part) {
        const auto says = [&](std::string_view name, std::string_view word) {
            return std::ranges::any_of(part, [&](auto line) {
                return name_of(line) == name && line.find(word) != std::string_view::npos;
            });
        };
        return part.front().ends_with("VALARM") && !says("TRIGGER", "RELATED=END") &&
               (says("ACTION", "DISPLAY") || says("ACTION", "AUDIO") || says("ACTION", "EMAIL"));
    }

    std::string write() {
        std::string out;
        append_line(out, "BEGIN:VEVENT");
        for (const auto line : block_.own)
            if (!is_replaced(line)) append_line(out, line);
        for (const auto line : new_.own)
            if (is_replaced(line)) append_line(out, line);
        const bool has_new_alarms = before_.reminders != after_.reminders;
        for (const auto& part : block_.parts)
            if (!has_new_alarms || !is_reminder(part)) append_part(out, part);
        if (has_new_alarms)
            for (const auto& part : new_.parts) append_part(out, part);
        append_line(out, "END:VEVENT");
        return out;
    }

    static void append_part(std::string& out, const std::vector<std::string_view>& part) {
        for (const auto line : part) append_line(out, line);
    }

    Block block_;
    Block new_;
    const Event& before_;
    const Event& after_;
    std::vector<std::string_view> replaced_;
};

/// A freshly written calendar of one event, cut.
struct Written {
    explicit Written(const Event& event)
        : text(clean(write_icalendar({.events = {event}})).text), chunks(cut(text)) {}
    Written(const Written&) = delete;
    Written& operator=(const Written&) = delete;

    [[nodiscard]] std::string_view event() const {
        for (const auto& chunk : chunks)
            if (chunk.kind == Chunk::Kind::event) return chunk.text;
        return {};
    }
    std::string text;
    std::vector<Chunk> chunks;
};

std::string_view tzid_of(const Chunk& zone) {
    for (const auto line : lines_of(zone.text))
        if (name_of(line) == "TZID") return line;
    return {};
}

/// Whether the event's lines name the zone ("TZID:Europe/Berlin"). Folds may hide a name.
bool is_used(const Chunk& zone, std::string_view event) {
    const auto name = "TZID=" + std::string(tzid_of(zone).substr(5)) + ":";
    return clean(event).text.find(name) != std::string::npos;
}

bool has_zone(const Stored& stored, const Chunk& zone) {
    return std::ranges::any_of(stored.chunks, [&](const Chunk& chunk) {
        return chunk.kind == Chunk::Kind::zone && tzid_of(chunk) == tzid_of(zone);
    });
}

void append_all(std::string& out, std::string_view text) {
    for (const auto line : lines_of(text)) append_line(out, line);
}

/// The stored text with `chunk` replaced by `event` (already folded), or with `event` added after
/// it, and with the zones of `written` that are missing put before the events. An empty `event`
/// takes the chunk out.
std::string rebuild(const Stored& stored, const Chunk& chunk, std::string_view event,
                    const Written* written, bool is_added) {
    const auto first = std::ranges::find(stored.chunks, Chunk::Kind::event, &Chunk::kind);
    const auto place = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - stored.text.data());
    };
    const std::string_view text = stored.text;
    const auto zones_at = place(first->text);
    const auto begin = place(chunk.text);
    const auto end = begin + chunk.text.size();
    std::string out;
    append_all(out, text.substr(0, zones_at));
    if (written != nullptr)
        for (const auto& zone : written->chunks)
            if (zone.kind == Chunk::Kind::zone && is_used(zone, event) && !has_zone(stored, zone))
                append_all(out, zone.text);
    append_all(out, text.substr(zones_at, (is_added ? end : begin) - zones_at));
    out += event;
    append_all(out, text.substr(end));
    return out;
}

std::unexpected<Error> missing() {
    return fail(ErrorCode::not_found, "The stored text does not hold this event.");
}

/// The VEVENT of the series or single event, or of the override for `slot`; nullptr for none.
const Chunk* find_event(const Stored& stored, const std::optional<EventTime>& slot) {
    for (const auto& chunk : stored.chunks) {
        if (chunk.kind != Chunk::Kind::event) continue;
        if (Block(chunk.text).has("RECURRENCE-ID") != slot.has_value()) continue;
        if (!slot) return &chunk;
        const auto event = stored.event_of(chunk);
        if (event && event->recurrence_id && event->recurrence_id->instant == slot->instant)
            return &chunk;
    }
    return nullptr;
}

}  // namespace

Result<std::string> update_icalendar(std::string_view raw, const Event& event) {
    if (auto known = read_icalendar(raw); !known) return fail(known.error());
    const Stored stored(raw);
    const auto* found = find_event(stored, event.recurrence_id);
    if (found != nullptr) {
        const auto before = stored.event_of(*found);
        if (!before) return fail(before.error());
        const auto after = without_names(event, *before);
        const Written written(after);
        const auto edited = Editor(found->text, *before, after, written.event()).run();
        return rebuild(stored, *found, edited, &written, false);
    }
    const auto* series = event.is_override() ? find_event(stored, std::nullopt) : nullptr;
    if (series == nullptr) return missing();
    const auto master = stored.event_of(*series);
    if (!master) return fail(master.error());
    auto added = event;
    added.uid = added.series_id = master->uid;
    added.id = occurrence_id(master->uid, *event.recurrence_id);
    added.etag.clear();
    const Written written(added);
    std::string text;
    append_all(text, written.event());
    return rebuild(stored, *series, text, &written, true);
}

Result<std::string> exclude_occurrence(std::string_view raw, const EventTime& slot, Timestamp now) {
    if (auto known = read_icalendar(raw); !known) return fail(known.error());
    std::string text(raw);
    const Stored stored(raw);
    const auto* series = find_event(stored, std::nullopt);
    if (series != nullptr) {
        auto event = stored.event_of(*series);
        if (!event) return fail(event.error());
        if (!event->recurrence) return missing();
        event->updated = now;
        auto& excluded = event->recurrence->exdate;
        if (std::ranges::find(excluded, slot.instant, &EventTime::instant) == excluded.end())
            excluded.push_back(slot);
        auto updated = update_icalendar(raw, *event);
        if (!updated) return updated;
        text = std::move(*updated);
    }
    const Stored again(text);
    const auto* changed = find_event(again, slot);
    if (changed != nullptr) return rebuild(again, *changed, "", nullptr, false);
    if (series == nullptr) return missing();
    return text;
}

}  // namespace calhost::calendar
