/// Randomness comes in by constructor, so that the simulation can seed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace calhost {

/// *Thread*: any, unless an implementation says otherwise. The real one is `crypto::SystemRandom`.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> bytes) = 0;
};

/// `count` random bytes.
std::string random_bytes(Random& random, std::size_t count);

/// Uniform in [0, bound); bound > 0. For jitter and choices, not for secrets.
std::uint64_t random_below(Random& random, std::uint64_t bound);

/// A random UUID (RFC 9562, version 4) in lower-case text. An id, not a secret.
std::string new_id(Random& random);

/// An unguessable token: 256 bits as base64url without padding (43 characters).
std::string new_token(Random& random);

}  // namespace calhost
