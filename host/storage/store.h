/// Opens the store and hands each worker its Database.
#pragma once

#include <filesystem>
#include <memory>

#include "storage/database.h"

namespace calhost::storage {

struct StoreOptions {
    std::filesystem::path file;  ///< made with its folder when absent, mode 0600
    /// Writes run on the caller's thread, one at a time, each committed by itself: for the
    /// simulation and for commands. Otherwise a writer thread commits in groups.
    bool is_inline = false;
    bool is_durable = true;  ///< synchronous=FULL; off only where a test throws the disk away
};

/// *Thread*: any. Clean-up: every Database goes first.
class Store {
  public:
    virtual ~Store() = default;

    /// Opens, refuses a second host on the same file, migrates forward (one transaction a step).
    /// *Errors*: unavailable (in use, cannot open), misconfigured (a schema newer than this
    /// program, with the sentence that says what to do).
    static Result<std::unique_ptr<Store>> open(StoreOptions options);

    /// A worker's own view; its completions run on `executor`.
    virtual std::unique_ptr<Database> database(Executor executor) = 0;
    virtual int schema_version() = 0;
    /// Commits what waits and ends the writer. Called by the destructor too.
    virtual void close() = 0;
};

/// `sqlite:calhost.db` relative to `data_folder`. *Errors*: misconfigured, for a scheme that has no
/// driver yet.
Result<StoreOptions> parse_storage_url(std::string_view url,
                                       const std::filesystem::path& data_folder);

}  // namespace calhost::storage
