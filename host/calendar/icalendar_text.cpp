#include "calendar/icalendar_text.h"

#include <algorithm>

#include "base/encoding.h"

namespace calhost::calendar {
namespace {

/// VALARMs stand in events, STANDARD and DAYLIGHT in zones; nothing real is deeper.
constexpr std::size_t kMaxDepth = 8;

constexpr std::size_t kLineOctets = 75;

/// What Windows-1252 puts where Latin-1 has control characters, from 0x80 to 0x9f.
constexpr char16_t kWindows[] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
};

std::string from_windows(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const unsigned point = byte >= 0x80 && byte < 0xa0 ? kWindows[byte - 0x80] : byte;
        if (point < 0x80) {
            out += c;
        } else if (point < 0x800) {
            out += static_cast<char>(0xc0 | point >> 6);
            out += static_cast<char>(0x80 | (point & 0x3f));
        } else {
            out += static_cast<char>(0xe0 | point >> 12);
            out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
            out += static_cast<char>(0x80 | (point & 0x3f));
        }
    }
    return out;
}

bool is_same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return (x & ~0x20) == (y & ~0x20); });
}

/// The component's name when `line` is "BEGIN:name" or "END:name".
std::string_view component_of(std::string_view line, std::string_view keyword) {
    if (line.size() <= keyword.size() || line[keyword.size()] != ':') return {};
    if (!is_same_word(line.substr(0, keyword.size()), keyword)) return {};
    line.remove_prefix(keyword.size() + 1);
    while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
    return line;
}

/// Follows BEGIN and END through the lines.
class Cutter {
  public:
    explicit Cutter(std::string_view text) : text_(text) {}

    std::vector<Chunk> run() {
        for (std::size_t begin = 0; begin < text_.size();) {
            const auto end = std::min(text_.find('\n', begin), text_.size());
            take(text_.substr(begin, end - begin), begin, end);
            begin = end + 1;
        }
        give_up(text_.size());
        return std::move(chunks_);
    }

  private:
    void take(std::string_view line, std::size_t begin, std::size_t end) {
        if (const auto name = component_of(line, "BEGIN"); !name.empty())
            open(name, begin);
        else if (const auto closed = component_of(line, "END"); !closed.empty())
            close(closed, end);
        else if (names_.empty() && !line.empty())
            chunks_.push_back({Chunk::Kind::property, line});
    }

    /// A calendar, event or zone that begins ends whatever was left open before it.
    void open(std::string_view name, std::size_t begin) {
        const bool is_event = is_same_word(name, "VEVENT");
        const bool is_zone = is_same_word(name, "VTIMEZONE");
        const bool is_calendar = is_same_word(name, "VCALENDAR");
        if (is_event || is_zone || is_calendar) {
            give_up(begin);
            if (is_calendar) return;
            kind_ = is_event ? Chunk::Kind::event : Chunk::Kind::zone;
            begin_ = begin;
        }
        if (names_.size() < kMaxDepth)
            names_.push_back(name);
        else
            kind_ = Chunk::Kind::broken;
    }

    void close(std::string_view name, std::size_t end) {
        if (names_.empty()) return;
        if (is_same_word(name, names_.back())) {
            names_.pop_back();
            if (names_.empty() && kind_ != Chunk::Kind::property)
                chunks_.push_back({kind_, text_.substr(begin_, end - begin_)});
            if (names_.empty()) kind_ = Chunk::Kind::property;
        } else if (is_same_word(name, names_.front()) || is_same_word(name, "VCALENDAR")) {
            give_up(end);
        }
    }

    void give_up(std::size_t end) {
        if (!names_.empty() && kind_ != Chunk::Kind::property)
            chunks_.push_back({Chunk::Kind::broken, text_.substr(begin_, end - begin_)});
        names_.clear();
        kind_ = Chunk::Kind::property;
    }

    std::string_view text_;
    std::vector<Chunk> chunks_;
    std::vector<std::string_view> names_;       ///< the open components, without VCALENDAR
    Chunk::Kind kind_ = Chunk::Kind::property;  ///< of the outermost one; property: not ours
    std::size_t begin_ = 0;
};

}  // namespace

CleanText clean(std::string_view raw) {
    if (raw.starts_with("\xef\xbb\xbf")) raw.remove_prefix(3);
    CleanText out;
    out.text.reserve(raw.size());
    // Lines end with CRLF, LF, CR or a mix; one that begins with a blank goes on with the last one.
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const char c = raw[i];
        if (c == '\r' || c == '\n') {
            const auto next = raw.find_first_not_of("\r\n", i);
            if (next == std::string_view::npos) break;
            const bool is_folded = raw[next] == ' ' || raw[next] == '\t';
            if (!is_folded && !out.text.empty()) out.text += '\n';
            i = is_folded ? next : next - 1;
        } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') {
            out.text += c;
        }
    }
    if (!is_utf8(out.text)) {
        out.text = from_windows(out.text);
        out.is_converted = true;
    }
    return out;
}

std::vector<Chunk> cut(std::string_view text) { return Cutter(text).run(); }

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (end > 0) lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string name_of(std::string_view line) {
    std::string name(line.substr(0, line.find_first_of(":;")));
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    return name;
}

void append_line(std::string& out, std::string_view line) {
    for (std::size_t room = kLineOctets; line.size() > room; room = kLineOctets - 1) {
        auto cut = room;
        while (cut > 1 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;
        out.append(line.substr(0, cut));
        out += "\r\n ";
        line.remove_prefix(cut);
    }
    out.append(line);
    out += "\r\n";
}

}  // namespace calhost::calendar
