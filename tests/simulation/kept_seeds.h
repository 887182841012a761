/// Seeds that once showed a mistake; every run tries them first.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace calhost::simulation {

struct KeptSeed {
    std::uint64_t seed;
    std::string_view what;  ///< the mistake that it showed
};

inline constexpr std::array kKeptSeeds{
    KeptSeed{2, "a refresh told to wait, and the old token was used at once"},
    KeptSeed{5, "a restart forgot the provider's Retry-After"},
    KeptSeed{12, "a cancelled all-day occurrence stayed, for its length is zero"},
};

}  // namespace calhost::simulation
