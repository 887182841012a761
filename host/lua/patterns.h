/// Lua's patterns (reference manual, section 6.4.1) with counted steps: the stock functions can run
/// for hours on a short subject, where no hook fires.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace calhost::lua::patterns {

struct Fault {
    bool is_out_of_steps = false;
    std::string message;
};

struct Capture {
    std::size_t begin = 0;
    std::string_view text;
    bool is_position = false;
};

/// One pattern on one subject. *Ownership*: views both.
class Matcher {
  public:
    /// `steps` is for all attempts together.
    Matcher(std::string_view subject, std::string_view pattern, std::uint64_t steps)
        : subject_(subject), pattern_(pattern), steps_left_(steps), steps_(steps) {}

    /// Where a match that begins at `start` ends, or nothing. A leading `^` is an ordinary
    /// character here: the caller strips it.
    /// *Errors*: a malformed pattern, one that recurses too deeply, or no steps left.
    std::expected<std::optional<std::size_t>, Fault> match(std::size_t start);

    /// Captures of the last match.
    [[nodiscard]] int capture_count() const { return level_; }
    /// Capture `index` from 0; with no captures the whole match [begin, end) is capture 0.
    [[nodiscard]] std::expected<Capture, Fault> capture(int index, std::size_t begin,
                                                        std::size_t end) const;
    [[nodiscard]] std::uint64_t steps_used() const { return steps_ - steps_left_; }

  private:
    struct Group {
        std::size_t begin = 0;
        std::ptrdiff_t length = 0;
    };
    using End = std::optional<std::size_t>;

    [[nodiscard]] char subject_at(std::size_t s) const {
        return s < subject_.size() ? subject_[s] : '\0';
    }
    [[nodiscard]] char pattern_at(std::size_t p) const {
        return p < pattern_.size() ? pattern_[p] : '\0';
    }
    void step();
    std::size_t item_end(std::size_t p);
    bool set_has(char c, std::size_t open, std::size_t close);
    bool item_fits(std::size_t s, std::size_t p, std::size_t end);

    End run(std::size_t s, std::size_t p);
    End run_here(std::size_t s, std::size_t p);
    End run_balance(std::size_t s, std::size_t p);
    End run_longest(std::size_t s, std::size_t p, std::size_t end);
    End run_shortest(std::size_t s, std::size_t p, std::size_t end);
    End open_group(std::size_t s, std::size_t p, std::ptrdiff_t length);
    End close_group(std::size_t s, std::size_t p);
    End run_back_reference(std::size_t s, char digit);
    bool at_frontier(std::size_t s, std::size_t open, std::size_t end);

    std::string_view subject_;
    std::string_view pattern_;
    std::uint64_t steps_left_;
    std::uint64_t steps_;
    int depth_left_ = 0;
    int level_ = 0;
    std::array<Group, 32> groups_{};
};

/// True when `pattern` has no character with a meaning, so that searching needs no matcher.
bool is_plain(std::string_view pattern);

}  // namespace calhost::lua::patterns
