#include "crypto/keyed_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/seeded_random.h"

using namespace calhost;
using crypto::KeyedHash;

namespace {

/// Gives 0, 1, 2, … as the vectors of SipHash's reference implementation have their key.
class CountingRandom final : public Random {
  public:
    void fill(std::span<std::byte> bytes) override {
        std::ranges::generate(bytes, [i = 0]() mutable { return std::byte(i++); });
    }
};

}  // namespace

TEST_CASE("keyed hash: is SipHash-2-4 with 128 bits") {
    CountingRandom random;
    const KeyedHash hash(random);
    // The first vectors of the reference implementation: no byte, and the bytes 0 to 14.
    std::string data;
    CHECK(hash(data) == KeyedHash::Value{0xe6a825ba047f81a3, 0x930255c71472f66d});
    for (char c = 0; c < 15; ++c) data += c;
    CHECK(hash(data) == KeyedHash::Value{0x11a8b03399e99354, 0xd9c3cf970fec087e});
}

TEST_CASE("keyed hash: another key is another hash") {
    test::SeededRandom random(1);
    const KeyedHash one(random), other(random);
    CHECK(one("token") == one("token"));
    CHECK(one("token") != one("tokem"));
    CHECK(one("token") != other("token"));
}
