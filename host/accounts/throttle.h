/// Slows guessing down.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace calhost::accounts {

/// Counts failures by key. After `free` of them each further one closes the key for 1 s, 2 s, 4 s,
/// up to 15 min. A key is forgotten an hour after it opened again. Keys are kept as hashes.
/// *Thread*: any: one for all workers, so that more workers do not mean more guesses.
class Throttle {
  public:
    explicit Throttle(const Clock& clock, std::size_t capacity = 10'000)
        : clock_(&clock), capacity_(capacity) {}

    /// How long the key is still closed; zero: open.
    milliseconds remaining(std::string_view key);
    void failed(std::string_view key, int free = 0);
    void succeeded(std::string_view key);

  private:
    using Moment = std::chrono::nanoseconds;  // of Clock::monotonic
    struct Entry {
        int failures = 0;
        Moment closed_until{};
    };
    void make_room(Moment now);

    const Clock* clock_;
    std::size_t capacity_;
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace calhost::accounts
