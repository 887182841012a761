/// Randomness that a seed repeats.
#pragma once

#include <random>

#include "base/random.h"

namespace calhost::test {

/// *Thread*: one.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    void fill(std::span<std::byte> bytes) override {
        for (auto& byte : bytes) byte = static_cast<std::byte>(engine_() & 0xff);
    }

  private:
    std::mt19937_64 engine_;
};

}  // namespace calhost::test
