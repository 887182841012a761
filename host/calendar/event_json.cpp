#include <fmt/format.h>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "calendar/event.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using boost::json::value;

// Writing goes straight to text: a tree of values would cost four times as much, and every event
// of a sync is written.

void append_text(std::string& out, std::string_view text) {
    out += '"';
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, begin, i - begin);
        if (c >= 0x20)
            (out += '\\') += text[i];
        else if (c == '\n')
            out += "\\n";
        else
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", unsigned(c));
        begin = i + 1;
    }
    out.append(text, begin);
    out += '"';
}

void append_number(std::string& out, std::int64_t number) {
    char digits[20];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
    out.append(digits, end);
}

/// Names a member; the comma stands before every one but the first.
void append_name(std::string& out, std::string_view name) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":";
}

void append_member(std::string& out, std::string_view name, std::string_view text,
                   std::string_view usual = "") {
    if (text == usual) return;
    append_name(out, name);
    append_text(out, text);
}

void append_time(std::string& out, const EventTime& time) {
    if (time.is_date) {
        fmt::format_to(std::back_inserter(out), R"({{"date":"{}"}})", format_date(time.date));
        return;
    }
    out += R"({"local":)";
    append_number(out, time.local.time_since_epoch().count());
    append_member(out, "zone", time.zone);
    append_name(out, "instant");
    append_number(out, to_millis(time.instant));
    out += '}';
}

template <class Items, class Append>
void append_list(std::string& out, std::string_view name, const Items& items, Append append) {
    append_name(out, name);
    out += '[';
    bool is_first = true;
    for (const auto& item : items) {
        if (!is_first) out += ',';
        is_first = false;
        append(out, item);
    }
    out += ']';
}

void append_reminder(std::string& out, const Reminder& reminder) {
    out += '{';
    append_member(out, "method", reminder.method);
    append_name(out, "minutes");
    append_number(out, reminder.minutes);
    out += '}';
}

void append_attendee(std::string& out, const Attendee& person) {
    out += '{';
    append_member(out, "email", person.email);
    append_member(out, "name", person.name);
    append_member(out, "role", person.role);
    append_member(out, "response", person.response);
    if (person.is_self) (append_name(out, "is_self"), out += "true");
    out += '}';
}

void append_recurrence(std::string& out, const Recurrence& recurrence) {
    out += '{';
    append_member(out, "rrule", recurrence.rrule);
    if (!recurrence.rdate.empty()) append_list(out, "rdate", recurrence.rdate, append_time);
    if (!recurrence.exdate.empty()) append_list(out, "exdate", recurrence.exdate, append_time);
    out += '}';
}

void append_when(std::string& out, std::string_view name, const std::optional<Timestamp>& when) {
    if (!when) return;
    append_name(out, name);
    append_number(out, to_millis(*when));
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
    for (const auto& item : *object)
        for (const auto& member : members)
            if (std::string_view(item.key()) == member.name) {
                if (!member.read(into, item.value())) return false;
                break;
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
constexpr auto reader = [](Record& into, const value& from) { return read(into.*Field, from); };

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
        {"zone", reader<EventTime, &EventTime::zone>},
        {"instant", reader<EventTime, &EventTime::instant>},
    };
    return read_members(into, from, members);
}

bool read(Reminder& into, const value& from) {
    static constexpr Member<Reminder> members[] = {
        {"method", reader<Reminder, &Reminder::method>},
        {"minutes", reader<Reminder, &Reminder::minutes>},
    };
    return read_members(into, from, members);
}

bool read(Attendee& into, const value& from) {
    static constexpr Member<Attendee> members[] = {
        {"email", reader<Attendee, &Attendee::email>},
        {"name", reader<Attendee, &Attendee::name>},
        {"role", reader<Attendee, &Attendee::role>},
        {"response", reader<Attendee, &Attendee::response>},
        {"is_self", reader<Attendee, &Attendee::is_self>},
    };
    return read_members(into, from, members);
}

bool read(Recurrence& into, const value& from) {
    static constexpr Member<Recurrence> members[] = {
        {"rrule", reader<Recurrence, &Recurrence::rrule>},
        {"rdate", reader<Recurrence, &Recurrence::rdate>},
        {"exdate", reader<Recurrence, &Recurrence::exdate>},
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
        {"id", reader<Event, &Event::id>},
        {"etag", reader<Event, &Event::etag>},
        {"uid", reader<Event, &Event::uid>},
        {"title", reader<Event, &Event::title>},
        {"description", reader<Event, &Event::description>},
        {"description_format", reader<Event, &Event::description_format>},
        {"location", reader<Event, &Event::location>},
        {"url", reader<Event, &Event::url>},
        {"start", reader<Event, &Event::start>},
        {"finish", reader<Event, &Event::finish>},
        {"busy", reader<Event, &Event::busy>},
        {"status", reader<Event, &Event::status>},
        {"visibility", reader<Event, &Event::visibility>},
        {"categories", reader<Event, &Event::categories>},
        {"color", reader<Event, &Event::color>},
        {"reminders", reader<Event, &Event::reminders>},
        {"recurrence", reader<Event, &Event::recurrence>},
        {"series_id", reader<Event, &Event::series_id>},
        {"recurrence_id", reader<Event, &Event::recurrence_id>},
        {"attendees", reader<Event, &Event::attendees>},
        {"organizer", reader<Event, &Event::organizer>},
        {"is_organizer", reader<Event, &Event::is_organizer>},
        {"sequence", reader<Event, &Event::sequence>},
        {"created", reader<Event, &Event::created>},
        {"updated", reader<Event, &Event::updated>},
        {"marks", reader<Event, &Event::marks>},
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
    std::string out;
    out.reserve(512);
    out += '{';
    append_member(out, "id", event.id);
    append_member(out, "etag", event.etag);
    append_member(out, "uid", event.uid);
    append_member(out, "title", event.title);
    append_member(out, "description", event.description);
    append_member(out, "description_format", event.description_format, "text");
    append_member(out, "location", event.location);
    append_member(out, "url", event.url);
    append_name(out, "start"), append_time(out, event.start);
    append_name(out, "finish"), append_time(out, event.finish);
    append_member(out, "busy", event.busy, "busy");
    append_member(out, "status", event.status, "confirmed");
    append_member(out, "visibility", event.visibility, "default");
    if (!event.categories.empty()) append_list(out, "categories", event.categories, append_text);
    append_member(out, "color", event.color);
    if (event.reminders) append_list(out, "reminders", *event.reminders, append_reminder);
    if (event.recurrence) append_name(out, "recurrence"), append_recurrence(out, *event.recurrence);
    append_member(out, "series_id", event.series_id);
    if (event.recurrence_id)
        append_name(out, "recurrence_id"), append_time(out, *event.recurrence_id);
    if (!event.attendees.empty()) append_list(out, "attendees", event.attendees, append_attendee);
    append_member(out, "organizer", event.organizer);
    if (!event.is_organizer) append_name(out, "is_organizer"), out += "false";
    if (event.sequence != 0) append_name(out, "sequence"), append_number(out, event.sequence);
    append_when(out, "created", event.created);
    append_when(out, "updated", event.updated);
    if (!event.marks.empty()) {
        append_name(out, "marks"), out += '{';
        bool is_first = true;
        for (const auto& [name, text] : event.marks) {
            if (!is_first) out += ',';
            is_first = false;
            append_text(out, name), out += ':';
            append_text(out, text);
        }
        out += '}';
    }
    if (!event.extra.is_null())
        append_name(out, "extra"), out += boost::json::serialize(event.extra);
    out += '}';
    return out;
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
