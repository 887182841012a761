/// The outbound HTTP client of one worker: verified TLS, address policy, reuse, permits per host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "net/message.h"

namespace calhost::net {

struct ClientOptions {
    std::vector<std::string> allow_private;  ///< networks that people's addresses may be in (CIDR)
    std::string ca_file;                     ///< empty: the system's store
    std::size_t connections_per_host = 64;   ///< permits; more wait their turn, a whole answer long
    milliseconds connect_time{5'000};
    milliseconds idle_time{30'000};
};

/// Names to addresses, so that a test can lie. *Errors*: unavailable.
class Resolver {
  public:
    virtual ~Resolver() = default;
    virtual Task<Result<std::vector<std::string>>> resolve(std::string host) = 0;
};
std::unique_ptr<Resolver> make_system_resolver(Executor executor);

/// HTTP/1.1 with keep-alive, gzip, chunked bodies; one retry on a stale reused connection, for
/// idempotent methods only; the proxy environment is ignored. When the last redirect that is
/// allowed leads on, its answer is the result.
/// *Errors*: throws std::runtime_error for options that cannot be used, since the host then cannot
/// start.
std::unique_ptr<Transport> make_http_client(Executor executor, ClientOptions options,
                                            std::unique_ptr<Resolver> resolver, const Clock& clock,
                                            Timers& timers);

/// True for an address outside the special-purpose ranges (RFC 6890 and its registries:
/// loopback, private, link-local, v4-mapped, NAT64, unspecified, multicast, metadata, …).
bool is_public_address(std::string_view address);

}  // namespace calhost::net
