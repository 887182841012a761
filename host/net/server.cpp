#include "net/server.h"

#include <fmt/chrono.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <charconv>

#include "base/log.h"
#include "net/session.h"
#include "net/text.h"

namespace calhost::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr milliseconds kSweep{250};
constexpr milliseconds kAcceptPause{100};
constexpr std::chrono::minutes kCertificateLook{1};
constexpr std::size_t kMostTurnedAway = 64;

std::string to_text(const Endpoint& endpoint) {
    const bool is_v6 = endpoint.address.contains(':');
    return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", endpoint.address, is_v6 ? "]" : "",
                       endpoint.port);
}

Result<void> bind(Acceptor& acceptor, const tcp::endpoint& endpoint, bool is_shared) {
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
    if (!error && is_shared) acceptor.set_option(reuse_port(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
    if (!error) return {};
    return fail(ErrorCode::unavailable, error.message());
}

std::unexpected<Error> cannot_listen(const Endpoint& endpoint, const Error& why) {
    return fail(ErrorCode::unavailable,
                "The host cannot listen on " + to_text(endpoint) + ": " + why.message + ".");
}

/// Tells a client that there is no room, without a session and without waiting for its request.
Task<> turn_away(std::shared_ptr<ServerState> server, Socket socket) {
    const std::string id = new_id(server->random);
    Response response =
        server->problem(503, "overloaded", "The host has too many connections. Try again.", id);
    response.headers.set("Retry-After", "1");
    std::string bytes;
    write_head(bytes, response, {.request_id = id, .date = server->date(), .keep_alive = false});
    bytes += response.body;
    error_code error;
    socket.non_blocking(true, error);
    socket.write_some(asio::buffer(bytes), error);
    socket.shutdown(Socket::shutdown_send, error);
    // A close with the request unread would reset the connection and lose the answer.
    ++server->turned_away;
    co_await server->timers.sleep(kAcceptPause);
    --server->turned_away;
    server->note_end();
}

void accept_one(const std::shared_ptr<ServerState>& server, Socket socket,
                const tcp::endpoint& peer) {
    const Address address = unmapped(peer.address());
    auto admission = Admission::take(server->counts, address, server->options.limits,
                                     server->trusted.contains(address));
    if (admission) {
        std::make_shared<Session>(server, std::move(socket), address, std::move(*admission))
            ->start();
        return;
    }
    ++server->counts->refused;
    if (!server->tls && server->turned_away < kMostTurnedAway)
        asio::co_spawn(server->executor, turn_away(server, std::move(socket)), asio::detached);
}

Task<> accept_all(std::shared_ptr<ServerState> server) {
    while (!server->is_stopping) {
        error_code error;
        tcp::endpoint peer;
        Socket socket =
            co_await server->acceptor.async_accept(peer, asio::redirect_error(use_task, error));
        if (!error) {
            accept_one(server, std::move(socket), peer);
        } else if (!server->is_stopping) {
            // Out of file descriptors, most likely: give the sessions time to end.
            log::warning("A connection could not be accepted.", {{"error", error.message()}});
            co_await server->timers.sleep(kAcceptPause);
        }
    }
    if (!server->is_empty()) co_await server->drained.wait();
}

/// A certificate lives for weeks; its files are small.
void renew_certificate(ServerState& server) {
    const auto renewed = server.tls->renew();
    const auto& file = server.options.tls->certificate;
    if (!renewed)
        log::error("The new TLS certificate is not used; the old one goes on.",
                   {{"certificate", file}, {"error", renewed.error().message}});
    else if (*renewed)
        log::info("The TLS certificate was renewed.", {{"certificate", file}});
}

Task<> sweep(std::shared_ptr<ServerState> server) {
    auto look_at = server->clock.monotonic() + kCertificateLook;
    while (true) {
        co_await server->timers.sleep(kSweep);
        const auto now = server->clock.monotonic();
        if (server->tls && now >= look_at) {
            look_at = now + kCertificateLook;
            renew_certificate(*server);
        }
        // Neither call ends a session at once, so the set stays as it is.
        for (auto* session : server->sessions) {
            if (now >= server->stop_at)
                session->abort();
            else
                session->sweep(now);
        }
    }
}

Task<> serve_all(std::shared_ptr<ServerState> server) {
    using namespace asio::experimental::awaitable_operators;
    co_await (accept_all(server) || sweep(server));
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
    const auto wrong = [&] {
        return fail(ErrorCode::invalid, "'" + std::string(text) +
                                            "' is no address to listen on; write it like "
                                            "127.0.0.1:8080 or [::1]:8080.");
    };
    const auto colon = text.rfind(':');
    if (colon == text.npos) return wrong();
    std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
    const bool has_brackets = host.starts_with('[') && host.ends_with(']');
    if (has_brackets) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    const auto address = parse_address(host);
    Endpoint endpoint{std::string(host), 0};
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (!address || address->is_v6() != has_brackets || error != std::errc{} ||
        end != port.data() + port.size())
        return wrong();
    return endpoint;
}

Result<void> check_unused(const Endpoint& endpoint) {
    const auto address = parse_address(endpoint.address);
    if (!address || endpoint.port == 0) return {};
    asio::io_context context{1};
    Acceptor acceptor(context.get_executor());
    auto bound = bind(acceptor, {*address, endpoint.port}, false);
    if (!bound) return cannot_listen(endpoint, bound.error());
    return {};
}

std::string_view ServerState::date() {
    const auto second = std::chrono::floor<std::chrono::seconds>(clock.now());
    if (second != date_second_ || date_.empty()) {
        date_second_ = second;
        date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                            fmt::gmtime(second.time_since_epoch().count()));
    }
    return date_;
}

void ServerState::leave(Session* session) {
    sessions.erase(session);
    note_end();
}

void ServerState::note_end() {
    if (is_stopping && is_empty()) drained.set();
}

Server::Server(Executor executor, ServerOptions options, Handler handler, ProblemWriter problem,
               const Clock& clock, Timers& timers, Random& random,
               std::shared_ptr<ServerCounts> counts)
    : state_(std::make_shared<ServerState>(executor, std::move(options), std::move(handler),
                                           std::move(problem), clock, timers, random,
                                           std::move(counts))) {}

Server::~Server() = default;

Result<void> Server::open() {
    auto trusted = Networks::parse(state_->options.trusted_proxies);
    if (!trusted) return fail(ErrorCode::misconfigured, trusted.error().message);
    state_->trusted = std::move(*trusted);
    if (state_->options.tls) {
        auto tls = ServerTls::open(*state_->options.tls);
        if (!tls) return fail(tls.error());
        state_->tls.emplace(std::move(*tls));
    }
    const Endpoint& listen = state_->options.listen;
    const auto address = parse_address(listen.address);
    if (!address)
        return fail(ErrorCode::misconfigured, "'" + listen.address + "' is no IP address.");
    auto bound = bind(state_->acceptor, {*address, listen.port}, state_->options.reuse_port);
    if (!bound) return cannot_listen(listen, bound.error());
    return {};
}

std::uint16_t Server::port() const {
    error_code ignored;
    return state_->acceptor.local_endpoint(ignored).port();
}

Task<> Server::serve() { return serve_all(state_); }

void Server::stop() {
    if (state_->is_stopping) return;
    state_->is_stopping = true;
    state_->stop_at = state_->clock.monotonic() + state_->options.limits.shutdown_time;
    error_code ignored;
    state_->acceptor.close(ignored);
    for (auto* session : state_->sessions) session->stop();
}

}  // namespace calhost::net
