#include "crypto/password.h"

#include <doctest/doctest.h>
#include <sodium.h>

using namespace calhost;
using namespace calhost::crypto;

TEST_CASE("password: a hash names Argon2id, 19 MiB, two passes, one lane") {
    const auto hash = hash_password(Secret("correct horse battery"));
    CHECK(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    CHECK_FALSE(needs_rehash(hash));
}

TEST_CASE("password: only the same password opens its hash, and each hash has its own salt") {
    const auto hash = hash_password(Secret("correct horse battery"));
    CHECK(verify_password(hash, Secret("correct horse battery")));
    for (const auto* wrong : {"correct horse batterz", "Correct horse battery", "", "correct horse",
                              "correct horse battery "})
        CHECK_FALSE_MESSAGE(verify_password(hash, Secret(wrong)), wrong);
    CHECK(hash_password(Secret("correct horse battery")) != hash);
}

TEST_CASE("password: every byte counts, NUL and 128 bytes included") {
    using namespace std::string_literals;
    const auto long_one = std::string(127, 'a') + "\xff";
    CHECK(verify_password(hash_password(Secret(long_one)), Secret(long_one)));
    CHECK_FALSE(verify_password(hash_password(Secret(long_one)), Secret(std::string(127, 'a'))));
    CHECK_FALSE(verify_password(hash_password(Secret("ab\0cd"s)), Secret("ab\0ce"s)));
}

TEST_CASE("password: what is no hash opens for nobody") {
    const auto hash = hash_password(Secret("correct horse battery"));
    for (const auto& broken : {std::string(), std::string("plain"), hash.substr(0, hash.size() - 2),
                               "x" + hash, std::string(500, '$')}) {
        CHECK_FALSE_MESSAGE(verify_password(broken, Secret("correct horse battery")), broken);
        CHECK_FALSE(verify_password(broken, Secret("")));
        CHECK(needs_rehash(broken));
    }
}

TEST_CASE("password: a hash of other costs still opens and asks to be made anew") {
    char old[crypto_pwhash_STRBYTES];
    REQUIRE(crypto_pwhash_str_alg(old, "secret", 6, 1, 8U << 20U, crypto_pwhash_ALG_ARGON2ID13) ==
            0);
    CHECK(verify_password(old, Secret("secret")));
    CHECK(needs_rehash(old));
}
