#include "api/limits.h"

#include <algorithm>

namespace calhost::api {
namespace {

constexpr double kBurstSeconds = 10;
constexpr std::size_t kMostBuckets = 10'000;

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::optional<milliseconds> Limits::take(const std::string& who, double tokens) {
    if (per_second_ <= 0) return std::nullopt;
    const auto now = clock_->monotonic();
    const double capacity = per_second_ * kBurstSeconds;
    if (buckets_.size() >= kMostBuckets) make_room(now);
    auto& bucket = buckets_.try_emplace(who, Bucket{capacity, now}).first->second;
    bucket.tokens =
        std::min(capacity, bucket.tokens + seconds(now - bucket.filled_at) * per_second_);
    bucket.filled_at = now;
    if (bucket.tokens >= tokens) {
        bucket.tokens -= tokens;
        return std::nullopt;
    }
    return milliseconds{static_cast<std::int64_t>((tokens - bucket.tokens) / per_second_ * 1000) +
                        1};
}

void Limits::make_room(std::chrono::nanoseconds now) {
    std::erase_if(buckets_, [&](const auto& entry) {
        return seconds(now - entry.second.filled_at) >= kBurstSeconds;
    });
    // Full of callers of the last seconds: starting over gives each his burst once more, and keeps
    // both memory and the cost of the next look bounded.
    if (buckets_.size() > kMostBuckets / 2) buckets_.clear();
}

}  // namespace calhost::api
