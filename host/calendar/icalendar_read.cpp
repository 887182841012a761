#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "calendar/foreign_zone.h"
#include "calendar/ical_alarm.h"
#include "calendar/ical_component.h"
#include "calendar/ical_values.h"
#include "calendar/icalendar.h"
#include "calendar/icalendar_text.h"
#include "calendar/recurrence.h"
#include "calendar/rule.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

constexpr std::size_t kMaxText = 50UL * 1024 * 1024;
constexpr std::size_t kMaxWarnings = 100;
/// Looking for a date that a zone's rule never gives is slow; no real file has such a rule.
constexpr int kMaxEmptyRules = 3;

std::string mail_of(std::string_view address) {
    if (address.size() > 7 &&
        (address.substr(0, 7) == "mailto:" || address.substr(0, 7) == "MAILTO:"))
        address.remove_prefix(7);
    return std::string(address);
}

template <std::size_t Count>
std::string word_of(std::string_view text,
                    const std::pair<std::string_view, std::string_view> (&words)[Count],
                    std::string_view otherwise) {
    for (const auto& [ical, ours] : words)
        if (ical == text) return std::string(ours);
    return std::string(otherwise);
}

/// Reads one file. What a zone's name means is worked out once for all events.
class Reader {
  public:
    Calendar read(std::string_view raw);

  private:
    void warn(std::string text);
    void read_property(std::string_view line);
    void read_zone(std::string_view text);
    Result<Event> read_event(std::string_view text);
    void keep(Event event);

    Result<EventTime> time_of(const Property& property);
    Result<EventTime> time_of(std::string_view text, const std::string& tzid);
    const ZoneMeaning& meaning(const std::string& tzid);
    Result<void> read_times(const Component& component, Event& event);
    void read_recurrence(const Component& component, Event& event);
    void read_dates(const Property& property, std::vector<EventTime>& into);
    void read_words(const Component& component, Event& event);
    void read_people(const Component& component, Event& event);
    void read_alarms(const Component& component, Event& event);
    void read_rest(const Component& component, Event& event);

    Calendar calendar_;
    bool is_cancelled_ = false;  ///< METHOD:CANCEL
    int empty_rules_ = 0;
    bool has_rule_zone_ = false;  ///< the event at hand used a zone that only has rules
    std::unordered_map<std::string, ForeignZone> zones_;
    std::unordered_map<std::string, ZoneMeaning> meanings_;
    std::unordered_map<std::string, std::size_t> seen_;
};

void Reader::warn(std::string text) {
    if (calendar_.warnings.size() < kMaxWarnings) calendar_.warnings.push_back(std::move(text));
}

Calendar Reader::read(std::string_view raw) {
    const auto text = clean(raw);
    if (text.is_converted) warn("The text is not UTF-8; it has been read as Windows-1252.");
    const auto chunks = cut(text.text);
    // Zones and the calendar's own zone may stand behind the events that need them.
    for (const auto& chunk : chunks) {
        if (chunk.kind == Chunk::Kind::zone) read_zone(chunk.text);
        if (chunk.kind == Chunk::Kind::property) read_property(chunk.text);
        if (chunk.kind == Chunk::Kind::broken)
            warn("An event or zone was left out: it does not end where it should.");
    }
    for (const auto& chunk : chunks) {
        if (chunk.kind != Chunk::Kind::event) continue;
        auto event = read_event(chunk.text);
        if (event)
            keep(std::move(*event));
        else
            warn("An event was left out: " + event.error().message + ".");
    }
    return std::move(calendar_);
}

void Reader::read_property(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const auto name = line.substr(0, line.find_first_of(":;"));
    const auto value = line.substr(colon + 1);
    if (name == "X-WR-CALNAME" && calendar_.name.empty()) calendar_.name = unescape(value);
    if (name == "X-WR-TIMEZONE" && calendar_.zone.empty()) calendar_.zone = zone_by_name(value);
    if (name == "METHOD" && value == "CANCEL") is_cancelled_ = true;
}

void Reader::read_zone(std::string_view text) {
    const auto component = Component::parse(text);
    if (!component) return;
    ForeignZone zone;
    zone.tzid = component->text("TZID");
    zone.location = component->text("X-LIC-LOCATION");
    for (const auto& part : component->children()) {
        const auto start = parse_basic(part.text("DTSTART"));
        const auto before = parse_offset(part.text("TZOFFSETFROM"));
        const auto after = parse_offset(part.text("TZOFFSETTO"));
        if (!start || !before || !after || zone.observances.size() == 500) continue;
        Observance observance{*before, *after, {start->local}};
        for (const auto& property : part.properties())
            if (property.name == "RDATE")
                if (const auto date = parse_basic(property.value))
                    observance.onsets.push_back(date->local);
        if (auto rule = parse_rule(part.text("RRULE")); rule && empty_rules_ < kMaxEmptyRules)
            if (!observance.add_rule(*rule, start->local)) ++empty_rules_;
        std::ranges::sort(observance.onsets);
        zone.observances.push_back(std::move(observance));
    }
    auto tzid = zone.tzid;
    zones_.try_emplace(std::move(tzid), std::move(zone));
}

const ZoneMeaning& Reader::meaning(const std::string& tzid) {
    const auto [found, is_new] = meanings_.try_emplace(tzid);
    if (!is_new) return found->second;
    if (const auto zone = zones_.find(tzid); zone != zones_.end())
        found->second = meaning_of(zone->second);
    else
        found->second.iana = zone_by_name(tzid);
    if (found->second.iana.empty() &&
        (found->second.rules == nullptr || found->second.rules->observances.empty())) {
        found->second = {calendar_.zone.empty() ? "Etc/UTC" : calendar_.zone, nullptr};
        warn(fmt::format("The time zone '{}' is not known; its times are read in {}.",
                         tzid.substr(0, 60), found->second.iana));
    }
    return found->second;
}

Result<EventTime> Reader::time_of(std::string_view text, const std::string& tzid) {
    const auto basic = parse_basic(text);
    if (!basic)
        return fail(ErrorCode::invalid, fmt::format("'{}' is not a time", text.substr(0, 40)));
    if (basic->is_date) return make_date(Date(floor<days>(basic->local)));
    if (basic->is_utc) return make_local(basic->local, "Etc/UTC");
    if (tzid.empty())
        return make_local(basic->local, calendar_.zone.empty() ? "Etc/UTC" : calendar_.zone);
    const auto& zone = meaning(tzid);
    if (!zone.iana.empty()) return make_local(basic->local, zone.iana);
    has_rule_zone_ = true;
    return make_instant(to_instant(basic->local, *zone.rules));
}

Result<EventTime> Reader::time_of(const Property& property) {
    return time_of(property.value, property.parameter("TZID"));
}

/// What follows DTSTART by a duration: whole days by date, the rest exactly.
Result<EventTime> later(const EventTime& start, seconds duration) {
    if (start.is_date)
        return make_date(
            Date(local_days(start.date) + std::max(days(1), duration_cast<days>(duration))));
    // "P1D" is the same wall clock on the next day, "PT24H" is not (RFC 5545 section 3.3.6); both
    // arrive here as seconds, and whole days mean the first almost always.
    if (duration % days(1) == seconds(0)) return make_local(start.local + duration, start.zone);
    return make_instant(start.instant + duration, start.zone);
}

Result<void> Reader::read_times(const Component& component, Event& event) {
    const auto* start = component.find("DTSTART");
    if (start == nullptr) return fail(ErrorCode::invalid, "it has no start");
    auto begin = time_of(*start);
    if (!begin) return fail(begin.error());
    event.start = std::move(*begin);
    auto finish = later(event.start, seconds(0));
    if (const auto* end = component.find("DTEND"); end != nullptr)
        finish = time_of(*end);
    else if (const auto length = parse_duration(component.text("DURATION")))
        finish = later(event.start, *length);
    if (!finish) return fail(finish.error());
    event.finish = std::move(*finish);
    // Several programs give a whole day the end it begins with.
    if (event.start.is_date && event.finish.is_date && event.finish.date <= event.start.date)
        event.finish = later(event.start, days(1)).value();
    if (event.start.is_date != event.finish.is_date || event.finish.instant < event.start.instant) {
        warn(fmt::format("The end of '{}' does not fit its start and was left out.", event.title));
        event.finish = later(event.start, seconds(0)).value();
    }
    return {};
}

void Reader::read_dates(const Property& property, std::vector<EventTime>& into) {
    const std::string_view text = property.value;
    if (auto time = time_of(text.substr(0, text.find('/')), property.parameter("TZID")))
        into.push_back(std::move(*time));
    else
        warn("A date of a series was left out: " + time.error().message + ".");
}

void Reader::read_recurrence(const Component& component, Event& event) {
    Recurrence recurrence;
    for (const auto& property : component.properties()) {
        if (property.name == "RDATE") read_dates(property, recurrence.rdate);
        // A PERIOD's start is its date; its length has no place in the model.
        if (property.name == "RDATE" && property.value.contains('/'))
            warn(
                fmt::format("A date of '{}' has a length of its own, which was left out: it is as "
                            "long as the series.",
                            event.title));
        if (property.name == "EXDATE") read_dates(property, recurrence.exdate);
        if (property.name != "RRULE") continue;
        if (!recurrence.rrule.empty())
            warn(fmt::format("'{}' has a second rule, which was left out.", event.title));
        else if (auto ok = check_rrule(property.value); ok)
            recurrence.rrule = property.value;
        else
            warn(
                fmt::format("'{}' is kept without its rule: {}.", event.title, ok.error().message));
    }
    if (event.is_override() || (recurrence.rrule.empty() && recurrence.rdate.empty())) return;
    event.recurrence = std::move(recurrence);
    if (has_rule_zone_)
        warn(fmt::format("The time zone of the series '{}' is no known one; it recurs in UTC.",
                         event.title));
}

void Reader::read_words(const Component& component, Event& event) {
    static constexpr std::pair<std::string_view, std::string_view> states[] = {
        {"TENTATIVE", "tentative"}, {"CANCELLED", "cancelled"}};
    static constexpr std::pair<std::string_view, std::string_view> classes[] = {
        {"PUBLIC", "public"}, {"PRIVATE", "private"}, {"CONFIDENTIAL", "confidential"}};
    static constexpr std::pair<std::string_view, std::string_view> showings[] = {
        {"FREE", "free"},
        {"TENTATIVE", "tentative"},
        {"OOF", "oof"},
        {"WORKINGELSEWHERE", "elsewhere"}};
    event.status = word_of(component.text("STATUS"), states, "confirmed");
    if (is_cancelled_) event.status = "cancelled";
    event.visibility = word_of(component.text("CLASS"), classes, "default");
    event.busy = word_of(component.text("X-MICROSOFT-CDO-BUSYSTATUS"), showings, "busy");
    if (component.text("TRANSP") == "TRANSPARENT") event.busy = "free";
    for (const auto& property : component.properties()) {
        if (property.name == "CATEGORIES" && !property.value.empty())
            event.categories.push_back(property.value);
        if (const auto mark = mark_of_property(property.name); !mark.empty())
            event.marks[mark] = property.value;
    }
    const auto sequence = component.text("SEQUENCE");
    std::from_chars(sequence.data(), sequence.data() + sequence.size(), event.sequence);
    const auto moment = [&](const char* name) -> std::optional<Timestamp> {
        const auto when = parse_basic(component.text(name));
        if (!when) return std::nullopt;
        return Timestamp(when->local.time_since_epoch());
    };
    event.created = moment("CREATED");
    event.updated = moment("LAST-MODIFIED");
}

void Reader::read_people(const Component& component, Event& event) {
    static constexpr std::pair<std::string_view, std::string_view> roles[] = {
        {"REQ-PARTICIPANT", "required"},
        {"CHAIR", "required"},
        {"OPT-PARTICIPANT", "optional"},
        {"NON-PARTICIPANT", "optional"}};
    static constexpr std::pair<std::string_view, std::string_view> responses[] = {
        {"NEEDS-ACTION", "needs_action"},
        {"DECLINED", "declined"},
        {"TENTATIVE", "tentative"},
        {"ACCEPTED", "accepted"}};
    for (const auto& property : component.properties()) {
        if (property.name == "ORGANIZER") event.organizer = mail_of(property.value);
        if (property.name != "ATTENDEE") continue;
        Attendee person{.email = mail_of(property.value),
                        .name = property.parameter("CN"),
                        .role = word_of(property.parameter("ROLE"), roles, ""),
                        .response = word_of(property.parameter("PARTSTAT"), responses, ""),
                        .is_self = false};
        const auto kind = property.parameter("CUTYPE");
        if (kind == "RESOURCE" || kind == "ROOM") person.role = "resource";
        event.attendees.push_back(std::move(person));
    }
}

void Reader::read_alarms(const Component& component, Event& event) {
    for (const auto& alarm : component.children())
        if (const auto reminder = reminder_of(alarm, event.start)) {
            if (!event.reminders) event.reminders.emplace();
            event.reminders->push_back(*reminder);
        }
}

/// What write_icalendar put into its own property. Times only count if they agree with themselves.
void Reader::read_rest(const Component& component, Event& event) {
    const auto text = component.text("X-CALHOST-EVENT");
    if (text.empty()) return;
    auto whole = event;
    if (!read_json_text(whole, text)) return;
    for (const auto* time : {&whole.start, &whole.finish})
        if (!time->is_date && to_local(time->instant, time->zone) != time->local) return;
    event = std::move(whole);
}

Result<Event> Reader::read_event(std::string_view text) {
    const auto component = Component::parse(text);
    if (!component) return fail(ErrorCode::invalid, "it cannot be read");
    has_rule_zone_ = false;
    Event event;
    event.title = component->text("SUMMARY");
    event.description = component->text("DESCRIPTION");
    event.location = component->text("LOCATION");
    event.url = component->text("URL");
    event.uid = component->text("UID");
    if (auto ok = read_times(*component, event); !ok) return fail(ok.error());
    if (const auto* slot = component->find("RECURRENCE-ID"); slot != nullptr) {
        auto original = time_of(*slot);
        if (!original) return fail(original.error());
        event.recurrence_id = std::move(*original);
        event.is_this_and_future = slot->parameter("RANGE") == "THISANDFUTURE";
    }
    read_recurrence(*component, event);
    read_words(*component, event);
    read_people(*component, event);
    read_alarms(*component, event);
    if (event.uid.empty()) event.uid = content_hash(event);
    event.id = event.is_override() ? occurrence_id(event.uid, *event.recurrence_id) : event.uid;
    if (event.is_override()) event.series_id = event.uid;
    read_rest(*component, event);
    if (auto ok = check_event(event); !ok) return fail(ok.error());
    return event;
}

/// Of several with one UID and slot the highest SEQUENCE counts, of equal ones the last.
void Reader::keep(Event event) {
    const auto key =
        event.is_override() ? occurrence_id(event.uid, *event.recurrence_id) : event.uid;
    const auto [found, is_new] = seen_.try_emplace(key, calendar_.events.size());
    if (is_new) {
        calendar_.events.push_back(std::move(event));
        return;
    }
    warn(fmt::format("The event '{}' stands there more than once; its latest form is kept.",
                     event.title));
    auto& known = calendar_.events[found->second];
    if (event.sequence >= known.sequence) known = std::move(event);
}

}  // namespace

Result<Calendar> read_icalendar(std::string_view text) {
    if (text.size() > kMaxText)
        return fail(ErrorCode::invalid, "the calendar is larger than 50 MiB");
    const auto begin =
        std::ranges::search(text, std::string_view("BEGIN:VCALENDAR"), {},
                            [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    if (begin.empty())
        return fail(ErrorCode::invalid, "this is no iCalendar: there is no BEGIN:VCALENDAR");
    return Reader().read(text);
}

}  // namespace calhost::calendar
