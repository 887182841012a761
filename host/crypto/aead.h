/// AES-256-GCM with a 128-bit tag, on contexts that are kept per thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace calhost::crypto {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

struct Encrypted {
    std::string data;
    std::string tag;
};

/// `key` has 32 bytes; `nonce` has 12 and is never used twice under one key.
Encrypted aead_encrypt(const Secret& key, std::string_view nonce, std::string_view additional,
                       const Secret& plain);

/// Nothing when the tag does not fit. `nonce` may have 12 or 16 bytes.
std::optional<Secret> aead_decrypt(const Secret& key, std::string_view nonce,
                                   std::string_view additional, std::string_view data,
                                   std::string_view tag);

}  // namespace calhost::crypto
