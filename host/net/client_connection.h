/// One outbound connection.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "net/address.h"
#include "net/message.h"
#include "net/url.h"

namespace calhost::net {

/// *Thread*: its worker's. *Cancels*: with the coroutine that waits; then it is not to be reused.
class ClientConnection {
  public:
    /// Tries the addresses in order; over TLS the certificate must be the host's.
    /// *Errors*: unavailable.
    static Task<Result<std::unique_ptr<ClientConnection>>> connect(
        Executor executor, std::shared_ptr<boost::asio::ssl::context> tls, Url url,
        std::vector<Address> addresses);

    virtual ~ClientConnection() = default;

    /// *Errors*: unavailable, invalid_response.
    virtual Task<Result<ClientResponse>> exchange(const ClientRequest& request, const Url& url) = 0;
    /// After a failed exchange: the other side had closed before any byte of an answer.
    [[nodiscard]] virtual bool was_stale() const = 0;
    /// After an exchange: another may follow.
    [[nodiscard]] virtual bool is_reusable() const = 0;
    /// While idle: the other side has neither closed nor said anything.
    [[nodiscard]] virtual bool is_quiet() = 0;
};

}  // namespace calhost::net
