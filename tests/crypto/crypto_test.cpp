#include "crypto/crypto.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "base/encoding.h"
#include "support/seeded_random.h"

using namespace calhost;
using namespace calhost::crypto;

TEST_CASE("crypto: SHA-256 and SHA-1 give FIPS 180's answers") {
    struct Row {
        std::string data, sha256_hex, sha1_hex;
    };
    const Row rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
        {std::string(1'000'000, 'a'),
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
         "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
    };
    for (const auto& row : rows) {
        CHECK(hex_encode(sha256(row.data)) == row.sha256_hex);
        CHECK(hex_encode(sha1(row.data)) == row.sha1_hex);
    }
}

TEST_CASE("crypto: HMAC-SHA-256 gives RFC 4231's answers, whatever key came before") {
    struct Row {
        std::string key, data, hex;
    };
    const Row rows[] = {
        {std::string(20, '\x0b'), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (int round = 0; round < 2; ++round)
        for (const auto& row : rows) CHECK(hex_encode(hmac_sha256(row.key, row.data)) == row.hex);
    CHECK(hmac_sha256({}, {}) == hmac_sha256("", ""));
}

TEST_CASE("crypto: hashing is the same on every thread") {
    const auto expected = sha256("x") + hmac_sha256("k", "x");
    std::string there;
    std::thread([&] { there = sha256("x") + hmac_sha256("k", "x"); }).join();
    CHECK(there == expected);
}

TEST_CASE("crypto: a token is stored under the hex of its SHA-256") {
    CHECK(token_hash(Secret("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("crypto: equal is true for the same bytes only") {
    struct Row {
        std::string_view a, b;
        bool expected;
    };
    using namespace std::string_view_literals;
    const Row rows[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"abc", "abc", true},
        {"abc", "abd", false},
        {"abc", "Abc", false},
        {"abc", "abcd", false},
        {"abcd", "abc", false},
        {"a\0b"sv, "a\0b"sv, true},
        {"a\0b"sv, "a\0c"sv, false},
        {"a"sv, "a\0"sv, false},
        {{}, "", true},
    };
    for (const auto& row : rows) CHECK_MESSAGE(equal(row.a, row.b) == row.expected, row.a, row.b);
}

TEST_CASE("crypto: PKCE gives RFC 7636 appendix B's challenge") {
    CHECK(pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
          "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("crypto: a PKCE verifier has 43 unreserved characters and fits its challenge") {
    test::SeededRandom random(1);
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto pkce = make_pkce(random);
        const auto verifier = pkce.verifier.expose();
        CHECK(verifier.size() == 43);
        CHECK(verifier.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123"
                                         "456789-_") == std::string_view::npos);
        CHECK(pkce.challenge == pkce_challenge(verifier));
        CHECK(seen.insert(std::string(verifier)).second);
    }
}

TEST_CASE("crypto: the system's randomness fills every byte and never repeats") {
    SystemRandom random;
    std::set<std::string> seen;
    std::string ever(40, '\0');
    for (int i = 0; i < 64; ++i) {
        const auto bytes = random_bytes(random, 40);
        CHECK(seen.insert(bytes).second);
        for (std::size_t at = 0; at < bytes.size(); ++at) ever[at] |= bytes[at];
    }
    CHECK(ever.find('\0') == std::string::npos);
}
