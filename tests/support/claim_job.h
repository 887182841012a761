/// One job of the queue, for a test that wants to hold it itself.
#pragma once

#include <string>

#include "storage/jobs.h"

namespace calhost::test {

inline Result<std::optional<storage::Job>> claim_job(storage::Sql& sql, std::string_view lease,
                                                     Timestamp now, Timestamp leased_until,
                                                     const storage::Admit& admit = {}) {
    const std::string leases[] = {std::string(lease)};
    auto jobs = storage::claim_jobs(sql, leases, now, leased_until, admit);
    if (!jobs) return fail(std::move(jobs.error()));
    if (jobs->empty()) return std::optional<storage::Job>();
    return std::optional(std::move(jobs->front()));
}

}  // namespace calhost::test
