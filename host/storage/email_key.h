/// How addresses are compared.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace calhost::storage {

/// Addresses differ only by more than ASCII case; the engines' own lower() differ beyond ASCII.
inline std::string email_key(std::string_view email) {
    std::string key(email);
    std::ranges::transform(key, key.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return key;
}

}  // namespace calhost::storage
