/// How long a failed job waits, and whether it gets another try.
#pragma once

#include "base/random.h"
#include "jobs/runner.h"

namespace calhost::jobs {

/// Full jitter after the n-th attempt: uniform in [0, first_delay · 2^(n - 1)], cut at max_delay.
milliseconds retry_delay(const RunnerOptions& options, int attempts, Random& random);

/// What becomes of a job after a run.
struct Ending {
    enum class Kind { finish, retry, bury } kind{};
    Timestamp run_at{};                   ///< of the next try
    std::optional<Timestamp> not_before;  ///< what the other side demanded
    std::string error;                    ///< a sentence
    bool is_counted = true;               ///< as one of the tries
};
Ending decide_ending(const storage::Job& job, const Result<void>& result,
                     const RunnerOptions& options, Timestamp now, Random& random);

}  // namespace calhost::jobs
