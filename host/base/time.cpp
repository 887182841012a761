#include "base/time.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <concepts>
#include <optional>

namespace calhost {
namespace {

/// Reads exactly `count` digits at `at`.
std::optional<int> digits(std::string_view text, size_t at, size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

bool is_char(std::string_view text, size_t at, std::string_view allowed) {
    return at < text.size() && allowed.contains(text[at]);
}

/// Minutes east of UTC in "Z", "+02:00", "-0330"; RFC 3339 wants the colon, many programs do not.
std::optional<int> offset_minutes(std::string_view text) {
    if (text == "Z" || text == "z") return 0;
    if (!is_char(text, 0, "+-")) return std::nullopt;
    const auto hours = digits(text, 1, 2);
    const bool colon = is_char(text, 3, ":");
    const auto minutes = digits(text, colon ? 4 : 3, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    if (text.size() != (colon ? 6U : 5U)) return std::nullopt;
    const int total = *hours * 60 + *minutes;
    return text[0] == '-' ? -total : total;
}

/// Milliseconds of a fraction such as ".25"; moves `at` behind it.
int fraction_millis(std::string_view text, size_t& at) {
    int millis = 0;
    int weight = 100;
    for (++at; is_char(text, at, "0123456789"); ++at, weight /= 10)
        millis += weight * (text[at] - '0');
    return millis;
}

/// By hand: every event of a sync has four times, and a general formatter takes longer than all
/// the rest of them.
void put_digits(std::string& text, size_t at, size_t count, std::integral auto value) {
    for (size_t i = at + count; i > at; --i, value /= 10)
        text[i - 1] = static_cast<char>('0' + value % 10);
}

std::unexpected<Error> not_a_time(std::string_view text) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' is not a time such as 2026-11-20T09:00:00Z", text.substr(0, 40)));
}

}  // namespace

std::string format_rfc3339(Timestamp when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{when - day};
    std::string text = "yyyy-mm-ddThh:mm:ssZ";
    put_digits(text, 0, 4, int(date.year()));
    put_digits(text, 5, 2, unsigned(date.month()));
    put_digits(text, 8, 2, unsigned(date.day()));
    put_digits(text, 11, 2, time.hours().count());
    put_digits(text, 14, 2, time.minutes().count());
    put_digits(text, 17, 2, time.seconds().count());
    if (time.subseconds().count() == 0) return text;
    text.replace(19, 1, ".mmmZ");
    put_digits(text, 20, 3, time.subseconds().count());
    return text;
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    const auto yyyy = digits(text, 0, 4), mm = digits(text, 5, 2), dd = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2),
               second = digits(text, 17, 2);
    const bool shaped = is_char(text, 4, "-") && is_char(text, 7, "-") &&
                        is_char(text, 10, "Tt ") && is_char(text, 13, ":") &&
                        is_char(text, 16, ":");
    if (!shaped || !yyyy || !mm || !dd || !hour || !minute || !second) return not_a_time(text);
    const year_month_day date{year{*yyyy}, month(unsigned(*mm)), day(unsigned(*dd))};
    if (!date.ok() || *yyyy < 1 || *hour > 23 || *minute > 59 || *second > 60)
        return not_a_time(text);
    size_t at = 19;
    const int millis = is_char(text, at, ".") ? fraction_millis(text, at) : 0;
    const auto offset = offset_minutes(text.substr(at));
    if (!offset) return not_a_time(text);
    return sys_days{date} + hours{*hour} + minutes{*minute - *offset} +
           seconds{std::min(*second, 59)} + milliseconds{millis};
}

Timestamp SystemClock::now() const {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds SystemClock::monotonic() const {
    return std::chrono::steady_clock::now().time_since_epoch();
}

Task<> SystemTimers::sleep(milliseconds duration) {
    SteadyTimer timer(co_await boost::asio::this_coro::executor, duration);
    co_await timer.async_wait(use_task);
}

}  // namespace calhost
