#include <algorithm>

#include "calendar/ical_alarm.h"
#include "calendar/ical_values.h"
#include "calendar/icalendar.h"
#include "calendar/icalendar_text.h"
#include "calendar/recurrence.h"

namespace calhost::calendar {
namespace {

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

/// Guests are the owner's affair: in somebody else's meeting they stay as they are, and a meeting
/// needs an organizer (RFC 5545 section 3.8.4.1).
void invite(Event& event, const Event& before, std::string_view owner) {
    const bool is_owners = before.organizer.empty() || before.organizer == owner;
    event.is_organizer = before.is_organizer;
    event.organizer = before.organizer;
    if (event.sets_attendees && is_owners && !owner.empty())
        event.organizer = event.attendees.empty() ? "" : std::string(owner);
    else
        event.attendees = before.attendees;
}

/// What the event would be written as, with what stays as it is in `before`.
Event without_names(Event event, const Event& before, std::string_view owner) {
    const bool is_moved = event.start != before.start || event.finish != before.finish ||
                          event.recurrence != before.recurrence;
    event.uid = before.uid;
    event.id = before.id;
    event.series_id = before.series_id;
    event.recurrence_id = before.recurrence_id;
    event.is_this_and_future = before.is_this_and_future;
    event.etag.clear();
    invite(event, before, owner);
    event.created = before.created;
    event.extra = before.extra;
    event.sequence = std::max(event.sequence, before.sequence + (is_moved ? 1 : 0));
    if (!event.reminders) event.reminders = before.reminders;
    if (event.categories.empty()) event.categories = before.categories;
    if (event.color.empty()) event.color = before.color;
    event.marks.insert(before.marks.begin(), before.marks.end());
    return event;
}

using Part = std::vector<std::string_view>;

std::optional<Reminder> reminder_in(const Part& part, const EventTime& start) {
    std::string text;
    for (const auto line : part) text.append(line) += '\n';
    const auto alarm = Component::parse(text);
    return alarm ? reminder_of(*alarm, start) : std::nullopt;
}

/// Replaces the lines of what differs.
class Editor {
  public:
    /// What the stored lines are to become.
    enum class Becomes { same, other_slot };

    Editor(std::string_view stored, const Event& before, const Event& after,
           std::string_view written, Becomes becomes = Becomes::same)
        : block_(stored), new_(written), before_(before), after_(after) {
        if (becomes == Becomes::other_slot)
            replace({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"});
    }

    std::string run() {
        mark(&Event::title, {"SUMMARY"});
        mark(&Event::description, {"DESCRIPTION", "X-ALT-DESC"});
        mark(&Event::location, {"LOCATION"});
        mark(&Event::url, {"URL"});
        mark(&Event::visibility, {"CLASS"});
        mark(&Event::status, {"STATUS"});
        mark(&Event::busy, {"TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"});
        mark(&Event::categories, {"CATEGORIES"});
        mark(&Event::sequence, {"SEQUENCE"});
        mark(&Event::start, {"DTSTART", "DTEND", "DURATION"});
        mark(&Event::finish, {"DTSTART", "DTEND", "DURATION"});
        mark(&Event::attendees, {"ATTENDEE", "ORGANIZER"});
        mark_recurrence();
        for (const auto& [name, text] : after_.marks)
            if (const auto known = before_.marks.find(name);
                known == before_.marks.end() || known->second != text)
                replaced_.push_back(property_of_mark(name));
        replaced_.emplace_back("X-CALHOST-EVENT");
        if (after_.updated != before_.updated) replace({"DTSTAMP", "LAST-MODIFIED"});
        return write();
    }

  private:
    using Names = std::initializer_list<const char*>;

    void replace(Names names) { replaced_.insert(replaced_.end(), names.begin(), names.end()); }

    template <class Field>
    void mark(Field field, Names names) {
        if (before_.*field != after_.*field) replace(names);
    }

    void mark_recurrence() {
        const auto old = before_.recurrence.value_or(Recurrence());
        const auto wanted = after_.recurrence.value_or(Recurrence());
        if (old.rrule != wanted.rrule) replace({"RRULE"});
        if (old.rdate != wanted.rdate) replace({"RDATE"});
        if (old.exdate != wanted.exdate) replace({"EXDATE"});
    }

    [[nodiscard]] bool is_replaced(std::string_view line) const {
        return std::ranges::find(replaced_, name_of(line)) != replaced_.end();
    }

    std::string write() const {
        std::string out;
        append_line(out, "BEGIN:VEVENT");
        for (const auto line : block_.own)
            if (!is_replaced(line)) append_line(out, line);
        for (const auto line : new_.own)
            if (is_replaced(line)) append_line(out, line);
        write_alarms(out);
        append_line(out, "END:VEVENT");
        return out;
    }

    /// Ours that are not wanted any more go; those of other programs stay.
    void write_alarms(std::string& out) const {
        const bool has_new_ones = before_.reminders != after_.reminders;
        auto missing = after_.reminders.value_or(std::vector<Reminder>());
        const auto take = [&](const std::optional<Reminder>& reminder) {
            const auto found = reminder ? std::ranges::find(missing, *reminder) : missing.end();
            if (found == missing.end()) return false;
            missing.erase(found);
            return true;
        };
        for (const auto& part : block_.parts) {
            const bool is_wanted = take(reminder_in(part, before_.start));
            const bool is_ours = std::ranges::any_of(
                part, [](auto line) { return name_of(line) == "X-CALHOST-ALARM"; });
            if (!has_new_ones || is_wanted || !is_ours) append_part(out, part);
        }
        if (!has_new_ones) return;
        for (const auto& part : new_.parts)
            if (take(reminder_in(part, after_.start))) append_part(out, part);
    }

    static void append_part(std::string& out, const Part& part) {
        for (const auto line : part) append_line(out, line);
    }

    Block block_;
    Block new_;
    const Event& before_;
    const Event& after_;
    std::vector<std::string> replaced_;
};

/// A freshly written calendar of one event, cut.
struct Written {
    Written(const Event& event, std::string_view owner)
        : text(clean(write_icalendar({.events = {event}, .owner = std::string(owner)})).text),
          chunks(cut(text)) {}
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

enum class Place { instead, after };

/// The stored text with `event` (already folded) instead of `chunk` or after it, and with the zones
/// of `written` that are missing put before the events. An empty `event` takes the chunk out.
std::string rebuild(const Stored& stored, const Chunk& chunk, std::string_view event,
                    const Written* written, Place place) {
    const auto first = std::ranges::find(stored.chunks, Chunk::Kind::event, &Chunk::kind);
    const auto position = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - stored.text.data());
    };
    const std::string_view text = stored.text;
    const auto zones_at = position(first->text);
    const auto begin = position(chunk.text);
    const auto end = begin + chunk.text.size();
    std::string out;
    append_all(out, text.substr(0, zones_at));
    if (written != nullptr)
        for (const auto& zone : written->chunks)
            if (zone.kind == Chunk::Kind::zone && is_used(zone, event) && !has_zone(stored, zone))
                append_all(out, zone.text);
    append_all(out, text.substr(zones_at, (place == Place::after ? end : begin) - zones_at));
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

/// An override of a slot that the series does not have any more stands for nothing.
std::string without_orphans(const std::string& raw, const Event& series) {
    const Stored stored(raw);
    const std::string_view text = stored.text;
    std::string out;
    std::size_t kept = 0;
    for (const auto& chunk : stored.chunks) {
        if (chunk.kind != Chunk::Kind::event || !Block(chunk.text).has("RECURRENCE-ID")) continue;
        const auto event = stored.event_of(chunk);
        if (!event || !event->recurrence_id || find_occurrence({series}, *event->recurrence_id))
            continue;
        const auto begin = static_cast<std::size_t>(chunk.text.data() - text.data());
        append_all(out, text.substr(kept, begin - kept));
        kept = begin + chunk.text.size();
    }
    if (kept == 0) return raw;
    append_all(out, text.substr(kept));
    return out;
}

bool has_slot(const std::vector<EventTime>& times, const EventTime& slot) {
    return std::ranges::find(times, slot.instant, &EventTime::instant) != times.end();
}

/// The override of one occurrence, made from what stands there for it, or from the override of this
/// and all later occurrences that is there for the one before.
std::string move_to_slot(const Stored& stored, const Chunk& shape, const Event& before,
                         const Event& after, std::string_view owner, Place place) {
    const Written written(after, owner);
    const auto text =
        Editor(shape.text, before, after, written.event(), Editor::Becomes::other_slot).run();
    return rebuild(stored, shape, text, &written, place);
}

Result<std::string> add_override(const Stored& stored, const std::vector<Event>& rows,
                                 const Event& event, std::string_view owner) {
    const auto found = find_occurrence(rows, *event.recurrence_id);
    if (!found) return missing();
    const auto* shape = find_event(stored, rows[found->shape].recurrence_id);
    if (shape == nullptr) return missing();
    auto after = without_names(event, found->event, owner);
    after.is_this_and_future = event.is_this_and_future;
    return move_to_slot(stored, *shape, found->event, after, owner, Place::after);
}

/// The text without the override. One of this and all later occurrences goes on at the next.
Result<std::string> remove_override(const Stored& stored, const Chunk& chunk,
                                    const std::vector<Event>& rows, Timestamp now) {
    const auto before = stored.event_of(chunk);
    if (!before) return fail(before.error());
    const auto next = before->is_this_and_future ? next_like(rows, *before->recurrence_id)
                                                 : std::optional<EventTime>();
    if (!next) return rebuild(stored, chunk, "", nullptr, Place::instead);
    auto after = find_occurrence(rows, *next);
    if (!after) return fail(after.error());
    after->event.is_this_and_future = true;
    after->event.updated = now;
    return move_to_slot(stored, chunk, *before, after->event, "", Place::instead);
}

}  // namespace

Result<std::string> update_icalendar(std::string_view raw, const Event& event,
                                     std::string_view owner) {
    const auto known = read_icalendar(raw);
    if (!known) return fail(known.error());
    const Stored stored(raw);
    if (const auto* found = find_event(stored, event.recurrence_id); found != nullptr) {
        const auto before = stored.event_of(*found);
        if (!before) return fail(before.error());
        const auto after = without_names(event, *before, owner);
        const Written written(after, owner);
        const auto edited = Editor(found->text, *before, after, written.event()).run();
        auto text = rebuild(stored, *found, edited, &written, Place::instead);
        const auto rule_of = [](const Event& row) {
            return row.recurrence ? row.recurrence->rrule : std::string();
        };
        const bool has_other_slots = before->is_series() && (before->start != after.start ||
                                                             rule_of(*before) != rule_of(after));
        return has_other_slots ? without_orphans(text, after) : text;
    }
    const auto* series = event.is_override() ? find_event(stored, std::nullopt) : nullptr;
    if (series == nullptr) return missing();
    auto master = stored.event_of(*series);
    if (!master) return fail(master.error());
    if (!master->recurrence) return missing();
    if (!has_slot(master->recurrence->exdate, *event.recurrence_id))
        return add_override(stored, known->events, event, owner);
    // It was taken out and comes back.
    std::erase_if(master->recurrence->exdate, [&](const EventTime& time) {
        return time.instant == event.recurrence_id->instant;
    });
    const auto with_slot = update_icalendar(raw, *master);
    if (!with_slot) return with_slot;
    return update_icalendar(*with_slot, event, owner);
}

Result<std::string> exclude_occurrence(std::string_view raw, const EventTime& slot, Timestamp now) {
    auto known = read_icalendar(raw);
    if (!known) return fail(known.error());
    std::string text(raw);
    const Stored stored(raw);
    const auto* series = find_event(stored, std::nullopt);
    if (series != nullptr) {
        auto event = stored.event_of(*series);
        if (!event) return fail(event.error());
        if (!event->recurrence) return missing();
        auto& excluded = event->recurrence->exdate;
        if (!has_slot(excluded, slot)) {
            const auto found = find_occurrence(known->events, slot);
            if (!found) return missing();
            excluded.push_back(*found->event.recurrence_id);
            event->updated = now;
            auto updated = update_icalendar(raw, *event);
            if (!updated) return updated;
            text = std::move(*updated);
        }
    }
    const Stored again(text);
    if (const auto* changed = find_event(again, slot); changed != nullptr)
        return remove_override(again, *changed, known->events, now);
    if (series == nullptr) return missing();
    return text;
}

}  // namespace calhost::calendar
