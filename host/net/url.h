/// Absolute http and https URLs, taken apart once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calhost::net {

struct Url {
    bool is_tls = false;
    std::string host;  ///< lower case, without brackets, decoded
    std::uint16_t port = 0;
    std::string target;  ///< path and query, at least "/"

    /// *Errors*: invalid: another scheme, user information, no host, a host that no name has.
    static Result<Url> parse(std::string_view text);
    /// Reads a Location against this URL (RFC 3986 section 5). *Errors*: as parse.
    [[nodiscard]] Result<Url> resolve(std::string_view location) const;

    /// "https://host:port": equal for URLs that may share a connection.
    [[nodiscard]] std::string origin() const;
    /// The Host field's value: the port only where it is not the scheme's.
    [[nodiscard]] std::string authority() const;
};

}  // namespace calhost::net
