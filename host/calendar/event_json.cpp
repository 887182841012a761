#include <fmt/format.h>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_text.h"
#include "calendar/event.h"
#include "calendar/event_members.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using boost::json::value;
using json::TextWriter;

void write(TextWriter& out, const EventTime& time) {
    out.begin_object();
    if (time.is_date) {
        out.member("date", format_date(time.date));
    } else {
        out.member("local", time.local.time_since_epoch().count());
        if (!time.zone.empty()) out.member("zone", time.zone);
        out.member("instant", to_millis(time.instant));
    }
    out.end_object();
}

void write_unless(TextWriter& out, std::string_view name, std::string_view text,
                  std::string_view usual = "") {
    if (text != usual) out.member(name, text);
}

void write(TextWriter& out, const std::string& word) { out.value(word); }

void write(TextWriter& out, const Reminder& reminder) {
    out.begin_object();
    write_unless(out, "method", reminder.method);
    out.member("minutes", reminder.minutes);
    out.end_object();
}

void write(TextWriter& out, const Attendee& person) {
    out.begin_object();
    write_unless(out, "email", person.email);
    write_unless(out, "name", person.name);
    write_unless(out, "role", person.role);
    write_unless(out, "response", person.response);
    if (person.is_self) out.member("is_self", true);
    out.end_object();
}

template <class Items>
void write_list(TextWriter& out, std::string_view name, const Items& items) {
    out.name(name);
    out.begin_array();
    for (const auto& item : items) write(out, item);
    out.end_array();
}

void write(TextWriter& out, const Recurrence& recurrence) {
    out.begin_object();
    write_unless(out, "rrule", recurrence.rrule);
    if (!recurrence.rdate.empty()) write_list(out, "rdate", recurrence.rdate);
    if (!recurrence.exdate.empty()) write_list(out, "exdate", recurrence.exdate);
    out.end_object();
}

void write_when(TextWriter& out, std::string_view name, const std::optional<Timestamp>& when) {
    if (when) out.member(name, to_millis(*when));
}

void write_marks(TextWriter& out, const std::map<std::string, std::string>& marks) {
    out.name("marks");
    out.begin_object();
    for (const auto& [name, text] : marks) {
        std::string escaped;
        json::append_string(escaped, name);
        out.name(std::string_view(escaped).substr(1, escaped.size() - 2));
        out.value(text);
    }
    out.end_object();
}

void write_rare(TextWriter& out, const Event& event) {
    if (!event.categories.empty()) write_list(out, "categories", event.categories);
    if (event.reminders) write_list(out, "reminders", *event.reminders);
    if (event.recurrence) out.name("recurrence"), write(out, *event.recurrence);
    if (event.recurrence_id) out.name("recurrence_id"), write(out, *event.recurrence_id);
    if (event.is_this_and_future) out.member("this_and_future", true);
    if (!event.attendees.empty()) write_list(out, "attendees", event.attendees);
    if (!event.marks.empty()) write_marks(out, event.marks);
    if (!event.extra.is_null()) out.name("extra"), out.raw(boost::json::serialize(event.extra));
}

// Reading looks each member up in one table; a reader answers false for another type of value.

bool read(EventTime& into, const value& from);
bool read(Reminder& into, const value& from);
bool read(Attendee& into, const value& from);
bool read(Recurrence& into, const value& from);
bool read(std::map<std::string, std::string>& into, const value& from);

bool read(std::string& into, const value& from) {
    const auto* text = from.if_string();
    if (text != nullptr) into.assign(text->data(), text->size());
    return text != nullptr;
}

bool read(bool& into, const value& from) {
    const auto* flag = from.if_bool();
    if (flag != nullptr) into = *flag;
    return flag != nullptr;
}

bool read(std::int64_t& into, const value& from) {
    const auto* number = from.if_int64();
    if (number != nullptr) into = *number;
    return number != nullptr;
}

bool read(int& into, const value& from) {
    std::int64_t wide = 0;
    if (!read(wide, from) || !std::in_range<int>(wide)) return false;
    into = static_cast<int>(wide);
    return true;
}

bool read(Timestamp& into, const value& from) {
    std::int64_t millis = 0;
    if (!read(millis, from)) return false;
    into = from_millis(millis);
    return true;
}

template <class Record>
struct Member {
    std::string_view name;
    bool (*read)(Record&, const value&);
};

template <class Record, std::size_t Count>
bool read_members(Record& into, const value& from, const Member<Record> (&members)[Count]) {
    const auto* object = from.if_object();
    if (object == nullptr) return false;
    // They were written in the order of `members`, so each is found soon behind the one before.
    std::size_t at = 0;
    for (const auto& item : *object) {
        const std::string_view name = item.key();
        for (std::size_t tries = 0; tries < Count; ++tries, at = (at + 1) % Count)
            if (name == members[at].name) {
                if (!members[at].read(into, item.value())) return false;
                break;
            }
    }
    return true;
}

template <class Item>
bool read(std::vector<Item>& into, const value& from) {
    const auto* items = from.if_array();
    if (items == nullptr) return false;
    into.resize(items->size());
    for (std::size_t i = 0; i < into.size(); ++i)
        if (!read(into[i], (*items)[i])) return false;
    return true;
}

template <class T>
bool read(std::optional<T>& into, const value& from) {
    return read(into.emplace(), from);
}

/// The reader of one data member.
template <class Record, auto Field>
constexpr auto kRead = [](Record& into, const value& from) { return read(into.*Field, from); };

bool read(EventTime& into, const value& from) {
    static constexpr Member<EventTime> members[] = {
        {"date",
         [](EventTime& time, const value& text) {
             const auto* given = text.if_string();
             if (given == nullptr) return false;
             const auto date = parse_date(*given);
             if (date) time = make_date(*date);
             return date.has_value();
         }},
        {"local",
         [](EventTime& time, const value& number) {
             std::int64_t seconds = 0;
             if (!read(seconds, number)) return false;
             time.local = std::chrono::local_seconds(std::chrono::seconds(seconds));
             return true;
         }},
        {"zone", kRead<EventTime, &EventTime::zone>},
        {"instant", kRead<EventTime, &EventTime::instant>},
    };
    return read_members(into, from, members);
}

bool read(Reminder& into, const value& from) {
    static constexpr Member<Reminder> members[] = {
        {"method", kRead<Reminder, &Reminder::method>},
        {"minutes", kRead<Reminder, &Reminder::minutes>},
    };
    return read_members(into, from, members);
}

bool read(Attendee& into, const value& from) {
    static constexpr Member<Attendee> members[] = {
        {"email", kRead<Attendee, &Attendee::email>},
        {"name", kRead<Attendee, &Attendee::name>},
        {"role", kRead<Attendee, &Attendee::role>},
        {"response", kRead<Attendee, &Attendee::response>},
        {"is_self", kRead<Attendee, &Attendee::is_self>},
    };
    return read_members(into, from, members);
}

bool read(Recurrence& into, const value& from) {
    static constexpr Member<Recurrence> members[] = {
        {"rrule", kRead<Recurrence, &Recurrence::rrule>},
        {"rdate", kRead<Recurrence, &Recurrence::rdate>},
        {"exdate", kRead<Recurrence, &Recurrence::exdate>},
    };
    return read_members(into, from, members);
}

bool read(std::map<std::string, std::string>& into, const value& from) {
    const auto* object = from.if_object();
    if (object == nullptr) return false;
    for (const auto& item : *object)
        if (!read(into[std::string(item.key())], item.value())) return false;
    return true;
}

bool read(Event& into, const value& from) {
    static constexpr Member<Event> members[] = {
        {"id", kRead<Event, &Event::id>},
        {"etag", kRead<Event, &Event::etag>},
        {"uid", kRead<Event, &Event::uid>},
        {"title", kRead<Event, &Event::title>},
        {"description", kRead<Event, &Event::description>},
        {"description_format", kRead<Event, &Event::description_format>},
        {"location", kRead<Event, &Event::location>},
        {"url", kRead<Event, &Event::url>},
        {"start", kRead<Event, &Event::start>},
        {"finish", kRead<Event, &Event::finish>},
        {"busy", kRead<Event, &Event::busy>},
        {"status", kRead<Event, &Event::status>},
        {"visibility", kRead<Event, &Event::visibility>},
        {"categories", kRead<Event, &Event::categories>},
        {"color", kRead<Event, &Event::color>},
        {"reminders", kRead<Event, &Event::reminders>},
        {"recurrence", kRead<Event, &Event::recurrence>},
        {"series_id", kRead<Event, &Event::series_id>},
        {"recurrence_id", kRead<Event, &Event::recurrence_id>},
        {"this_and_future", kRead<Event, &Event::is_this_and_future>},
        {"attendees", kRead<Event, &Event::attendees>},
        {"organizer", kRead<Event, &Event::organizer>},
        {"is_organizer", kRead<Event, &Event::is_organizer>},
        {"sequence", kRead<Event, &Event::sequence>},
        {"created", kRead<Event, &Event::created>},
        {"updated", kRead<Event, &Event::updated>},
        {"marks", kRead<Event, &Event::marks>},
        // A copy with the usual storage: the parser's own goes when reading is done.
        {"extra",
         [](Event& event, const value& extra) {
             event.extra = value(extra, boost::json::storage_ptr());
             return true;
         }},
    };
    return read_members(into, from, members);
}

}  // namespace

std::string to_json_text(const Event& event) {
    TextWriter out;
    out.reserve(512);
    out.begin_object();
    write_unless(out, "id", event.id);
    write_unless(out, "etag", event.etag);
    write_unless(out, "uid", event.uid);
    write_unless(out, "title", event.title);
    write_unless(out, "description", event.description);
    write_unless(out, "description_format", event.description_format, "text");
    write_unless(out, "location", event.location);
    write_unless(out, "url", event.url);
    out.name("start"), write(out, event.start);
    out.name("finish"), write(out, event.finish);
    write_unless(out, "busy", event.busy, "busy");
    write_unless(out, "status", event.status, "confirmed");
    write_unless(out, "visibility", event.visibility, "default");
    write_unless(out, "color", event.color);
    write_unless(out, "series_id", event.series_id);
    write_unless(out, "organizer", event.organizer);
    if (!event.is_organizer) out.member("is_organizer", false);
    if (event.sequence != 0) out.member("sequence", event.sequence);
    write_when(out, "created", event.created);
    write_when(out, "updated", event.updated);
    write_rare(out, event);
    out.end_object();
    return out.take();
}

std::string rare_members(const Event& event) {
    TextWriter out;
    out.begin_object();
    write_rare(out, event);
    out.end_object();
    std::string text = out.take();
    return text == "{}" ? std::string() : text;
}

Result<void> read_json_text(Event& into, std::string_view text) {
    unsigned char buffer[8192];
    boost::json::monotonic_resource memory(buffer);
    boost::json::parse_options options;
    options.max_depth = 40;  // what a provider sent may be 32 deep, and stands inside the event
    boost::system::error_code ec;
    const auto parsed = boost::json::parse(text, ec, &memory, options);
    if (ec)
        return fail(ErrorCode::invalid,
                    fmt::format("a stored event is not JSON: {}", ec.message()));
    if (!read(into, parsed))
        return fail(ErrorCode::invalid, "a stored event has a member of the wrong type");
    return {};
}

Result<Event> from_json_text(std::string_view text) {
    Event event;
    if (auto ok = read_json_text(event, text); !ok) return fail(ok.error());
    return event;
}

}  // namespace calhost::calendar
