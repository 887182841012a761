/// Time comes in by constructor: nothing outside `app` reads the system clock or sleeps on its own.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace calhost {

using std::chrono::milliseconds;

/// The one type for a moment: milliseconds since 1970-01-01T00:00:00Z.
using Timestamp = std::chrono::sys_time<milliseconds>;

/// RFC 3339 in UTC: "2026-11-20T09:00:00Z", with ".123" only when there are milliseconds.
std::string format_rfc3339(Timestamp when);

/// Reads RFC 3339 with any offset (section 5.6). A leap second reads as the second before it.
/// *Errors*: invalid, for text that is not such a time or lies outside the years 1 to 9999.
Result<Timestamp> parse_rfc3339(std::string_view text);

/// Whole milliseconds since the epoch, as stored in SQL.
constexpr std::int64_t to_millis(Timestamp when) { return when.time_since_epoch().count(); }
constexpr Timestamp from_millis(std::int64_t millis) { return Timestamp{milliseconds{millis}}; }

/// *Thread*: any.
class Clock {
  public:
    virtual ~Clock() = default;
    /// The wall clock; may jump.
    [[nodiscard]] virtual Timestamp now() const = 0;
    /// Never goes back; for measuring and for limits. Its zero means nothing.
    [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
};

/// Waiting. *Thread*: the worker's own.
class Timers {
  public:
    virtual ~Timers() = default;
    /// Returns after `duration`. *Cancels*: with the coroutine that waits.
    virtual Task<> sleep(milliseconds duration) = 0;
};

/// The machine's clock and timers.
class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override;
    [[nodiscard]] std::chrono::nanoseconds monotonic() const override;
};

class SystemTimers final : public Timers {
  public:
    Task<> sleep(milliseconds duration) override;
};

}  // namespace calhost
