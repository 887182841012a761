/// The small things: hashes, constant-time compare, PKCE, randomness from OpenSSL.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace calhost::crypto {

/// OpenSSL's generator. *Thread*: any. Aborts the process if the generator fails: there is no
/// safe way on.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::byte> bytes) override;
};

std::string sha256(std::string_view data);  ///< 32 bytes, raw
std::string sha1(std::string_view data);    ///< raw; for names, not for safety
std::string hmac_sha256(std::string_view key, std::string_view data);  ///< raw
/// Hash under which an unguessable token is stored: SHA-256, hex.
std::string token_hash(const Secret& token);

/// Constant time in the length of `a`. Different lengths are different.
bool equal(std::string_view a, std::string_view b);

/// RFC 7636. The verifier has 43 characters; the method is always S256.
struct Pkce {
    Secret verifier;
    std::string challenge;
};
Pkce make_pkce(Random& random);
std::string pkce_challenge(std::string_view verifier);

}  // namespace calhost::crypto
