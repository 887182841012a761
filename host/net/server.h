/// The HTTP server of one worker, in the nginx model: its own acceptor with SO_REUSEPORT, its own
/// connections, plain code in the handler.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "net/message.h"

namespace calhost::net {

struct Endpoint {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  ///< 0: the system chooses
    /// "127.0.0.1:8080", "[::1]:0". *Errors*: invalid.
    static Result<Endpoint> parse(std::string_view text);
};

struct TlsFiles {
    std::string certificate;  ///< PEM chain
    std::string key;          ///< PEM
};

/// The contract's limits (http-api, section 1, and RFC 9110/9112 for the status codes).
struct ServerLimits {
    std::size_t body = 1U << 20U;      ///< 413
    std::size_t headers = 16U << 10U;  ///< 431
    std::size_t fields = 100;          ///< 431
    std::size_t target = 8U << 10U;    ///< 414
    milliseconds header_time{10'000};  ///< 408
    milliseconds body_time{30'000};    ///< 408
    std::size_t body_rate = 500;       ///< bytes a second after the first 5 s; 408
    milliseconds idle_time{30'000};
    milliseconds shutdown_time{10'000};
    std::size_t connections = 1024;  ///< of the whole host; 503
    std::size_t connections_per_address = 64;
};

struct ServerOptions {
    Endpoint listen;
    std::optional<TlsFiles> tls;  ///< read again when they change
    ServerLimits limits;
    std::vector<std::string> trusted_proxies;  ///< addresses or networks (CIDR)
    /// What stands behind one of these in a path is a secret, which no log gets.
    std::vector<std::string> secret_behind;
    bool reuse_port = true;
};

/// Whether nobody listens there. The workers of a host share their port (SO_REUSEPORT); without
/// this look, so would a second host, and each would get half of the callers. *Errors*:
/// unavailable.
Result<void> check_unused(const Endpoint& endpoint);

/// When the certificate ends, once it and its key can be used. *Errors*: misconfigured.
Result<Timestamp> check_tls(const TlsFiles& files);

/// Counts shared by the workers' servers. *Thread*: any.
struct ServerCounts;
std::shared_ptr<ServerCounts> make_server_counts();

/// What the counts said a moment ago; for metrics.
struct ServerFigures {
    std::size_t connections = 0;  ///< open now
    std::uint64_t requests = 0;   ///< answered, faults included
    std::uint64_t refused = 0;    ///< connections over a limit
};
ServerFigures read_counts(const ServerCounts& counts);

/// Answers for what never reaches a handler (400, 408, 413, 414, 431, 503) and for a handler that
/// threw (500): the same problem shape as everything else.
using ProblemWriter = std::function<Response(int status, std::string code, std::string detail,
                                             const std::string& request_id)>;

struct ServerState;

/// *Thread*: its worker's. Clean-up: `stop`, then let `serve` return, before the object goes.
class Server {
  public:
    using Handler = std::function<Task<Response>(Request&)>;

    Server(Executor executor, ServerOptions options, Handler handler, ProblemWriter problem,
           const Clock& clock, Timers& timers, Random& random,
           std::shared_ptr<ServerCounts> counts);
    ~Server();

    /// Binds. *Errors*: unavailable (address in use), misconfigured (certificate), as a sentence.
    Result<void> open();
    /// The port that was bound.
    [[nodiscard]] std::uint16_t port() const;
    /// Accepts until `stop`; returns when the last connection has ended.
    Task<> serve();
    /// Stops accepting, lets running requests finish for `shutdown_time`, then closes.
    void stop();

  private:
    std::shared_ptr<ServerState> state_;
};

}  // namespace calhost::net
