#include "crypto/key_ring.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/aead.h"

namespace calhost::crypto {
namespace {

constexpr std::string_view kFormat = "v1";
constexpr std::size_t kMaxKeyId = 64;
constexpr std::string_view kHowToMakeOne =
    "make a key with `calhost keys new` or `openssl rand -hex 32`";

bool is_key_id(std::string_view id) {
    return !id.empty() && id.size() <= kMaxKeyId && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at != std::string_view::npos;) {
        const auto colon = text.find(':', at);
        parts.push_back(text.substr(at, colon - at));
        at = colon == std::string_view::npos ? colon : colon + 1;
    }
    return parts;
}

/// The authenticated data. Each part carries its length: ("a", "bc") and ("ab", "c") differ.
std::string additional_data(std::string_view key_id, const Place& place) {
    std::string out;
    for (const auto part : {kFormat, key_id, place.table, place.column, place.row, place.user}) {
        for (int shift = 56; shift >= 0; shift -= 8)
            out += static_cast<char>(part.size() >> shift & 0xff);
        out += part;
    }
    return out;
}

struct Parts {
    std::string nonce, tag, data;
};

/// Lower case only, so that a value has one spelling and any change to it is seen.
std::optional<Parts> decode(std::string_view nonce, std::string_view tag, std::string_view data) {
    Parts parts;
    for (auto [text, bytes] : {std::pair(nonce, &parts.nonce), std::pair(tag, &parts.tag),
                               std::pair(data, &parts.data)}) {
        if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; }))
            return std::nullopt;
        auto decoded = hex_decode(text);
        if (!decoded) return std::nullopt;
        *bytes = std::move(*decoded);
    }
    return parts;
}

std::unexpected<Error> damaged() {
    return fail(ErrorCode::invalid,
                "a sealed value cannot be opened: it was damaged, or moved here from another row");
}

Result<Secret> open_old(const std::vector<NamedKey>& keys, const Parts& parts) {
    // Node's older code chose 16 bytes for the IV, everything else 12.
    if (parts.nonce.size() != kNonceBytes && parts.nonce.size() != 16) return damaged();
    for (const auto& [id, key] : keys)
        if (auto plain = aead_decrypt(key, parts.nonce, {}, parts.data, parts.tag))
            return std::move(*plain);
    return damaged();
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

Result<Secret> parse_key(std::string_view text) {
    text = trim(text);
    if (text.empty())
        return fail(ErrorCode::misconfigured, fmt::format("a key is empty; {}", kHowToMakeOne));
    const bool is_hex =
        text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos &&
        text.size() % 2 == 0;
    auto decoded = is_hex ? hex_decode(text) : base64_decode(text);
    if (!decoded)
        return fail(ErrorCode::misconfigured,
                    fmt::format("a key is neither hexadecimal nor base64 text; {}", kHowToMakeOne));
    Secret key(std::move(*decoded));
    if (key.expose().size() != kKeyBytes)
        return fail(ErrorCode::misconfigured,
                    fmt::format("a key has {} bytes where 32 are needed (64 hexadecimal digits, or "
                                "base64 of 32 bytes); {}",
                                key.expose().size(), kHowToMakeOne));
    return key;
}

Result<KeyRing> KeyRing::create(std::vector<NamedKey> keys, std::string active) {
    if (keys.empty())
        return fail(ErrorCode::misconfigured,
                    fmt::format("no key is configured; {}", kHowToMakeOne));
    for (auto key = keys.begin(); key != keys.end(); ++key) {
        if (!is_key_id(key->id))
            return fail(ErrorCode::misconfigured,
                        "a key's name has other characters than letters, digits, '-' and '_', or "
                        "more than 64 of them; give it a short name such as k1");
        if (key->key.expose().size() != kKeyBytes)
            return fail(ErrorCode::misconfigured,
                        fmt::format("the key {} has {} bytes where 32 are needed; {}", key->id,
                                    key->key.expose().size(), kHowToMakeOne));
        if (std::ranges::find(keys.begin(), key, key->id, &NamedKey::id) != key)
            return fail(ErrorCode::misconfigured,
                        fmt::format("the key {} is configured twice; remove one", key->id));
    }
    if (std::ranges::find(keys, active, &NamedKey::id) == keys.end())
        return fail(ErrorCode::misconfigured,
                    fmt::format("the active key {} is not among the configured keys", active));
    KeyRing ring;
    ring.keys_ = std::move(keys);
    ring.active_ = std::move(active);
    return ring;
}

std::string KeyRing::seal(const Secret& plain, const Place& place, Random& random) const {
    const auto& key = std::ranges::find(keys_, active_, &NamedKey::id)->key;
    const auto nonce = random_bytes(random, kNonceBytes);
    const auto sealed = aead_encrypt(key, nonce, additional_data(active_, place), plain);
    return fmt::format("{}:{}:{}:{}:{}", kFormat, active_, hex_encode(nonce),
                       hex_encode(sealed.tag), hex_encode(sealed.data));
}

Result<Secret> KeyRing::open(std::string_view sealed, const Place& place) const {
    const auto text = split(sealed);
    const bool is_old = text.size() == 3;
    const auto id = key_id_of(sealed);
    if (!is_old && id.empty()) return damaged();
    const auto parts =
        is_old ? decode(text[0], text[1], text[2]) : decode(text[2], text[3], text[4]);
    if (!parts) return damaged();
    if (is_old) return open_old(keys_, *parts);

    const auto found = std::ranges::find(keys_, id, &NamedKey::id);
    if (found == keys_.end())
        return fail(ErrorCode::misconfigured,
                    fmt::format("a value is sealed with the key {}, which is not configured; put "
                                "it back among the keys and run `calhost keys rotate`",
                                id));
    if (parts->nonce.size() != kNonceBytes) return damaged();
    auto plain =
        aead_decrypt(found->key, parts->nonce, additional_data(id, place), parts->data, parts->tag);
    if (!plain) return damaged();
    return std::move(*plain);
}

std::vector<std::string> KeyRing::ids() const {
    std::vector<std::string> ids;
    for (const auto& key : keys_) ids.push_back(key.id);
    return ids;
}

std::string_view KeyRing::key_id_of(std::string_view sealed) {
    const auto parts = split(sealed);
    return parts.size() == 5 && parts[0] == kFormat && is_key_id(parts[1]) ? parts[1]
                                                                           : std::string_view();
}

}  // namespace calhost::crypto
