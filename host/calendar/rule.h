/// One RRULE, expanded by libical in floating time. The room's own; others call recurrence.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calhost::calendar {

/// The end that a rule names. RFC 5545 section 3.3.10.
struct Until {
    std::chrono::local_seconds when{};
    bool is_date = false;
    bool is_utc = false;
};

/// A rule that has been checked against RFC 5545's grammar and ranges, because libical writes out
/// of bounds or searches for ever with some values that the grammar forbids.
struct Rule {
    std::string text;  ///< upper case, without UNTIL and COUNT
    std::string freq;
    int interval = 1;
    std::int64_t count = 0;  ///< 0: none
    std::optional<Until> until;
};

/// *Errors*: invalid.
Result<Rule> parse_rule(std::string_view rrule);

/// Times that the rule gives, ascending. `start` is always one of them and counts for COUNT, even
/// if the rule's own pattern leaves it out (RFC 5545 section 3.8.5.3).
struct Slots {
    std::vector<std::chrono::local_seconds> times;
    bool is_cut = false;  ///< there are more inside the range: a bound on results or work was met
};

/// The slots in [from, to], at most `limit`; all wall-clock, no zone involved. `until` is the
/// rule's end as wall clock. Work is bounded whatever the rule says.
Slots rule_slots(const Rule& rule, std::chrono::local_seconds start,
                 std::optional<std::chrono::local_seconds> until, std::chrono::local_seconds from,
                 std::chrono::local_seconds to, std::size_t limit);

/// Whether the rule's own pattern gives `start`, which is a slot of its series in any case.
bool gives_start(const Rule& rule, std::chrono::local_seconds start);

}  // namespace calhost::calendar
