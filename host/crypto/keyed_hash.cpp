#include "crypto/keyed_hash.h"

#include <sodium.h>

#include <span>

#include "crypto/openssl.h"

namespace calhost::crypto {

KeyedHash::KeyedHash(Random& random) { random.fill(std::as_writable_bytes(std::span(key_))); }

KeyedHash::~KeyedHash() { sodium_memzero(key_.data(), key_.size()); }

KeyedHash::Value KeyedHash::operator()(std::string_view data) const {
    static_assert(crypto_shorthash_siphashx24_KEYBYTES == sizeof key_);
    static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(Value));
    Value value{};
    crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(value.data()), bytes_of(data),
                                data.size(), key_.data());
    return value;
}

}  // namespace calhost::crypto
