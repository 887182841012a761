/// What happens again and again: jobs of the kind `schedule`, one for each name, so that they
/// survive restarts and are never doubled.
#pragma once

#include "jobs/runner.h"

namespace calhost::jobs {

inline constexpr std::string_view kScheduleJob = "schedule";

/// *Thread*: the runner's. *Ownership*: refers to what the runner refers to.
class Schedules {
  public:
    using Function = std::function<Task<Result<void>>()>;

    Schedules(Runner& runner, storage::Database& database, const Clock& clock, Random& random);

    /// `function` runs about every `every`: never later than that after its last run began, and up
    /// to a tenth earlier, so that hosts and schedules do not fall into step. An error is logged;
    /// the next run is tried at its time all the same. A name that is known gets the new function.
    void add(std::string name, milliseconds every, Function function);
    /// Those that are not added any more run once more and end, without having done anything.
    void remove(const std::string& name);
    /// Enqueues each that is missing, was set aside, or would come later than it should. Called at
    /// start, and after another was added.
    Task<Result<void>> plan();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace calhost::jobs
