/// A fast hash for what this process remembers in memory and what others must not foresee.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace calhost::crypto {

/// SipHash-2-4 with 128 bits, under a key of its own that is never told and never stored.
class KeyedHash {
  public:
    using Value = std::array<std::uint64_t, 2>;

    explicit KeyedHash(Random& random);
    ~KeyedHash();
    KeyedHash(const KeyedHash&) = delete;
    KeyedHash& operator=(const KeyedHash&) = delete;

    Value operator()(std::string_view data) const;

  private:
    std::array<unsigned char, 16> key_{};
};

}  // namespace calhost::crypto
