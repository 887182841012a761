// Sealed values that nobody sealed do not open; the same for the host's own tokens.
#include "base/json.h"
#include "crypto/jws.h"
#include "crypto/key_ring.h"
#include "fuzz/check.h"
#include "support/seeded_random.h"

using namespace calhost;
using namespace calhost::crypto;

namespace {

constexpr Place kPlace{"connections", "refresh_token", "row", "user"};

const KeyRing& ring() {
    static const KeyRing ring =
        KeyRing::create(
            {{"k1", Secret(std::string(32, 'a'))}, {"k2", Secret(std::string(32, 'b'))}}, "k1")
            .value();
    return ring;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    static const TokenSigner signer =
        TokenSigner::create(Secret("a secret of the fuzzer, 32 bytes")).value();
    static test::SeededRandom random(1);
    const auto text = fuzz::to_text(bytes, size);
    fuzz::promise(!ring().open(text, kPlace), "what nobody sealed does not open");
    (void)KeyRing::key_id_of(text);
    const auto opened = ring().open(ring().seal(Secret(std::string(text)), kPlace, random), kPlace);
    fuzz::promise(opened && opened->expose() == text, "what is sealed opens");
    if (const auto key = parse_key(text)) fuzz::promise(key->expose().size() == 32, "32 bytes");
    // The seeds have one token of this signer, for "ada".
    if (const auto claims = signer.verify(text))
        fuzz::promise(json::text_of(*claims, "sub") == "ada", "a changed token is refused");
    return 0;
}
