// Looks into every block of memory at the moment it is given back: a canary must not be in it.
// Not under ThreadSanitizer, whose own operator new cannot be replaced.
#if !__has_feature(thread_sanitizer)
#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "crypto/key_ring.h"
#include "support/seeded_random.h"

namespace {

constexpr std::string_view kCanary = "canary-5e1f7c0d-canary-5e1f7c0d";
std::atomic<int> seen{0};
std::atomic<bool> is_watching{false};

void give_back(void* block) noexcept {
    if (block != nullptr && is_watching &&
        memmem(block, malloc_usable_size(block), kCanary.data(), kCanary.size()) != nullptr)
        ++seen;
    std::free(block);
}

struct Watch {
    Watch() {
        seen = 0;
        is_watching = true;
    }
    ~Watch() { is_watching = false; }
};

/// The canary without a second copy of it on the heap.
calhost::Secret canary() { return calhost::Secret(std::string(kCanary)); }

}  // namespace

void* operator new(std::size_t size) {
    if (void* block = std::malloc(size)) return block;
    throw std::bad_alloc();
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }

using namespace calhost;

TEST_CASE("zeroing: the watch sees what an ordinary string leaves behind") {
    const Watch watch;
    {
        const std::string left(kCanary);
        CHECK(!left.empty());
    }
    CHECK(seen == 1);
}

TEST_CASE("zeroing: a secret leaves nothing when it is copied, moved, assigned and dropped") {
    const Watch watch;
    {
        Secret a = canary();
        Secret b = a;
        Secret c = std::move(a);
        b = c;
        c = Secret("another text that is long enough for the heap");
        b = std::move(c);
        a = canary();
    }
    CHECK(seen == 0);
}

TEST_CASE("zeroing: a short secret is wiped inside the object itself") {
    alignas(Secret) std::byte room[sizeof(Secret)];
    auto* secret = new (room) Secret(std::string("short-canary"));
    const auto holds = [&] { return memmem(room, sizeof room, "canary", 6) != nullptr; };
    REQUIRE(holds());
    Secret other = std::move(*secret);
    CHECK_FALSE(holds());
    *secret = std::move(other);
    REQUIRE(holds());
    secret->~Secret();
    CHECK_FALSE(holds());
}

TEST_CASE("zeroing: sealing and opening leave no copy of the text, opened or refused") {
    test::SeededRandom random(1);
    std::vector<crypto::NamedKey> keys;
    keys.push_back({"k1", Secret(std::string(32, 'a'))});
    const auto ring = crypto::KeyRing::create(std::move(keys), "k1").value();
    const crypto::Place place{"t", "c", "r", "u"};
    const Watch watch;
    {
        const auto sealed = ring.seal(canary(), place, random);
        REQUIRE(ring.open(sealed, place)->expose() == kCanary);
        REQUIRE_FALSE(ring.open(sealed, {"t", "c", "r", "v"}).has_value());
    }
    CHECK(seen == 0);
}

#endif
