#include "base/random.h"

#include "base/encoding.h"

namespace calhost {

std::string random_bytes(Random& random, std::size_t count) {
    std::string bytes(count, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

std::uint64_t random_below(Random& random, std::uint64_t bound) {
    std::uint64_t value = 0;
    random.fill(std::as_writable_bytes(std::span(&value, 1)));
    return value % bound;  // the bias is below 2^-32 for the bounds of delays and choices
}

std::string new_id(Random& random) {
    auto bytes = random_bytes(random, 16);
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
    const auto digits = hex_encode(bytes);
    std::string id(digits, 0, 8);
    id.reserve(36);
    for (const std::size_t at : {8U, 12U, 16U}) id.append(1, '-').append(digits, at, 4);
    return id.append(1, '-').append(digits, 20, 12);
}

std::string new_token(Random& random) { return base64url_encode(random_bytes(random, 32)); }

}  // namespace calhost
