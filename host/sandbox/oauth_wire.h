/// OAuth's messages as far as every provider reads them alike.
#pragma once

#include <string>
#include <string_view>

#include "net/message.h"
#include "sandbox/provider.h"

namespace calhost::sandbox {

/// One of the options' redirect URIs or, when there are none, any loopback address.
bool is_known_redirect(const Options& options, std::string_view uri);
/// RFC 7636 section 4.2: what S256 gives.
bool is_challenge(std::string_view text);
/// RFC 7636 section 4.1.
bool is_verifier(std::string_view text);

/// Who the client says it is, in the form or by HTTP Basic (RFC 6749 section 2.3.1).
struct Client {
    std::string id;
    std::string secret;
};
Client read_client(const net::Request& request, const net::Query& form);

/// The access token of the Authorization field, or empty.
std::string_view bearer_of(const net::Request& request);

/// The query, put behind an address that may have one.
std::string with_query(std::string_view uri, const net::Query& query);
net::Response no_store(net::Response response);
/// A page of the consent, with the headers that such a page has.
net::Response consent_answer(int status, std::string html);

}  // namespace calhost::sandbox
