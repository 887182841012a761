/// Everything that happened, in order, without secrets: two runs of one seed must tell the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace calhost::simulation {

/// *Thread*: one.
class Trace {
  public:
    explicit Trace(const Clock& clock) : clock_(&clock) {}

    void add(std::string_view what);
    /// FNV-1a over all lines.
    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    /// The last lines, each ended.
    [[nodiscard]] std::string tail(std::size_t count) const;
    [[nodiscard]] std::size_t size() const { return lines_.size(); }

  private:
    const Clock* clock_;
    std::vector<std::string> lines_;
    std::uint64_t hash_ = 14695981039346656037ULL;
};

}  // namespace calhost::simulation
