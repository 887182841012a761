#include "jobs/backoff.h"

#include <fmt/format.h>

#include <algorithm>

namespace calhost::jobs {
namespace {

constexpr int kMaxDoublings = 30;  // more would only overflow: max_delay has cut it long before

/// A job that was cancelled has done nothing wrong: the host stopped. One whose person must
/// connect anew is paused until then.
bool is_worth_another_try(const storage::Job& job, ErrorCode code) {
    return is_transient(code) || code == ErrorCode::cancelled ||
           (code == ErrorCode::needs_reauth && !job.connection_id.empty());
}

/// The other side is busy and says for how long: that may happen to the same job for days.
bool is_postponed(const Error& error) {
    return error.code == ErrorCode::rate_limited && error.retry_after;
}

}  // namespace

milliseconds retry_delay(const RunnerOptions& options, int attempts, Random& random) {
    const int doublings = std::clamp(attempts - 1, 0, kMaxDoublings);
    const auto limit =
        std::min(options.first_delay * (std::int64_t{1} << doublings), options.max_delay);
    return milliseconds{random_below(random, static_cast<std::uint64_t>(limit.count()) + 1)};
}

Ending decide_ending(const storage::Job& job, const Result<void>& result,
                     const RunnerOptions& options, Timestamp now, Random& random) {
    using enum Ending::Kind;
    if (result) return {.kind = finish};
    const Error& error = result.error();
    if (!is_worth_another_try(job, error.code)) return {.kind = bury, .error = error.message};
    if (job.attempts >= options.max_attempts && !is_postponed(error))
        return {
            .kind = bury,
            .error = fmt::format("Tried {} times; the last time: {}", job.attempts, error.message)};
    Ending ending{.kind = retry, .error = error.message, .is_counted = !is_postponed(error)};
    ending.run_at = now + retry_delay(options, job.attempts, random);
    if (error.retry_after) {
        ending.not_before = now + *error.retry_after;
        ending.run_at = std::max(ending.run_at, *ending.not_before);
    }
    return ending;
}

}  // namespace calhost::jobs
