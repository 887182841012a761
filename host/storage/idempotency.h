/// Table `idempotency_keys`: unsafe calls that were sent with a key, while they run and for a day
/// after that.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

struct IdempotentCall {
    std::string id;           ///< hash of caller, method, path and key
    std::string fence;        ///< of the run that holds the row
    bool is_done = false;     ///< else it runs, at most until `expires_at`
    std::string sealed_call;  ///< what was asked, and the answer once it is done
    Timestamp expires_at{};
};

/// Takes the row for a run that begins, unless another one holds it or was done: that one comes
/// back. Each claim also clears a few expired rows away, more than it adds.
Result<std::optional<IdempotentCall>> claim_call(Sql& sql, const IdempotentCall& call,
                                                 Timestamp now);
/// Marks the run as done. False: its lease ended, and the row is another's.
Result<bool> finish_call(Sql& sql, const IdempotentCall& call);
/// Lets the key go, so that the next try runs.
Result<bool> release_call(Sql& sql, std::string_view id, std::string_view fence);
/// At the start of a host: nobody runs any more what was running.
Result<std::int64_t> release_interrupted_calls(Sql& sql);

}  // namespace calhost::storage
