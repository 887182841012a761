/// TLS settings of both directions: 1.2 and later, verified where we are the client.
#pragma once

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <filesystem>

#include "net/server.h"

namespace calhost::net {

/// *Errors*: misconfigured, naming the file.
Result<boost::asio::ssl::context> make_server_tls(const TlsFiles& files);

/// The server's side, whose files may be renewed while it serves: connections that are open keep
/// what they began with.
class ServerTls {
  public:
    /// *Errors*: misconfigured, naming the file.
    static Result<ServerTls> open(TlsFiles files);

    [[nodiscard]] boost::asio::ssl::context& context() { return context_; }
    /// Reads the files again when one has changed; true when it now serves with new ones.
    /// *Errors*: misconfigured: they cannot be used, so the old ones stay. Said once a change.
    Result<bool> renew();

  private:
    using Times = std::array<std::filesystem::file_time_type, 2>;
    ServerTls(TlsFiles files, Times read_at, boost::asio::ssl::context context)
        : files_(std::move(files)), read_at_(read_at), context_(std::move(context)) {}
    static Times changed_at(const TlsFiles& files);

    TlsFiles files_;
    Times read_at_;
    boost::asio::ssl::context context_;
};

/// Trusts `ca_file`, or the system's store when it is empty. *Errors*: misconfigured.
Result<boost::asio::ssl::context> make_client_tls(const std::string& ca_file);

}  // namespace calhost::net
