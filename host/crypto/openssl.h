/// What the files of this room share of OpenSSL: owners, and a check for what cannot fail.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace calhost::crypto {

/// Frees with the function that belongs to the type.
template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Cipher = std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD, Freed<EVP_MD_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Mac = std::unique_ptr<EVP_MAC, Freed<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>>;

/// For calls that fail only without memory or with a broken OpenSSL: throws std::runtime_error.
void require(bool succeeded, const char* what);

inline const unsigned char* bytes_of(std::string_view text) {
    // OpenSSL takes a null pointer for "as before", so an empty view points at something.
    return reinterpret_cast<const unsigned char*>(text.data() != nullptr ? text.data() : "");
}
inline unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace calhost::crypto
