/// Where the client may go: pure functions.
#pragma once

#include "net/address.h"
#include "net/message.h"
#include "net/url.h"

namespace calhost::net {

/// What can be said before a name is resolved. *Errors*: forbidden, for an address in disguise.
Result<void> check_host(const Url& url, bool is_user_address);

/// The addresses to connect to: all of them, or none. An address that a person entered must be
/// https and public, unless it lies in `allowed`. *Errors*: forbidden; unavailable for none.
Result<std::vector<Address>> check_addresses(const Url& url,
                                             const std::vector<std::string>& addresses,
                                             bool is_user_address, const Networks& allowed);

/// The request to send after a redirect (RFC 9110 section 15.4): credentials stay behind when the
/// origin changes, 303 becomes GET. *Errors*: invalid for a bad Location, forbidden for a step
/// down from https.
Result<ClientRequest> follow_redirect(ClientRequest request, const Url& from,
                                      const ClientResponse& response);

bool is_redirect(const ClientResponse& response);

/// Repeating it does no harm (RFC 9110 section 9.2.2, and WebDAV's reading methods).
bool is_idempotent(std::string_view method);

/// *Errors*: invalid, for a method or field that would break the message.
Result<void> check_request(const ClientRequest& request);

}  // namespace calhost::net
