/// What the host makes of a request's head, before and after the parser: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/address.h"
#include "net/message.h"

namespace calhost::net {

/// Why a request is answered without a handler.
struct Fault {
    int status = 400;
    std::string code = "bad_request";
    std::string detail;
};

/// Looks at each byte of a head once, while it arrives. Refuses what parsers disagree about: bare
/// CR or LF, control bytes, folded fields (RFC 9112 sections 2.2 and 5.2).
class HeadScanner {
  public:
    enum class State { more, complete, bad };

    /// `bytes` begins where it began at the last call and may have grown.
    State scan(std::string_view bytes);
    /// Length of the complete head, its empty line included.
    [[nodiscard]] std::size_t size() const { return at_; }
    /// Length of the first line, as far as it is there.
    [[nodiscard]] std::size_t first_line() const { return first_line_ == 0 ? at_ : first_line_; }
    [[nodiscard]] const char* reason() const { return reason_; }

  private:
    State refuse(const char* reason);

    std::size_t at_ = 0;
    std::size_t line_ = 0;
    std::size_t first_line_ = 0;
    const char* reason_ = "";
};

/// Fills path and query from `target` (RFC 9112 section 3.2). The absolute form replaces Host.
std::optional<Fault> read_target(Request& request);

/// A Host or authority without user information: a name or an address, and perhaps a port.
bool is_authority(std::string_view text);

/// A valid X-Request-Id, else the trace id of a valid W3C traceparent, else empty.
std::string incoming_request_id(const Headers& headers);

/// Replaces client_address and is_secure, which say what the socket knows, when the peer is a
/// trusted proxy: the client is the rightmost address of X-Forwarded-For that is not trusted.
void read_forwarded(Request& request, const Address& peer, const Networks& trusted);

}  // namespace calhost::net
