#include "crypto/password.h"

#include <sodium.h>

#include <new>
#include <stdexcept>

namespace calhost::crypto {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = 19ULL << 20U;  // p = 1 is libsodium's only choice

void begin() {
    static const bool is_ready = sodium_init() >= 0;
    if (!is_ready) throw std::runtime_error("libsodium does not start");
}

}  // namespace

std::string hash_password(const Secret& password) {
    begin();
    char hash[crypto_pwhash_STRBYTES];
    const auto text = password.expose();
    if (crypto_pwhash_str_alg(hash, text.data(), text.size(), kPasses, kMemory,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        throw std::bad_alloc();  // the only failure left with these costs
    return hash;
}

bool verify_password(std::string_view hash, const Secret& password) {
    begin();
    const auto text = password.expose();
    return crypto_pwhash_str_verify(std::string(hash).c_str(), text.data(), text.size()) == 0;
}

bool needs_rehash(std::string_view hash) {
    begin();
    return crypto_pwhash_str_needs_rehash(std::string(hash).c_str(), kPasses, kMemory) != 0;
}

}  // namespace calhost::crypto
