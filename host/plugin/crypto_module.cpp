#include "base/encoding.h"
#include "crypto/crypto.h"
#include "plugin/modules.h"

namespace calhost::plugin {
namespace {

using lua::Call;

/// RFC 4648 section 7 in lower case, without padding: what Google allows in ids.
std::string base32hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
    std::string text;
    unsigned pending = 0;
    int bits = 0;
    for (const char byte : bytes) {
        pending = (pending << 8U | static_cast<unsigned char>(byte)) & 0xFFFU;
        for (bits += 8; bits >= 5; bits -= 5)
            text += digits[pending >> static_cast<unsigned>(bits - 5) & 31U];
    }
    if (bits > 0) text += digits[pending << static_cast<unsigned>(5 - bits) & 31U];
    return text;
}

/// How a hash is told: argument `index` is "hex" (or nothing), "base32hex" or "base64url".
void give_hash(Call& call, int index, std::string_view hash) {
    const auto form = call.argument(index).string();
    if (form.empty() || form == "hex") return give_text(call, hex_encode(hash));
    if (form == "base32hex") return give_text(call, base32hex(hash));
    if (form == "base64url") return give_text(call, base64url_encode(hash));
    call.refuse(index, "hex, base32hex or base64url is expected");
}

}  // namespace

void fill_crypto(lua::Table& table) {
    table.function("sha256",
                   [](Call& call) { give_hash(call, 2, crypto::sha256(text_argument(call, 1))); });
    table.function("hmac_sha256", [](Call& call) {
        give_hash(call, 3, crypto::hmac_sha256(text_argument(call, 1), text_argument(call, 2)));
    });
    table.function("base64",
                   [](Call& call) { give_text(call, base64_encode(text_argument(call, 1))); });
    table.function("base64url",
                   [](Call& call) { give_text(call, base64url_encode(text_argument(call, 1))); });
    table.function("base32hex",
                   [](Call& call) { give_text(call, base32hex(text_argument(call, 1))); });
    table.function("equal", [](Call& call) {
        const bool same = crypto::equal(text_argument(call, 1), text_argument(call, 2));
        call.give([&](lua::Writer& writer) { writer.boolean(same); });
    });
}

}  // namespace calhost::plugin
