/// TLS settings of both directions: 1.2 and later, verified where we are the client.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "net/server.h"

namespace calhost::net {

/// *Errors*: misconfigured, naming the file.
Result<boost::asio::ssl::context> make_server_tls(const TlsFiles& files);

/// Trusts `ca_file`, or the system's store when it is empty. *Errors*: misconfigured.
Result<boost::asio::ssl::context> make_client_tls(const std::string& ca_file);

}  // namespace calhost::net
