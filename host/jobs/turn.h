/// One write of the runner: jobs that end together share it with those that begin in their place.
#pragma once

#include <string>
#include <vector>

#include "jobs/backoff.h"
#include "storage/jobs.h"

namespace calhost::jobs {

/// Planned by the runner on its worker, stored on the writer's thread: what it needs is copied, but
/// for the jobs that ended, which nobody touches until it is done.
struct Turn {
    struct End {
        const storage::Job* job;
        const Ending* ending;
        bool is_ours = false;  ///< stored; false: the lease was lost, and nothing changed
    };
    struct Extension {
        std::string id, lease;
        bool is_ours = false;
    };
    Timestamp now;                   ///< when it was planned
    std::chrono::nanoseconds asked;  ///< the same by the clock that nobody sets
    Timestamp until;                 ///< to where leases go
    std::vector<End> ends{};
    std::vector<Extension> extensions{};
    std::vector<std::string> leases{};  ///< as many as there is room for
    std::vector<storage::Job> jobs{};   ///< claimed, each with one of them

    [[nodiscard]] bool is_empty() const {
        return ends.empty() && extensions.empty() && leases.empty();
    }
    /// All of it or nothing. *Errors*: those of Sql.
    Result<void> store(storage::Sql& sql, const storage::Admit& admit);
};

}  // namespace calhost::jobs
