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
    KeptSeed{152, "three crashes in a row set a booking aside that only ran beside them"},
    KeptSeed{300, "a token refused right after it was given ended a booking's job for good"},
    KeptSeed{418, "three crashes again, for two bookings, and nothing else brought them back"},
    KeptSeed{419, "another account under the same label got an event that its row did not know"},
    KeptSeed{757, "the same, and an update looked for the event in the wrong account"},
};

}  // namespace calhost::simulation
