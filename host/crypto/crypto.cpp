#include "crypto/crypto.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <stdexcept>

#include "base/encoding.h"
#include "crypto/openssl.h"

namespace calhost::crypto {
namespace {

void draw(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min<std::size_t>(bytes.size(), INT_MAX));
        if (RAND_bytes(reinterpret_cast<unsigned char*>(part.data()),
                       static_cast<int>(part.size())) != 1)
            std::abort();
        bytes = bytes.subspan(part.size());
    }
}

/// Random bytes of one thread, drawn ahead: asking OpenSSL costs the same two microseconds for 16
/// bytes and for 512, and every request has an id. What is taken is wiped here at once.
class RandomPool {
  public:
    static constexpr std::size_t kMost = 64;  ///< of one `take`

    RandomPool() = default;
    RandomPool(const RandomPool&) = delete;
    RandomPool& operator=(const RandomPool&) = delete;
    ~RandomPool() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

    void take(std::span<std::byte> into) {
        if (into.size() > left_) {
            draw(bytes_);
            left_ = bytes_.size();
        }
        const auto taken = std::span(bytes_).subspan(bytes_.size() - left_, into.size());
        std::ranges::copy(taken, into.begin());
        OPENSSL_cleanse(taken.data(), taken.size());
        left_ -= taken.size();
    }

  private:
    std::array<std::byte, 512> bytes_{};
    std::size_t left_ = 0;
};

/// One hash algorithm on one thread: fetching it and making a context cost more than hashing.
class Hasher {
  public:
    explicit Hasher(const char* name)
        : digest_(EVP_MD_fetch(nullptr, name, nullptr)), context_(EVP_MD_CTX_new()) {
        require(digest_ != nullptr && context_ != nullptr, name);
    }

    std::string hash(std::string_view data) {
        std::string out(static_cast<std::size_t>(EVP_MD_get_size(digest_.get())), '\0');
        require(EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), bytes_of(out), nullptr) == 1,
                "hashing");
        return out;
    }

  private:
    Digest digest_;
    DigestContext context_;
};

/// HMAC-SHA-256 on one thread; a reused context is four times as fast as the one-shot call.
class Authenticator {
  public:
    Authenticator()
        : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), context_(EVP_MAC_CTX_new(mac_.get())) {
        require(context_ != nullptr, "HMAC");
        char name[] = "SHA256";
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
            OSSL_PARAM_construct_end()};
        require(EVP_MAC_CTX_set_params(context_.get(), parameters) == 1, "HMAC-SHA-256");
    }

    std::string authenticate(std::string_view key, std::string_view data) {
        std::string out(32, '\0');
        std::size_t size = 0;
        require(EVP_MAC_init(context_.get(), bytes_of(key), key.size(), nullptr) == 1 &&
                    EVP_MAC_update(context_.get(), bytes_of(data), data.size()) == 1 &&
                    EVP_MAC_final(context_.get(), bytes_of(out), &size, out.size()) == 1,
                "HMAC");
        return out;
    }

  private:
    Mac mac_;
    MacContext context_;
};

}  // namespace

void require(bool succeeded, const char* what) {
    if (succeeded) return;
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    throw std::runtime_error(fmt::format("OpenSSL failed at {}: {}", what, reason));
}

void SystemRandom::fill(std::span<std::byte> bytes) {
    thread_local RandomPool pool;
    if (bytes.size() <= RandomPool::kMost)
        pool.take(bytes);
    else
        draw(bytes);
}

std::string sha256(std::string_view data) {
    thread_local Hasher hasher("SHA256");
    return hasher.hash(data);
}

std::string sha1(std::string_view data) {
    thread_local Hasher hasher("SHA1");
    return hasher.hash(data);
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
    thread_local Authenticator authenticator;
    return authenticator.authenticate(key, data);
}

std::string token_hash(const Secret& token) { return hex_encode(sha256(token.expose())); }

bool equal(std::string_view a, std::string_view b) {
    const bool is_same_size = a.size() == b.size();
    // Compares `a` with itself when the sizes differ, so that the time depends on `a` alone.
    const std::string_view other = is_same_size ? b : a;
    return CRYPTO_memcmp(a.data(), other.data(), a.size()) == 0 && is_same_size;
}

Pkce make_pkce(Random& random) {
    Pkce pkce;
    pkce.verifier = Secret(new_token(random));
    pkce.challenge = pkce_challenge(pkce.verifier.expose());
    return pkce;
}

std::string pkce_challenge(std::string_view verifier) { return base64url_encode(sha256(verifier)); }

}  // namespace calhost::crypto
