#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <ranges>
#include <tuple>

#include "calendar/ical_values.h"
#include "calendar/icalendar.h"
#include "calendar/icalendar_text.h"
#include "calendar/recurrence.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

/// How far past its start a zone is described for a series that does not end.
constexpr auto kAhead = years(20);

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += "\\n";
        else if (c == '\\' || c == ';' || c == ',')
            (out += '\\') += c;
        else if (static_cast<unsigned char>(c) >= 0x20 || c == '\t')
            out += c;
    }
    return out;
}

/// An address or link, which has no escapes: nothing in it may end the line.
std::string one_line(std::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    return out;
}

std::optional<Timestamp> whole_seconds(std::optional<Timestamp> when) {
    if (when) when = floor<seconds>(*when);
    return when;
}

/// A parameter's value, quoted. A double quote cannot stand in one.
std::string quote(std::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char c) { return c == '"' || static_cast<unsigned char>(c) < 0x20; });
    return '"' + out + '"';
}

std::string basic(std::string text) {
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

std::string basic_utc(Timestamp when) {
    const auto since = floor<seconds>(when.time_since_epoch());
    return basic(format_local(local_seconds(since))) + 'Z';
}

/// Whether a wall clock with TZID says it all; the second time of a doubled hour has no such form.
bool is_plain(const EventTime& time) {
    return time.is_date ||
           (time.zone != "UTC" && to_instant(time.local, time.zone) == time.instant);
}

/// ";TZID=Europe/Berlin:20261120T090000" and the like.
std::string value_of(const EventTime& time) {
    if (time.is_date) return ";VALUE=DATE:" + basic(format_date(time.date));
    if (time.zone == "Etc/UTC" || !is_plain(time)) return ":" + basic_utc(time.instant);
    return fmt::format(";TZID={}:{}", time.zone, basic(format_local(time.local)));
}

std::string offset(seconds east) {
    const auto total = std::abs(east.count());
    auto text =
        fmt::format("{}{:02}{:02}", east.count() < 0 ? '-' : '+', total / 3600, total / 60 % 60);
    return total % 60 == 0 ? text : text + fmt::format("{:02}", total % 60);
}

// --- zones -----------------------------------------------------------------------------------

/// The zones in use, each with the time from the first event to the last.
using ZoneSpans = std::map<std::string, Window>;

void note_time(ZoneSpans& spans, const EventTime& time, Timestamp last) {
    if (time.is_date || time.zone == "Etc/UTC" || !is_plain(time)) return;
    const auto [found, is_new] = spans.try_emplace(time.zone, Window{time.instant, last});
    found->second.start = std::min(found->second.start, time.instant);
    found->second.finish = std::max(found->second.finish, last);
}

ZoneSpans zone_spans(const std::vector<Event>& events) {
    ZoneSpans spans;
    for (const auto& event : events) {
        const Timestamp last =
            event.is_series() ? event.finish.instant + kAhead : event.finish.instant;
        note_time(spans, event.start, last);
        note_time(spans, event.finish, last);
        if (event.recurrence_id) note_time(spans, *event.recurrence_id, last);
        if (!event.recurrence) continue;
        for (const auto& time : event.recurrence->rdate) note_time(spans, time, time.instant);
        for (const auto& time : event.recurrence->exdate) note_time(spans, time, time.instant);
    }
    return spans;
}

/// One part for each kind of change, its times as RDATEs: exact for every year that is needed.
void append_zone(std::string& out, const std::string& zone, Window span) {
    append_line(out, "BEGIN:VTIMEZONE");
    append_line(out, "TZID:" + zone);
    std::map<std::tuple<seconds, seconds, bool, std::string>, std::vector<local_seconds>> parts;
    for (const auto& change : transitions(zone, span.start - years(1), span.finish + years(1)))
        parts[{change.before, change.after, change.is_daylight, change.name}].push_back(
            change.local);
    for (const auto& [kind, times] : parts) {
        const auto& [before, after, is_daylight, name] = kind;
        const std::string part = is_daylight ? "DAYLIGHT" : "STANDARD";
        append_line(out, "BEGIN:" + part);
        append_line(out, "DTSTART:" + basic(format_local(times.front())));
        for (const auto time : times | std::views::drop(1))
            append_line(out, "RDATE:" + basic(format_local(time)));
        append_line(out, "TZOFFSETFROM:" + offset(before));
        append_line(out, "TZOFFSETTO:" + offset(after));
        append_line(out, "TZNAME:" + name);
        append_line(out, "END:" + part);
    }
    append_line(out, "END:VTIMEZONE");
}

// --- events ----------------------------------------------------------------------------------

void append_text(std::string& out, std::string_view name, std::string_view text) {
    if (!text.empty()) append_line(out, fmt::format("{}:{}", name, escape(text)));
}

void append_times(std::string& out, const Event& event) {
    append_line(out, "DTSTART" + value_of(event.start));
    append_line(out, "DTEND" + value_of(event.finish));
    if (event.recurrence_id)
        append_line(out, fmt::format("RECURRENCE-ID{}{}",
                                     event.is_this_and_future ? ";RANGE=THISANDFUTURE" : "",
                                     value_of(*event.recurrence_id)));
    if (!event.recurrence) return;
    if (!event.recurrence->rrule.empty()) append_line(out, "RRULE:" + event.recurrence->rrule);
    for (const auto& time : event.recurrence->rdate) append_line(out, "RDATE" + value_of(time));
    for (const auto& time : event.recurrence->exdate) append_line(out, "EXDATE" + value_of(time));
}

/// Tells the server not to send invitations by itself: the organizer's copy says it of each guest,
/// a guest's copy of the organizer. RFC 6638 section 7.1.
constexpr std::string_view kNoMail = ";SCHEDULE-AGENT=CLIENT";

void append_organizer(std::string& out, const Event& event) {
    if (event.organizer.empty()) return;
    append_line(out, fmt::format("ORGANIZER{}:mailto:{}", event.is_organizer ? "" : kNoMail,
                                 one_line(event.organizer)));
}

void append_attendee(std::string& out, const Attendee& person, bool is_organizer) {
    const std::pair<std::string_view, std::string_view> roles[] = {
        {"required", ";ROLE=REQ-PARTICIPANT"},
        {"optional", ";ROLE=OPT-PARTICIPANT"},
        {"resource", ";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT"}};
    const std::pair<std::string_view, std::string_view> responses[] = {
        {"needs_action", "NEEDS-ACTION"},
        {"declined", "DECLINED"},
        {"tentative", "TENTATIVE"},
        {"accepted", "ACCEPTED"}};
    std::string line = "ATTENDEE";
    if (!person.name.empty()) line += ";CN=" + quote(person.name);
    for (const auto& [word, text] : roles)
        if (person.role == word) line += text;
    for (const auto& [word, text] : responses)
        if (person.response == word) (line += ";PARTSTAT=") += text;
    if (is_organizer) line += kNoMail;
    append_line(out, line + ":mailto:" + one_line(person.email));
}

/// Whole days are the same time on an earlier day, whatever clocks do in between.
std::string trigger_of(const Reminder& reminder) {
    constexpr int kDay = 24 * 60;
    if (reminder.minutes > 0 && reminder.minutes % kDay == 0)
        return fmt::format("-P{}D", reminder.minutes / kDay);
    return fmt::format("-PT{}M", reminder.minutes);
}

void append_reminder(std::string& out, const Reminder& reminder, const Event& event,
                     std::string_view owner) {
    const auto title = escape(event.title.empty() ? "Reminder" : event.title);
    append_line(out, "BEGIN:VALARM");
    append_line(out, reminder.method == "email" ? "ACTION:EMAIL" : "ACTION:DISPLAY");
    append_line(out, "TRIGGER:" + trigger_of(reminder));
    append_line(out, "DESCRIPTION:" + title);
    if (reminder.method == "email") {
        append_line(out, "SUMMARY:" + title);
        const auto reader = owner.empty() ? std::string_view(event.organizer) : owner;
        if (!reader.empty()) append_line(out, "ATTENDEE:mailto:" + one_line(reader));
    }
    append_line(out, "X-CALHOST-ALARM:1");
    append_line(out, "END:VALARM");
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    });
}

bool is_plain(const Recurrence& recurrence) {
    const auto plain = [](const EventTime& time) { return is_plain(time); };
    return std::ranges::all_of(recurrence.rdate, plain) &&
           std::ranges::all_of(recurrence.exdate, plain);
}

/// Copies what iCalendar has no words for into an event that is empty otherwise.
Event rest_of(const Event& event) {
    Event rest;
    const auto usual =
        event.is_override() ? occurrence_id(event.uid, *event.recurrence_id) : event.uid;
    if (event.id != usual) rest.id = event.id;
    rest.etag = event.etag;
    if (event.series_id != (event.is_override() ? event.uid : "")) rest.series_id = event.series_id;
    for (const auto field : {&Event::title, &Event::description, &Event::location, &Event::url})
        if (has_control(event.*field)) rest.*field = event.*field;
    rest.description_format = event.description_format;
    rest.color = event.color;
    if (event.reminders && event.reminders->empty()) rest.reminders.emplace();
    if (event.recurrence && !is_plain(*event.recurrence)) rest.recurrence = event.recurrence;
    if (event.recurrence_id && !is_plain(*event.recurrence_id))
        rest.recurrence_id = event.recurrence_id;
    if (std::ranges::any_of(event.attendees, [](const Attendee& person) {
            return person.is_self || person.name.contains('"') || has_control(person.name);
        }))
        rest.attendees = event.attendees;
    rest.is_organizer = event.is_organizer;
    if (event.created != whole_seconds(event.created)) rest.created = event.created;
    if (event.updated != whole_seconds(event.updated)) rest.updated = event.updated;
    for (const auto& [mark, text] : event.marks)
        if (property_of_mark(mark).empty() || has_control(text)) rest.marks.emplace(mark, text);
    rest.extra = event.extra;
    return rest;
}

/// The rest travels as the stored form, in one property of our own.
void append_rest(std::string& out, const Event& event) {
    auto rest = rest_of(event);
    rest.start = event.start;
    rest.finish = event.finish;
    boost::system::error_code ec;
    auto stored = boost::json::parse(to_json_text(rest), ec);
    if (ec || !stored.is_object()) return;  // text that is no UTF-8: the usual properties remain
    auto& members = stored.get_object();
    if (is_plain(event.start)) members.erase("start");
    if (is_plain(event.finish)) members.erase("finish");
    if (!members.empty()) append_text(out, "X-CALHOST-EVENT", boost::json::serialize(members));
}

void append_words(std::string& out, const Event& event) {
    const std::pair<std::string_view, std::string_view> classes[] = {
        {"public", "PUBLIC"}, {"private", "PRIVATE"}, {"confidential", "CONFIDENTIAL"}};
    const std::pair<std::string_view, std::string_view> states[] = {
        {"confirmed", "CONFIRMED"}, {"tentative", "TENTATIVE"}, {"cancelled", "CANCELLED"}};
    for (const auto& [word, text] : classes)
        if (event.visibility == word) append_line(out, fmt::format("CLASS:{}", text));
    for (const auto& [word, text] : states)
        if (event.status == word) append_line(out, fmt::format("STATUS:{}", text));
    append_line(out, event.busy == "free" ? "TRANSP:TRANSPARENT" : "TRANSP:OPAQUE");
    const std::pair<std::string_view, std::string_view> showings[] = {
        {"tentative", "TENTATIVE"}, {"oof", "OOF"}, {"elsewhere", "WORKINGELSEWHERE"}};
    for (const auto& [word, text] : showings)
        if (event.busy == word)
            append_line(out, fmt::format("X-MICROSOFT-CDO-BUSYSTATUS:{}", text));
}

void append_event(std::string& out, const Event& event, std::string_view owner) {
    append_line(out, "BEGIN:VEVENT");
    append_text(out, "UID", event.uid.empty() ? event.id : event.uid);
    append_line(out, "DTSTAMP:" + basic_utc(event.updated.value_or(Timestamp())));
    append_times(out, event);
    append_text(out, "SUMMARY", event.title);
    append_text(out, "DESCRIPTION", event.description);
    append_text(out, "LOCATION", event.location);
    if (!event.url.empty()) append_line(out, "URL:" + one_line(event.url));
    append_words(out, event);
    for (const auto& word : event.categories) append_text(out, "CATEGORIES", word);
    if (event.sequence != 0) append_line(out, fmt::format("SEQUENCE:{}", event.sequence));
    if (event.created) append_line(out, "CREATED:" + basic_utc(*event.created));
    if (event.updated) append_line(out, "LAST-MODIFIED:" + basic_utc(*event.updated));
    append_organizer(out, event);
    for (const auto& person : event.attendees) append_attendee(out, person, event.is_organizer);
    for (const auto& [mark, text] : event.marks)
        if (const auto name = property_of_mark(mark); !name.empty() && !has_control(text))
            append_text(out, name, text);
    append_rest(out, event);
    for (const auto& reminder : event.reminders.value_or(std::vector<Reminder>()))
        append_reminder(out, reminder, event, owner);
    append_line(out, "END:VEVENT");
}

}  // namespace

std::string write_icalendar(const Calendar& calendar) {
    std::string out;
    append_line(out, "BEGIN:VCALENDAR");
    append_line(out, "VERSION:2.0");
    append_line(out, "PRODID:-//calhost//calhost//EN");
    append_text(out, "X-WR-CALNAME", calendar.name);
    append_text(out, "X-WR-TIMEZONE", calendar.zone);
    for (const auto& [zone, span] : zone_spans(calendar.events)) append_zone(out, zone, span);
    for (const auto& event : calendar.events) append_event(out, event, calendar.owner);
    append_line(out, "END:VCALENDAR");
    return out;
}

}  // namespace calhost::calendar
