/// A disk without room.
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>

namespace calhost::test {

/// While it lives no file of this process grows beyond `bytes`.
class FullDisk {
  public:
    explicit FullDisk(rlim_t bytes = 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        limit(bytes);
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;
    ~FullDisk() { limit(RLIM_INFINITY); }

  private:
    static void limit(rlim_t bytes) {
        const rlimit wanted{bytes, RLIM_INFINITY};
        if (::setrlimit(RLIMIT_FSIZE, &wanted) != 0) std::abort();
    }
};

}  // namespace calhost::test
