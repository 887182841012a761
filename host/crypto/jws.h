/// Compact JWS through cjose, with the algorithm pinned by the caller (RFC 8725 section 3.1).
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace calhost::crypto {

/// HS256 with one secret. *Thread*: one worker's.
class TokenSigner {
  public:
    /// *Errors*: misconfigured, for a secret under 32 bytes.
    static Result<TokenSigner> create(const Secret& secret);
    TokenSigner(TokenSigner&&) noexcept;
    TokenSigner& operator=(TokenSigner&&) noexcept;
    ~TokenSigner();

    /// {"alg":"HS256","typ":"JWT"} and these claims.
    [[nodiscard]] std::string sign(const boost::json::object& claims) const;
    /// Verifies the signature and gives the claims; times and issuer are the caller's to check.
    /// Refuses: over 8 KiB, any algorithm but HS256, `crit`, claims that are no object.
    /// `jku`, `x5u`, `jwk` are never followed. *Errors*: unauthorized.
    [[nodiscard]] Result<boost::json::object> verify(std::string_view token) const;

  private:
    struct Impl;
    explicit TokenSigner(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace calhost::crypto
