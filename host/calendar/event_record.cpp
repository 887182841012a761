#include "calendar/event_record.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "calendar/event_members.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

// A record is a row of members, each a letter, the number of bytes, a colon and the bytes:
// `i2:e1t5:Lunchs35:1795165200 1795161600000 Europe/Berlin`. What few events have is one member of
// JSON. A letter keeps its meaning for ever.
constexpr char kStart = 's', kFinish = 'f', kSequence = 'n', kCreated = 'C', kUpdated = 'U',
               kGuest = 'g', kRare = 'x';

struct Text {
    char letter;
    std::string Event::* member;
    std::string_view usual;  ///< left out
};
constexpr Text kTexts[] = {
    {'i', &Event::id, ""},
    {'e', &Event::etag, ""},
    {'u', &Event::uid, ""},
    {'t', &Event::title, ""},
    {'d', &Event::description, ""},
    {'D', &Event::description_format, "text"},
    {'l', &Event::location, ""},
    {'w', &Event::url, ""},
    {'b', &Event::busy, "busy"},
    {'S', &Event::status, "confirmed"},
    {'v', &Event::visibility, "default"},
    {'c', &Event::color, ""},
    {'p', &Event::series_id, ""},
    {'o', &Event::organizer, ""},
};

void put(std::string& out, char letter, std::string_view bytes) {
    const fmt::format_int size(bytes.size());
    out += letter;
    out.append(size.data(), size.size());
    out += ':';
    out += bytes;
}

void put_number(std::string& out, char letter, std::int64_t number) {
    const fmt::format_int digits(number);
    put(out, letter, {digits.data(), digits.size()});
}

void put_time(std::string& out, char letter, const EventTime& time) {
    if (time.is_date) return put(out, letter, format_date(time.date));
    std::string text;
    text.append(fmt::format_int(time.local.time_since_epoch().count()).c_str()) += ' ';
    text.append(fmt::format_int(to_millis(time.instant)).c_str()) += ' ';
    put(out, letter, text += time.zone);
}

/// The number at the front, which it takes off.
std::optional<std::int64_t> take_number(std::string_view& text) {
    std::int64_t number = 0;
    const char* first = text.begin();
    const auto [behind, error] = std::from_chars(first, text.end(), number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(behind - first));
    return number;
}

/// The number up to `end`, which goes with it.
std::optional<std::int64_t> take_number(std::string_view& text, char end) {
    const auto number = take_number(text);
    if (!number || !text.starts_with(end)) return std::nullopt;
    text.remove_prefix(1);
    return number;
}

std::optional<std::int64_t> number_of(std::string_view text) {
    const auto number = take_number(text);
    return text.empty() ? number : std::nullopt;
}

bool read_time(EventTime& into, std::string_view text) {
    if (!text.contains(' ')) {
        const auto date = parse_date(text);
        if (date) into = make_date(*date);
        return date.has_value();
    }
    const auto local = take_number(text, ' ');
    const auto instant = local ? take_number(text, ' ') : std::nullopt;
    if (!instant) return false;
    into.local = std::chrono::local_seconds(std::chrono::seconds(*local));
    into.instant = from_millis(*instant);
    into.zone = text;
    return true;
}

constexpr auto kTextAt = [] {
    std::array<std::string Event::*, 128> members{};
    for (const Text& text : kTexts) members[static_cast<unsigned char>(text.letter)] = text.member;
    return members;
}();

bool read_member(Event& event, char letter, std::string_view bytes) {
    const auto number = [&](auto use) {
        const auto read = number_of(bytes);
        if (read) use(*read);
        return read.has_value();
    };
    switch (letter) {
        case kStart:
            return read_time(event.start, bytes);
        case kFinish:
            return read_time(event.finish, bytes);
        case kSequence:
            return number([&](std::int64_t read) { event.sequence = read; });
        case kCreated:
            return number([&](std::int64_t read) { event.created = from_millis(read); });
        case kUpdated:
            return number([&](std::int64_t read) { event.updated = from_millis(read); });
        case kGuest:
            event.is_organizer = false;
            return true;
        case kRare:
            return read_json_text(event, bytes).has_value();
        default:
            break;
    }
    const auto place = static_cast<unsigned char>(letter);
    if (place < kTextAt.size() && kTextAt[place] != nullptr) event.*kTextAt[place] = bytes;
    return true;
}

bool read_members(Event& event, std::string_view record) {
    while (!record.empty()) {
        const char letter = record.front();
        record.remove_prefix(1);
        const auto size = take_number(record, ':');
        if (!size || *size < 0 || static_cast<std::size_t>(*size) > record.size()) return false;
        if (!read_member(event, letter, record.substr(0, static_cast<std::size_t>(*size))))
            return false;
        record.remove_prefix(static_cast<std::size_t>(*size));
    }
    return !event.id.empty();
}

}  // namespace

std::string to_record(const Event& event) {
    std::string out;
    out.reserve(512);
    for (const auto& [letter, member, usual] : kTexts)
        if (event.*member != usual) put(out, letter, event.*member);
    put_time(out, kStart, event.start);
    put_time(out, kFinish, event.finish);
    if (event.sequence != 0) put_number(out, kSequence, event.sequence);
    if (event.created) put_number(out, kCreated, to_millis(*event.created));
    if (event.updated) put_number(out, kUpdated, to_millis(*event.updated));
    if (!event.is_organizer) put(out, kGuest, "");
    if (const auto rare = rare_members(event); !rare.empty()) put(out, kRare, rare);
    return out;
}

Result<void> read_record(Event& event, std::string_view record) {
    if (record.starts_with('{')) return read_json_text(event, record);
    if (read_members(event, record)) return {};
    return fail(ErrorCode::invalid, "a stored event is damaged");
}

}  // namespace calhost::calendar
