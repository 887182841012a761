#include "accounts/token_cache.h"

#include <doctest/doctest.h>

#include "support/seeded_random.h"
#include "support/virtual_time.h"

using namespace calhost;
using namespace std::chrono_literals;
using accounts::Principal;
using accounts::TokenCache;

namespace {
const Timestamp kNow = from_millis(1'800'000'000'000);
Principal ann(Timestamp expires_at = kNow + 15min) { return {"u-ann", "mentor", expires_at}; }
}  // namespace

TEST_CASE("token cache: finds what was stored, and nothing that only looks like it") {
    test::SeededRandom random(1);
    TokenCache cache(random);
    cache.store("token-1", ann(), kNow);
    const auto found = cache.find("token-1", kNow);
    REQUIRE(found);
    CHECK(found->user_id == "u-ann");
    CHECK(found->role == "mentor");
    CHECK(!cache.find("token-2", kNow));
    CHECK(!cache.find("", kNow));
}

TEST_CASE("token cache: an expired token is gone at once") {
    test::SeededRandom random(1);
    TokenCache cache(random);
    cache.store("token-1", ann(), kNow);
    CHECK(cache.find("token-1", kNow + 15min));
    CHECK(!cache.find("token-1", kNow + 15min + 1ms));
    CHECK(cache.size() == 0);
}

TEST_CASE("token cache: a changed user loses every token, others keep theirs") {
    test::SeededRandom random(1);
    TokenCache cache(random);
    cache.store("token-1", ann(), kNow);
    cache.store("token-2", ann(), kNow);
    cache.store("token-3", {"u-bob", "", kNow + 15min}, kNow);
    cache.drop_user("u-ann");
    CHECK(!cache.find("token-1", kNow));
    CHECK(!cache.find("token-2", kNow));
    CHECK(cache.find("token-3", kNow));
}

TEST_CASE("token cache: never more than its capacity, expired ones making room first") {
    test::SeededRandom random(1);
    TokenCache cache(random, 2);
    cache.store("old", ann(kNow + 1min), kNow);
    cache.store("living", ann(), kNow);
    cache.store("new", ann(kNow + 20min), kNow + 2min);
    CHECK(cache.size() == 2);
    CHECK(cache.find("living", kNow + 2min));
    cache.store("one too many", ann(), kNow + 2min);
    CHECK(cache.size() == 1);
    CHECK(cache.find("one too many", kNow + 2min));
}
