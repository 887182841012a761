/// Runs the jobs that other rooms enqueue: leases with a fence, pacing, full-jitter backoff, dead
/// letters.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "jobs/pacer.h"
#include "storage/database.h"
#include "storage/jobs.h"

namespace calhost::jobs {

struct RunnerOptions {
    milliseconds lease{60'000};
    milliseconds heartbeat{15'000};
    milliseconds first_delay{1'000};  ///< full jitter: random in [0, first·2^n], at most max_delay
    milliseconds max_delay{3'600'000};
    int max_attempts = 25;
    int in_flight = 32;
    /// Of one lane, so that a provider that hangs leaves room for the others.
    int per_lane = 16;
    PacerOptions pace{};
    /// Looks at least this often, also for leases to extend; `wake` makes it look at once.
    milliseconds poll{5'000};
};

struct KindOptions {
    bool is_paced = false;  ///< each run takes a token of its lane and one of its connection
};

/// Runs one job. An error with a transient code, or `cancelled`, retries (not before `retry_after`,
/// if it says so; `rate_limited` that says so does not count as a try). So does `needs_reauth` of a
/// job with a connection, which is paused while that is not active. Any other error and an
/// exception bury the job with a sentence.
/// *Cancels*: when the lease was lost, because somebody else runs the job now.
using JobFunction = std::function<Task<Result<void>>(const storage::Job& job)>;

/// Wakes by itself when a job is enqueued.
/// *Thread*: one worker's; one runner a host. Functions may hop to a connection's home worker.
class Runner {
  public:
    Runner(storage::Database& database, const Clock& clock, Timers& timers, Random& random,
           RunnerOptions options);
    ~Runner();

    void on(std::string kind, JobFunction function, KindOptions kind_options = {});
    /// Claims and runs until `stop`; then waits for the running ones. Await it before what the
    /// constructor got goes.
    Task<> run();
    /// There may be something due.
    void wake();
    void stop();
    [[nodiscard]] int running() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace calhost::jobs
