#include "crypto/jws.h"

#include <cjose/cjose.h>
#include <jansson.h>

#include <cstdlib>
#include <new>
#include <optional>
#include <stdexcept>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/openssl.h"

namespace calhost::crypto {
namespace {

constexpr std::size_t kMaxToken = 8U << 10U;
constexpr std::size_t kMinSecret = 32;

using Key = std::unique_ptr<cjose_jwk_t, Freed<cjose_jwk_release>>;
using Jws = std::unique_ptr<cjose_jws_t, Freed<cjose_jws_release>>;
using Header = std::unique_ptr<cjose_header_t, Freed<cjose_header_release>>;
using Json = std::unique_ptr<json_t, Freed<json_decref>>;

std::unexpected<Error> refuse(const char* why) {
    return fail(ErrorCode::unauthorized, std::string("the token is not valid: ") + why);
}

/// One spelling for each text of bytes: no padding, no stray bits, the URL alphabet.
std::optional<std::string> decode_part(std::string_view part) {
    auto bytes = base64_decode(part);
    if (!bytes || part.empty() || base64url_encode(*bytes) != part) return std::nullopt;
    return std::move(*bytes);
}

/// An object in which no name stands twice: two parsers that each take another of the two would
/// see two tokens (RFC 8725 section 2.4 is the same danger).
std::optional<json::object> decode_object(std::string_view part) {
    const auto text = decode_part(part);
    if (!text) return std::nullopt;
    auto parsed = json::parse(*text);
    if (!parsed || !parsed->is_object()) return std::nullopt;
    const Json strict(json_loadb(text->data(), text->size(), JSON_REJECT_DUPLICATES, nullptr));
    if (strict == nullptr) return std::nullopt;
    return std::move(parsed->as_object());
}

/// `jku`, `x5u`, `jwk` and an unknown `kid` change nothing: there is one key and one algorithm.
bool is_header_fit(const json::object& header) {
    const auto* kid = header.if_contains("kid");
    return json::text_of(header, "alg") == CJOSE_HDR_ALG_HS256 && !header.contains("crit") &&
           (kid == nullptr || kid->is_string());
}

}  // namespace

struct TokenSigner::Impl {
    Key key;
};

TokenSigner::TokenSigner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenSigner::TokenSigner(TokenSigner&&) noexcept = default;
TokenSigner& TokenSigner::operator=(TokenSigner&&) noexcept = default;
TokenSigner::~TokenSigner() = default;

Result<TokenSigner> TokenSigner::create(const Secret& secret) {
    const auto text = secret.expose();
    if (text.size() < kMinSecret)
        return fail(ErrorCode::misconfigured,
                    "the secret that signs tokens has fewer than 32 characters; make one with "
                    "`openssl rand -hex 32`");
    auto impl = std::make_unique<Impl>();
    impl->key.reset(cjose_jwk_create_oct_spec(bytes_of(text), text.size(), nullptr));
    if (impl->key == nullptr) throw std::bad_alloc();
    return TokenSigner(std::move(impl));
}

std::string TokenSigner::sign(const json::object& claims) const {
    const Header header(cjose_header_new(nullptr));
    const auto payload = json::serialize(claims);
    if (header == nullptr ||
        !cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, nullptr) ||
        !cjose_header_set(header.get(), "typ", "JWT", nullptr))
        throw std::bad_alloc();
    const Jws jws(
        cjose_jws_sign(impl_->key.get(), header.get(), bytes_of(payload), payload.size(), nullptr));
    const char* token = nullptr;
    if (jws == nullptr || !cjose_jws_export(jws.get(), &token, nullptr))
        throw std::runtime_error("cjose could not sign a token");
    return token;
}

Result<json::object> TokenSigner::verify(std::string_view token) const {
    if (token.size() > kMaxToken) return refuse("it is longer than 8 KiB");
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
        return refuse("it does not have three parts");
    const auto header = decode_object(token.substr(0, first));
    if (!header) return refuse("its header cannot be read");
    if (!is_header_fit(*header)) return refuse("its header asks for what is not accepted here");
    if (!decode_part(token.substr(second + 1))) return refuse("its signature cannot be read");
    // Before cjose sees it: padding in the wrong place ends the program there, by an assertion.
    const auto payload = token.substr(first + 1, second - first - 1);
    if (!decode_part(payload)) return refuse("its claims cannot be read");

    const Jws jws(cjose_jws_import(token.data(), token.size(), nullptr));
    if (jws == nullptr || !cjose_jws_verify(jws.get(), impl_->key.get(), nullptr))
        return refuse("its signature does not fit");
    auto claims = decode_object(payload);
    if (!claims) return refuse("its claims are no object");
    return std::move(*claims);
}

}  // namespace calhost::crypto
