/// Token buckets: how many calls a principal or an address may make.
#pragma once

#include <string>
#include <unordered_map>

#include "base/time.h"

namespace calhost::api {

/// A bucket holds ten seconds' worth and refills steadily. *Thread*: one worker's; each worker
/// keeps its own, so a caller gets at most `per_second` a worker.
class Limits {
  public:
    Limits(double per_second, const Clock& clock) : per_second_(per_second), clock_(&clock) {}

    /// Takes so many tokens. Nothing: go on; else how long to wait.
    std::optional<milliseconds> take(const std::string& who, double tokens = 1);
    [[nodiscard]] std::size_t size() const { return buckets_.size(); }

  private:
    struct Bucket {
        double tokens = 0;
        std::chrono::nanoseconds filled_at{0};
    };
    void make_room(std::chrono::nanoseconds now);

    double per_second_;
    const Clock* clock_;
    std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace calhost::api
