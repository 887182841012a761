#include "crypto/aead.h"

#include <openssl/crypto.h>

#include <limits>
#include <stdexcept>

#include "crypto/openssl.h"

namespace calhost::crypto {
namespace {

enum class Direction { decrypt = 0, encrypt = 1 };

int size_of(std::string_view text) {
    if (text.size() > std::numeric_limits<int>::max())
        throw std::length_error("a text above 2 GiB cannot be sealed");
    return static_cast<int>(text.size());
}

/// A context of this thread, given key and nonce. Reuse is twice as fast as a new one.
EVP_CIPHER_CTX* begin(Direction direction, const Secret& key, std::string_view nonce) {
    thread_local const Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    thread_local const CipherContext context(EVP_CIPHER_CTX_new());
    auto* const used = context.get();
    require(cipher != nullptr && used != nullptr && key.expose().size() == kKeyBytes &&
                EVP_CipherInit_ex2(used, cipher.get(), nullptr, nullptr,
                                   static_cast<int>(direction), nullptr) == 1 &&
                EVP_CIPHER_CTX_ctrl(used, EVP_CTRL_AEAD_SET_IVLEN, size_of(nonce), nullptr) == 1 &&
                EVP_CipherInit_ex2(used, nullptr, bytes_of(key.expose()), bytes_of(nonce),
                                   static_cast<int>(direction), nullptr) == 1,
            "AES-256-GCM");
    return used;
}

/// Runs the additional data and then the text through the cipher.
void run(EVP_CIPHER_CTX* context, std::string_view additional, std::string_view text,
         std::string& out) {
    int length = 0;
    require(
        EVP_CipherUpdate(context, nullptr, &length, bytes_of(additional), size_of(additional)) ==
                1 &&
            EVP_CipherUpdate(context, bytes_of(out), &length, bytes_of(text), size_of(text)) == 1,
        "AES-256-GCM");
}

}  // namespace

Encrypted aead_encrypt(const Secret& key, std::string_view nonce, std::string_view additional,
                       const Secret& plain) {
    auto* const context = begin(Direction::encrypt, key, nonce);
    Encrypted out{std::string(plain.expose().size(), '\0'), std::string(kTagBytes, '\0')};
    run(context, additional, plain.expose(), out.data);
    unsigned char rest[EVP_MAX_BLOCK_LENGTH];
    int length = 0;
    require(EVP_CipherFinal_ex(context, rest, &length) == 1 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, out.tag.data()) == 1,
            "AES-256-GCM");
    return out;
}

std::optional<Secret> aead_decrypt(const Secret& key, std::string_view nonce,
                                   std::string_view additional, std::string_view data,
                                   std::string_view tag) {
    if (tag.size() != kTagBytes) return std::nullopt;
    auto* const context = begin(Direction::decrypt, key, nonce);
    std::string expected(tag);
    std::string plain(data.size(), '\0');
    run(context, additional, data, plain);
    unsigned char rest[EVP_MAX_BLOCK_LENGTH];
    int length = 0;
    const bool is_authentic =
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, expected.data()) == 1 &&
        EVP_CipherFinal_ex(context, rest, &length) == 1;
    // The secret takes the text either way, so that it is wiped when the tag does not fit.
    Secret opened(std::move(plain));
    if (!is_authentic) return std::nullopt;
    return opened;
}

}  // namespace calhost::crypto
