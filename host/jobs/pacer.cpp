#include "jobs/pacer.h"

namespace calhost::jobs {
namespace {

using std::chrono::nanoseconds;

/// So many buckets are looked through for full ones before another is added.
constexpr std::size_t kMostBuckets = 10'000;

nanoseconds time_for(int tokens, const Pace& pace) {
    return nanoseconds{std::chrono::seconds{tokens}} / pace.per_second;
}

const Pace& find_or(const std::map<std::string, Pace>& paces, const std::string& name,
                    const Pace& otherwise) {
    const auto found = paces.find(name);
    return found == paces.end() ? otherwise : found->second;
}

}  // namespace

const Pace& Pacer::lane_pace(const std::string& lane) const {
    return find_or(options_.lanes, lane, options_.lane);
}

const Pace& Pacer::connection_pace(const std::string& lane) const {
    return find_or(options_.connections_of_lane, lane, options_.connection);
}

/// A bucket that is full at `t` has no token earlier than `burst - 1` tokens' time before that.
milliseconds Pacer::wait(const Buckets& buckets, const std::string& name, const Pace& pace) const {
    const auto full_at = buckets.find(name);
    if (full_at == buckets.end()) return milliseconds{0};
    const auto next = full_at->second - time_for(pace.burst - 1, pace);
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(next - clock_->monotonic()));
}

milliseconds Pacer::lane_wait(const std::string& lane) const {
    return wait(lanes_, lane, lane_pace(lane));
}

milliseconds Pacer::connection_wait(const std::string& lane,
                                    const std::string& connection_id) const {
    return wait(connections_, connection_id, connection_pace(lane));
}

milliseconds Pacer::connection_step(const std::string& lane) const {
    return std::chrono::ceil<milliseconds>(time_for(1, connection_pace(lane)));
}

void Pacer::take(Buckets& buckets, const std::string& name, const Pace& pace) {
    if (name.empty()) return;
    const auto now = clock_->monotonic();
    if (buckets.size() >= kMostBuckets)
        std::erase_if(buckets, [&](const auto& each) { return each.second <= now; });
    auto& full_at = buckets.try_emplace(name, now).first->second;
    full_at = std::max(full_at, now) + time_for(1, pace);
}

void Pacer::take(const std::string& lane, const std::string& connection_id) {
    take(lanes_, lane, lane_pace(lane));
    take(connections_, connection_id, connection_pace(lane));
}

}  // namespace calhost::jobs
