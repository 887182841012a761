/// One connection's life: read a request, let the handler answer, write, again.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>

#include "net/request_parser.h"
#include "net/response_writer.h"
#include "net/server_state.h"

namespace calhost::net {

/// *Ownership*: lives as long as its coroutine. *Thread*: its worker's.
class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(std::shared_ptr<ServerState> server, Socket socket, const Address& peer,
            Admission admission);
    ~Session();

    /// Starts the coroutine; the session ends with it.
    void start();
    /// Called now and then: ends what is overdue.
    void sweep(std::chrono::nanoseconds now);
    /// The server stops: an idle connection ends at once, another after its answer.
    void stop();
    /// Ends the handler too.
    void abort();

  private:
    /// What the connection is doing, and with that what happens when it takes too long.
    enum class Phase { handshake, idle, head, body, handler, write, linger };
    using Deadline = std::chrono::nanoseconds;
    static constexpr Deadline kNever = Deadline::max();

    static Task<> run(std::shared_ptr<Session> self);
    Task<> serve();
    Task<bool> handshake();
    Task<bool> read_head();
    bool parse_head();
    Task<bool> read_body();
    Task<bool> answer();
    Task<Response> call_handler();
    Task<bool> send(const Response& response, bool keep_alive);
    Task<bool> send_stream(const Response& response);
    Task<> send_fault();
    Task<> linger();
    Task<> close();

    Task<bool> read_some();
    Task<bool> write(std::string_view first, std::string_view second);
    bool try_write(std::string_view& bytes);

    bool is_expecting_continue() const;
    bool refuse(Fault fault);
    void enter(Phase phase, milliseconds limit);
    void enter(Phase phase, Deadline deadline);
    void set_body_deadline(Deadline began, std::size_t received);
    void log_request(const Response& response) const;
    /// The path without the secret that it may end in.
    [[nodiscard]] std::string_view logged_path() const;
    [[nodiscard]] Deadline now() const { return server_->clock.monotonic(); }
    [[nodiscard]] const ServerLimits& limits() const { return server_->options.limits; }
    [[nodiscard]] std::string_view unread() const;

    std::shared_ptr<ServerState> server_;
    Socket socket_;
    std::optional<boost::asio::ssl::stream<Socket&>> tls_;
    Address peer_;
    std::string peer_text_;
    Admission admission_;
    boost::asio::cancellation_signal cancel_;
    Phase phase_ = Phase::idle;
    Deadline deadline_ = kNever;
    Deadline began_{};  ///< when the current request's first byte came
    bool is_overdue_ = false;
    bool is_aborted_ = false;
    bool is_first_ = true;
    boost::beast::flat_buffer buffer_;
    HeadScanner scanner_;
    Request request_;
    std::optional<RequestParser> parser_;
    std::optional<Fault> fault_;
    std::string out_;
};

}  // namespace calhost::net
