/// One host a store: a lock that the kernel lets go of when the process ends, however it ends.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace calhost::storage {

/// Holds `<file>.lock` until it is destroyed; the process id is in it.
class FileLock {
  public:
    /// *Errors*: unavailable, when another process (or another Store) has it.
    static Result<FileLock> take(const std::filesystem::path& file);

    FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

  private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// Makes the file and its folder if they are absent, and lets only the owner read it.
Result<void> make_private_file(const std::filesystem::path& file);

}  // namespace calhost::storage
