#include "crypto/jws.h"

#include <doctest/doctest.h>
#include <openssl/hmac.h>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"

using namespace calhost;
using namespace calhost::crypto;

namespace {

const std::string kSecret = "a-test-secret-of-more-than-32-bytes!";
const std::string kHeader = R"({"alg":"HS256","typ":"JWT"})";
const std::string kClaims = R"({"sub":"u1","exp":1900000000})";

TokenSigner signer(const std::string& secret = kSecret) {
    auto made = TokenSigner::create(Secret(secret));
    REQUIRE(made.has_value());
    return std::move(*made);
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view data) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    HMAC(digest, key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(data.data()), data.size(),
         reinterpret_cast<unsigned char*>(out.data()), &size);
    out.resize(size);
    return out;
}

/// A token with this header and payload, signed as a holder of the secret would.
std::string forge(std::string_view header, std::string_view payload,
                  const EVP_MD* digest = EVP_sha256(), std::string_view secret = kSecret) {
    const auto input = base64url_encode(header) + "." + base64url_encode(payload);
    return input + "." + base64url_encode(hmac(digest, secret, input));
}

/// A token whose encoded parts are given as they stand, signed over them.
std::string forge_parts(const std::string& header, const std::string& payload) {
    const auto input = header + "." + payload;
    return input + "." + base64url_encode(hmac(EVP_sha256(), kSecret, input));
}

std::string header_with(std::string_view members) {
    return R"({"alg":"HS256","typ":"JWT",)" + std::string(members) + "}";
}

struct Attack {
    std::string name, token;
};

/// Nobody's signature is right here, or there is none.
std::vector<Attack> unsigned_attacks() {
    const auto good = forge(kHeader, kClaims);
    const auto h = base64url_encode(kHeader), p = base64url_encode(kClaims);
    const auto signature = good.substr(good.rfind('.') + 1);
    const auto none = [&](std::string_view alg) {
        return base64url_encode(R"({"alg":")" + std::string(alg) + "\"}") + "." + p + ".";
    };
    auto flipped = good;
    flipped[h.size() + 5] = flipped[h.size() + 5] == 'A' ? 'B' : 'A';
    const auto other_claims = base64url_encode(R"({"sub":"admin","exp":1900000000})");
    return {
        {"nothing", ""},
        {"one dot", "."},
        {"two dots", ".."},
        {"three dots", "..."},
        {"no dots", "token"},
        {"only a header", h},
        {"header and payload", h + "." + p},
        {"an empty signature", h + "." + p + "."},
        {"an empty header", "." + p + "." + signature},
        {"an empty payload", h + ".." + signature},
        {"a fourth part", good + "." + p},
        {"a trailing dot", good + "."},
        {"a leading dot", "." + good},
        {"five parts, as encrypted tokens have", h + "." + p + "." + p + "." + p + "." + p},
        {"alg none without signature", none("none")},
        {"alg None", none("None")},
        {"alg NONE", none("NONE")},
        {"alg nOnE", none("nOnE")},
        {"alg none with a signature", none("none") + signature},
        {"alg empty", none("")},
        {"another secret",
         forge(kHeader, kClaims, EVP_sha256(), "another secret of 32 bytes......")},
        {"an empty secret", forge(kHeader, kClaims, EVP_sha256(), "")},
        {"a secret of NUL bytes", forge(kHeader, kClaims, EVP_sha256(), std::string(36, '\0'))},
        {"the secret cut by one", forge(kHeader, kClaims, EVP_sha256(), kSecret.substr(1))},
        {"another payload", h + "." + other_claims + "." + signature},
        {"a flipped letter", flipped},
        {"half a signature", h + "." + p + "." + signature.substr(0, 20)},
        {"a signature of one byte", h + "." + p + ".AA"},
        {"a signature of NUL bytes", h + "." + p + "." + base64url_encode(std::string(32, '\0'))},
        {"a signature with a tail", good + "AAAA"},
        {"a signature in the standard alphabet",
         h + "." + p + "." + base64_encode(base64_decode(signature).value())},
        {"a padded signature", good + "="},
        {"stray bits in the signature",
         good.substr(0, good.size() - 1) + static_cast<char>(good.back() + 1)},
        {"the signature's hex", h + "." + p + "." + hex_encode(base64_decode(signature).value())},
        {"a space behind", good + " "},
        {"a line end behind", good + "\n"},
        {"a NUL behind", good + std::string(1, '\0')},
        {"a space before", " " + good},
        {"a space inside", h + " ." + p + "." + signature},
        {"the scheme word", "Bearer " + good},
        {"two tokens", good + "," + good},
        {"in JSON form", R"({"protected":")" + h + R"(","payload":")" + p + R"(","signature":")" +
                             signature + "\"}"},
        {"percent-encoded dots", h + "%2E" + p + "%2E" + signature},
        {"8 KiB and more of letters", std::string(9000, 'a')},
        {"a million dots", std::string(1'000'000, '.')},
        {"not UTF-8", "\xff\xfe." + p + "." + signature},
    };
}

/// Signed with the right secret over what stands there, and still refused.
std::vector<Attack> signed_attacks() {
    const auto h = base64url_encode(kHeader), p = base64url_encode(kClaims);
    const std::string deep = std::string(40, '[') + std::string(40, ']');
    const auto with_alg = [](std::string_view alg) {
        return forge(R"({"typ":"JWT","alg":)" + std::string(alg) + "}", kClaims);
    };
    std::vector<Attack> attacks{
        {"HS512, well signed", forge(R"({"alg":"HS512"})", kClaims, EVP_sha512())},
        {"HS384, well signed", forge(R"({"alg":"HS384"})", kClaims, EVP_sha384())},
        {"HS256 named, HS512 signed", forge(kHeader, kClaims, EVP_sha512())},
        {"no alg", forge(R"({"typ":"JWT"})", kClaims)},
        {"alg twice", forge(R"({"alg":"none","alg":"HS256"})", kClaims)},
        {"alg twice, the other way", forge(R"({"alg":"HS256","alg":"none"})", kClaims)},
        {"alg twice, once escaped", forge(R"({"alg":"HS256","\u0061lg":"none"})", kClaims)},
        {"crit", forge(header_with(R"("crit":["exp"],"exp":1)"), kClaims)},
        {"crit empty", forge(header_with(R"("crit":[])"), kClaims)},
        {"crit null", forge(header_with(R"("crit":null)"), kClaims)},
        {"crit b64", forge(header_with(R"("b64":false,"crit":["b64"])"), kClaims)},
        {"kid a number", forge(header_with(R"("kid":1)"), kClaims)},
        {"kid an object", forge(header_with(R"("kid":{"a":"b"})"), kClaims)},
        {"kid a list", forge(header_with(R"("kid":["k1"])"), kClaims)},
        {"kid null", forge(header_with(R"("kid":null)"), kClaims)},
        {"kid twice", forge(header_with(R"("kid":"a","kid":"b")"), kClaims)},
        {"header a list", forge("[]", kClaims)},
        {"header a string", forge("\"HS256\"", kClaims)},
        {"header null", forge("null", kClaims)},
        {"header cut", forge(R"({"alg":"HS256")", kClaims)},
        {"header with a tail", forge(kHeader + "{}", kClaims)},
        {"header not UTF-8", forge(header_with("\"x\":\"\xff\""), kClaims)},
        {"header deep", forge(header_with("\"x\":" + deep), kClaims)},
        {"header with a comment", forge("/**/" + kHeader, kClaims)},
        {"header padded", forge_parts(base64_encode(kHeader + " "), p)},
        {"payload padded", forge_parts(h, base64_encode(kClaims + "  "))},
        {"payload in the standard alphabet", forge_parts(h, "eyJhIjoi8/+/In0")},
        {"payload no base64", forge_parts(h, "a$b")},
        {"payload of a wrong length", forge_parts(h, "abcde")},
        {"payload of a wrong length, padded", forge_parts(h, "abcde===")},
        {"payload with padding inside", forge_parts(h, "a=b=")},
        {"payload with a line end", forge_parts(h, p + "\n")},
        {"stray bits in the payload",
         forge_parts(h, base64url_encode("{\"a\":1}").substr(0, 9) + "R")},
        {"claims a list", forge(kHeader, R"(["sub","u1"])")},
        {"claims a string", forge(kHeader, "\"u1\"")},
        {"claims a number", forge(kHeader, "1")},
        {"claims true", forge(kHeader, "true")},
        {"claims null", forge(kHeader, "null")},
        {"claims empty", forge(kHeader, "")},
        {"claims cut", forge(kHeader, R"({"sub":"u1")")},
        {"claims with a tail", forge(kHeader, kClaims + kClaims)},
        {"claims no JSON", forge(kHeader, "{sub:'u1'}")},
        {"claims not UTF-8", forge(kHeader, "{\"sub\":\"\xc3\x28\"}")},
        {"claims with a raw NUL", forge(kHeader, std::string("{\"sub\":\"a\0b\"}", 13))},
        {"claims with an infinite number", forge(kHeader, R"({"exp":1e400})")},
        {"claims deep", forge(kHeader, "{\"x\":" + deep + "}")},
        {"sub twice", forge(kHeader, R"({"sub":"u1","sub":"admin"})")},
        {"a name twice further in", forge(kHeader, R"({"a":{"r":"user","r":"admin"}})")},
        {"more than 8 KiB", forge(kHeader, R"({"x":")" + std::string(8192, 'x') + "\"}")},
        {"a nested token", forge(kHeader, forge(kHeader, kClaims))},
    };
    for (const auto* alg :
         {R"("none")", R"("RS256")", R"("RS512")", R"("ES256")", R"("PS256")", R"("EdDSA")",
          R"("hs256")", R"("HS256 ")", R"("HS256\u0000")", R"("HS2560")", R"("A256KW")", R"("dir")",
          R"("")", "null", "true", "256", R"(["HS256"])", R"({"HS256":1})"})
        attacks.push_back({std::string("alg ") + alg + " over a good HMAC", with_alg(alg)});
    return attacks;
}

}  // namespace

TEST_CASE("jws: RFC 7515 appendix A.1's token is accepted with its key") {
    const auto key = base64_decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0"
        "iPS4hcgUuTwjAzZr1Z9CAow");
    const auto claims = signer(*key).verify(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    REQUIRE(claims.has_value());
    CHECK(claims->at("iss") == "joe");
    CHECK(claims->at("exp") == 1300819380);
}

TEST_CASE("jws: what the host signs is a plain HS256 token, and the host reads it back") {
    const json::object claims{{"sub", "u1"}, {"n", 1}, {"name", "Zoë"}, {"list", {1, 2}}};
    const auto token = signer().sign(claims);
    CHECK(token == forge(kHeader, json::serialize(claims)));
    const auto read = signer().verify(token);
    REQUIRE(read.has_value());
    CHECK(*read == claims);
}

TEST_CASE("jws: headers that name a key elsewhere change nothing") {
    for (const auto* members :
         {R"("jku":"https://evil.example/jwks")", R"("x5u":"https://evil.example/cert")",
          R"("jwk":{"kty":"oct","k":"AAAA"})", R"("x5c":["MIIB"])", R"("kid":"")",
          R"("kid":"../../../../dev/null")", R"("kid":"' OR 1=1 --")", R"("kid":"k\u0000")",
          R"("cty":"JWT")", R"("zip":"DEF")", R"("typ2":1)"}) {
        const auto header = header_with(members);
        // cjose itself refuses NUL in a header; every other unknown member is passed over.
        const bool has_nul = header.find("u0000") != std::string::npos;
        CHECK_MESSAGE(signer().verify(forge(header, kClaims)).has_value() == !has_nul, members);
        // The key that the header offers is not used either.
        CHECK_FALSE(signer()
                        .verify(forge(header, kClaims, EVP_sha256(), std::string(3, '\0')))
                        .has_value());
    }
}

TEST_CASE("jws: every attack of the table is refused, in a sentence without the token") {
    auto attacks = unsigned_attacks();
    for (auto& attack : signed_attacks()) attacks.push_back(std::move(attack));
    CHECK(attacks.size() >= 60);
    const auto verifier = signer();
    for (const auto& [name, token] : attacks) {
        const auto claims = verifier.verify(token);
        REQUIRE_MESSAGE(!claims.has_value(), name);
        CHECK(claims.error().code == ErrorCode::unauthorized);
        CHECK(claims.error().message.starts_with("the token is not valid: "));
        CHECK(claims.error().message.size() < 120);
    }
    // The refusals above are about the tokens: the plain one is good.
    CHECK(verifier.verify(forge(kHeader, kClaims)).has_value());
}

TEST_CASE("jws: the size limit is 8 KiB of token, not a byte less") {
    const auto token_of = [](std::size_t size) {
        return forge(kHeader, R"({"x":")" + std::string(size, 'x') + "\"}");
    };
    std::size_t size = 6000;
    while (token_of(size + 1).size() <= 8192) ++size;
    CHECK(signer().verify(token_of(size)).has_value());
    CHECK_FALSE(signer().verify(token_of(size + 1)).has_value());
}

TEST_CASE("jws: a flipped bit anywhere in a token is refused") {
    const auto verifier = signer();
    const auto token = forge(kHeader, kClaims);
    for (std::size_t at = 0; at < token.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            auto bad = token;
            bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
            REQUIRE_MESSAGE(!verifier.verify(bad).has_value(), at, " ", bit);
        }
}

TEST_CASE("jws: a secret under 32 bytes is refused") {
    const auto made = TokenSigner::create(Secret(std::string(31, 's')));
    REQUIRE(!made.has_value());
    CHECK(made.error().code == ErrorCode::misconfigured);
    CHECK(TokenSigner::create(Secret(std::string(32, 's'))).has_value());
}
