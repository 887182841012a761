/// What the simulation decides by chance: a stream of its own, so that a decision more or less in
/// the host does not change what people do.
#pragma once

#include <cstdint>
#include <random>

#include "base/time.h"

namespace calhost::simulation {

/// *Thread*: one.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}

    /// Uniform in [0, bound).
    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    bool chance(std::uint64_t percent) { return below(100) < percent; }
    milliseconds between(milliseconds least, milliseconds most) {
        return least + milliseconds(below(static_cast<std::uint64_t>((most - least).count()) + 1));
    }
    template <class Container>
    auto& pick(Container& from) {
        return from[below(from.size())];
    }

  private:
    std::mt19937_64 engine_;
};

}  // namespace calhost::simulation
