#include "lua/patterns.h"

#include <algorithm>

namespace calhost::lua::patterns {
namespace {

constexpr char kEscape = '%';
constexpr int kDeepest = 200;
constexpr std::ptrdiff_t kOpen = -1;
constexpr std::ptrdiff_t kPosition = -2;

bool is_between(char c, char low, char high) {
    const auto value = static_cast<unsigned char>(c);
    return static_cast<unsigned char>(low) <= value && value <= static_cast<unsigned char>(high);
}
bool is_lower(char c) { return is_between(c, 'a', 'z'); }
bool is_upper(char c) { return is_between(c, 'A', 'Z'); }
bool is_digit(char c) { return is_between(c, '0', '9'); }
bool is_letter(char c) { return is_lower(c) || is_upper(c); }
bool is_visible(char c) { return is_between(c, '!', '~'); }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

/// The classes of the C locale, whatever the process's locale is.
bool class_has(char c, char name) {
    bool has = false;
    switch (to_lower(name)) {
        case 'a':
            has = is_letter(c);
            break;
        case 'c':
            has = is_between(c, '\0', '\x1f') || c == '\x7f';
            break;
        case 'd':
            has = is_digit(c);
            break;
        case 'g':
            has = is_visible(c);
            break;
        case 'l':
            has = is_lower(c);
            break;
        case 'p':
            has = is_visible(c) && !is_letter(c) && !is_digit(c);
            break;
        case 's':
            has = c == ' ' || is_between(c, '\t', '\r');
            break;
        case 'u':
            has = is_upper(c);
            break;
        case 'w':
            has = is_letter(c) || is_digit(c);
            break;
        case 'x':
            has = is_digit(c) || is_between(to_lower(c), 'a', 'f');
            break;
        case 'z':
            has = c == '\0';
            break;
        default:
            return name == c;
    }
    return is_upper(name) ? !has : has;
}

}  // namespace

void Matcher::step() {
    if (steps_left_ == 0)
        throw Fault{.is_out_of_steps = true, .message = "the pattern takes too many steps"};
    --steps_left_;
}

/// Behind the single-character item at `p`.
std::size_t Matcher::item_end(std::size_t p) {
    const char first = pattern_at(p++);
    if (first == kEscape) {
        if (p >= pattern_.size()) throw Fault{.message = "malformed pattern (ends with '%')"};
        return p + 1;
    }
    if (first != '[') return p;
    if (pattern_at(p) == '^') ++p;
    // The first character of a set is never its end, so that []] is a set with one bracket.
    do {
        step();
        if (p >= pattern_.size()) throw Fault{.message = "malformed pattern (missing ']')"};
        const char c = pattern_[p++];
        if (c == kEscape && p < pattern_.size()) ++p;
    } while (pattern_at(p) != ']' || p >= pattern_.size());
    return p + 1;
}

bool Matcher::set_has(char c, std::size_t open, std::size_t close) {
    std::size_t p = open;
    const bool is_negated = pattern_at(p + 1) == '^';
    if (is_negated) ++p;
    while (++p < close) {
        step();
        if (pattern_[p] == kEscape) {
            ++p;
            if (class_has(c, pattern_at(p))) return !is_negated;
        } else if (pattern_at(p + 1) == '-' && p + 2 < close) {
            p += 2;
            if (is_between(c, pattern_[p - 2], pattern_[p])) return !is_negated;
        } else if (pattern_[p] == c) {
            return !is_negated;
        }
    }
    return is_negated;
}

bool Matcher::item_fits(std::size_t s, std::size_t p, std::size_t end) {
    step();
    if (s >= subject_.size()) return false;
    switch (pattern_[p]) {
        case '.':
            return true;
        case kEscape:
            return class_has(subject_[s], pattern_at(p + 1));
        case '[':
            return set_has(subject_[s], p, end - 1);
        default:
            return pattern_[p] == subject_[s];
    }
}

Matcher::End Matcher::run_balance(std::size_t s, std::size_t p) {
    if (p + 1 >= pattern_.size())
        throw Fault{.message = "malformed pattern (missing arguments to '%b')"};
    if (s >= subject_.size() || subject_[s] != pattern_[p]) return std::nullopt;
    const char open = pattern_[p];
    const char close = pattern_[p + 1];
    for (std::size_t depth = 1; ++s < subject_.size();) {
        step();
        if (subject_[s] == close) {
            if (--depth == 0) return s + 1;
        } else if (subject_[s] == open) {
            ++depth;
        }
    }
    return std::nullopt;
}

Matcher::End Matcher::run_longest(std::size_t s, std::size_t p, std::size_t end) {
    std::size_t count = 0;
    while (item_fits(s + count, p, end)) ++count;
    for (;;) {
        if (const End found = run(s + count, end + 1)) return found;
        if (count-- == 0) return std::nullopt;
    }
}

Matcher::End Matcher::run_shortest(std::size_t s, std::size_t p, std::size_t end) {
    for (;;) {
        if (const End found = run(s, end + 1)) return found;
        if (!item_fits(s, p, end)) return std::nullopt;
        ++s;
    }
}

Matcher::End Matcher::open_group(std::size_t s, std::size_t p, std::ptrdiff_t length) {
    if (level_ >= static_cast<int>(groups_.size())) throw Fault{.message = "too many captures"};
    groups_[static_cast<std::size_t>(level_)] = {.begin = s, .length = length};
    ++level_;
    const End found = run(s, p);
    if (!found) --level_;
    return found;
}

Matcher::End Matcher::close_group(std::size_t s, std::size_t p) {
    int open = level_ - 1;
    while (open >= 0 && groups_[static_cast<std::size_t>(open)].length != kOpen) --open;
    if (open < 0) throw Fault{.message = "invalid pattern capture"};
    Group& group = groups_[static_cast<std::size_t>(open)];
    group.length = static_cast<std::ptrdiff_t>(s - group.begin);
    const End found = run(s, p);
    if (!found) group.length = kOpen;
    return found;
}

Matcher::End Matcher::run_back_reference(std::size_t s, char digit) {
    const int index = digit - '1';
    if (index < 0 || index >= level_ || groups_[static_cast<std::size_t>(index)].length == kOpen)
        throw Fault{.message = "invalid capture index %" + std::to_string(index + 1)};
    const Group& group = groups_[static_cast<std::size_t>(index)];
    if (group.length == kPosition) return std::nullopt;
    const auto length = static_cast<std::size_t>(group.length);
    if (subject_.size() - s < length) return std::nullopt;
    for (std::size_t done = 0; done < length; done += 16) step();
    const bool is_same = subject_.substr(group.begin, length) == subject_.substr(s, length);
    return is_same ? End(s + length) : std::nullopt;
}

bool Matcher::at_frontier(std::size_t s, std::size_t open, std::size_t end) {
    const char before = s == 0 ? '\0' : subject_[s - 1];
    return !set_has(before, open, end - 1) && set_has(subject_at(s), open, end - 1);
}

Matcher::End Matcher::run(std::size_t s, std::size_t p) {
    if (depth_left_-- == 0) throw Fault{.message = "pattern too complex"};
    const End found = run_here(s, p);
    ++depth_left_;
    return found;
}

/// Follows the pattern from `p`; what may have to be tried again recurses through `run`.
Matcher::End Matcher::run_here(std::size_t s, std::size_t p) {
    while (p < pattern_.size()) {
        step();
        const char first = pattern_[p];
        const char second = pattern_at(p + 1);
        if (first == '(') {
            if (second == ')') return open_group(s, p + 2, kPosition);
            return open_group(s, p + 1, kOpen);
        }
        if (first == ')') return close_group(s, p + 1);
        if (first == '$' && p + 1 == pattern_.size())
            return s == subject_.size() ? End(s) : std::nullopt;
        if (first == kEscape && second == 'b') {
            const End end = run_balance(s, p + 2);
            if (!end) return std::nullopt;
            s = *end;
            p += 4;
            continue;
        }
        if (first == kEscape && second == 'f') {
            p += 2;
            if (pattern_at(p) != '[') throw Fault{.message = "missing '[' after '%f' in pattern"};
            const std::size_t end = item_end(p);
            if (!at_frontier(s, p, end)) return std::nullopt;
            p = end;
            continue;
        }
        if (first == kEscape && is_digit(second)) {
            const End end = run_back_reference(s, second);
            if (!end) return std::nullopt;
            s = *end;
            p += 2;
            continue;
        }
        const std::size_t end = item_end(p);
        const char suffix = pattern_at(end);
        const bool fits = item_fits(s, p, end);
        if (!fits && (suffix == '*' || suffix == '?' || suffix == '-')) {
            p = end + 1;
            continue;
        }
        if (!fits) return std::nullopt;
        if (suffix == '*') return run_longest(s, p, end);
        if (suffix == '+') return run_longest(s + 1, p, end);
        if (suffix == '-') return run_shortest(s, p, end);
        if (suffix == '?') {
            if (const End found = run(s + 1, end + 1)) return found;
            p = end + 1;
            continue;
        }
        ++s;
        p = end;
    }
    return s;
}

std::expected<std::optional<std::size_t>, Fault> Matcher::match(std::size_t start) {
    level_ = 0;
    depth_left_ = kDeepest;
    try {
        return run(start, 0);
    } catch (Fault& fault) {
        return std::unexpected(std::move(fault));
    }
}

std::expected<Capture, Fault> Matcher::capture(int index, std::size_t begin,
                                               std::size_t end) const {
    if (index >= level_) {
        if (index != 0)
            return std::unexpected(
                Fault{.message = "invalid capture index %" + std::to_string(index + 1)});
        return Capture{.begin = begin, .text = subject_.substr(begin, end - begin)};
    }
    const Group& group = groups_[static_cast<std::size_t>(index)];
    if (group.length == kOpen) return std::unexpected(Fault{.message = "unfinished capture"});
    if (group.length == kPosition) return Capture{.begin = group.begin, .is_position = true};
    return Capture{.begin = group.begin,
                   .text = subject_.substr(group.begin, static_cast<std::size_t>(group.length))};
}

bool is_plain(std::string_view pattern) {
    return pattern.find_first_of("^$*+?.([%-") == std::string_view::npos;
}

}  // namespace calhost::lua::patterns
