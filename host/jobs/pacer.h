/// How fast paced jobs may start: a token bucket for each lane and for each connection, so that
/// ten thousand bookings do not use up what a provider allows the host, nor one person all of it.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace calhost::jobs {

struct Pace {
    int per_second = 0;  ///< tokens that come back
    int burst = 0;       ///< tokens of a full bucket
    bool operator==(const Pace&) const = default;
};

struct PacerOptions {
    Pace lane{.per_second = 50, .burst = 200};
    Pace connection{.per_second = 5, .burst = 100};
    /// Of lanes that differ, by name.
    std::map<std::string, Pace> lanes{}, connections_of_lane{};
};

/// *Thread*: one at a time.
class Pacer {
  public:
    Pacer(PacerOptions options, const Clock& clock)
        : options_(std::move(options)), clock_(&clock) {}

    /// How long until there is a token; zero: now.
    [[nodiscard]] milliseconds lane_wait(const std::string& lane) const;
    [[nodiscard]] milliseconds connection_wait(const std::string& lane,
                                               const std::string& connection_id) const;
    /// From one token of the connection to its next.
    [[nodiscard]] milliseconds connection_step(const std::string& lane) const;
    /// A job starts. An empty name has no bucket.
    void take(const std::string& lane, const std::string& connection_id);
    [[nodiscard]] std::size_t size() const { return lanes_.size() + connections_.size(); }

  private:
    /// When each bucket will be full again; one that is absent is full.
    using Buckets = std::unordered_map<std::string, std::chrono::nanoseconds>;
    [[nodiscard]] const Pace& lane_pace(const std::string& lane) const;
    [[nodiscard]] const Pace& connection_pace(const std::string& lane) const;
    [[nodiscard]] milliseconds wait(const Buckets& buckets, const std::string& name,
                                    const Pace& pace) const;
    void take(Buckets& buckets, const std::string& name, const Pace& pace);

    PacerOptions options_;
    const Clock* clock_;
    Buckets lanes_, connections_;
};

}  // namespace calhost::jobs
