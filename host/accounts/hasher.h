/// Argon2id away from the workers: two threads, a queue of 32, then `rate_limited`.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"

namespace calhost::accounts {

/// *Thread*: any; the answer comes back on the caller's executor.
class Hasher {
  public:
    virtual ~Hasher() = default;
    virtual Task<Result<std::string>> hash(Secret password) = 0;
    /// An empty `hash` costs the same time and is never right.
    virtual Task<Result<bool>> verify(std::string hash, Secret password) = 0;
    /// Ends its threads when what is queued is done; later calls answer `unavailable`.
    virtual void close() = 0;
};

/// Clean-up: `close` comes before the end of its callers' io_contexts, since a thread still lets go
/// of the caller's executor after its answer has arrived there.
std::unique_ptr<Hasher> make_thread_hasher(int threads = 2, int queue = 32);
/// On the caller's thread: for the simulation and for commands.
std::unique_ptr<Hasher> make_inline_hasher();

}  // namespace calhost::accounts
