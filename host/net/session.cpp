#include "net/session.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cmath>

#include "base/log.h"
#include "net/text.h"

namespace calhost::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr std::size_t kReadSize = 4U << 10U;
constexpr std::size_t kBodyBuffer = 64U << 10U;
constexpr std::size_t kBodyBesideHead = 4U << 10U;
constexpr milliseconds kLinger = 1s;
constexpr milliseconds kBodyGrace = 5s;

std::string_view to_view(const asio::const_buffer& buffer) {
    return {static_cast<const char*>(buffer.data()), buffer.size()};
}

void consume(std::string_view& first, std::string_view& second, std::size_t count) {
    const auto from_first = std::min(count, first.size());
    first.remove_prefix(from_first);
    second.remove_prefix(count - from_first);
}

std::array<asio::const_buffer, 2> both(std::string_view first, std::string_view second) {
    return {asio::buffer(first), asio::buffer(second)};
}

}  // namespace

Session::Session(std::shared_ptr<ServerState> server, Socket socket, const Address& peer,
                 Admission admission)
    : server_(std::move(server)),
      socket_(std::move(socket)),
      peer_(peer),
      peer_text_(peer.to_string()),
      admission_(std::move(admission)),
      buffer_(server_->options.limits.headers + kBodyBuffer) {
    if (server_->tls) tls_.emplace(socket_, server_->tls->context());
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    server_->enter(this);
}

Session::~Session() { server_->leave(this); }

void Session::start() {
    asio::co_spawn(server_->executor, run(shared_from_this()),
                   asio::bind_cancellation_slot(cancel_.slot(), asio::detached));
}

void Session::sweep(Deadline now) {
    if (now < deadline_) return;
    // The second time round, cancelling was not enough.
    error_code ignored;
    if (is_overdue_) {
        socket_.close(ignored);
        return;
    }
    is_overdue_ = true;
    deadline_ = now + kLinger;
    socket_.cancel(ignored);
}

void Session::stop() {
    if (phase_ != Phase::idle && phase_ != Phase::handshake) return;
    error_code ignored;
    socket_.cancel(ignored);
}

void Session::abort() {
    is_aborted_ = true;
    error_code ignored;
    socket_.close(ignored);
    cancel_.emit(asio::cancellation_type::terminal);
}

void Session::enter(Phase phase, milliseconds limit) { enter(phase, now() + limit); }

void Session::enter(Phase phase, Deadline deadline) {
    phase_ = phase;
    deadline_ = deadline;
    is_overdue_ = false;
}

std::string_view Session::unread() const { return to_view(buffer_.cdata()); }

bool Session::refuse(Fault fault) {
    fault_ = std::move(fault);
    return false;
}

Task<> Session::run(std::shared_ptr<Session> self) {
    try {
        co_await self->serve();
    } catch (const std::exception& error) {
        if (!self->is_aborted_)
            log::error("A connection ended with a fault of the host.", {{"error", error.what()}});
    }
}

Task<> Session::serve() {
    if (tls_ && !co_await handshake()) co_return;
    for (bool is_open = true; is_open;) {
        request_ = {};
        scanner_ = {};
        is_open = co_await read_head() && parse_head() &&
                  (parser_->is_done() || co_await read_body()) && co_await answer();
        is_first_ = false;
        // Who sends many requests at once takes turns with the others.
        if (is_open && !unread().empty()) co_await asio::post(server_->executor, use_task);
    }
    if (fault_) {
        co_await send_fault();
        co_await linger();
    }
    co_await close();
}

Task<bool> Session::handshake() {
    enter(Phase::handshake, limits().header_time);
    error_code error;
    co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                   asio::redirect_error(use_task, error));
    co_return !error;
}

/// True when a complete head is in the buffer; false with a fault, or without one when the client
/// has gone or was idle for too long.
Task<bool> Session::read_head() {
    enter(Phase::idle, is_first_ ? limits().header_time : limits().idle_time);
    while (true) {
        if (!unread().empty()) {
            if (phase_ == Phase::idle) {
                began_ = now();
                enter(Phase::head, began_ + limits().header_time);
            }
            const auto state = scanner_.scan(unread());
            if (scanner_.first_line() > limits().target + 64)
                co_return refuse(
                    {414, "uri_too_long", "The URL is longer than this host accepts."});
            if (scanner_.size() > limits().headers)
                co_return refuse(
                    {431, "headers_too_large", "The header is larger than this host accepts."});
            if (state == HeadScanner::State::bad)
                co_return refuse({400, "bad_request", scanner_.reason()});
            if (state == HeadScanner::State::complete && scanner_.size() > 2) co_return true;
            if (state == HeadScanner::State::complete) {  // an empty line (RFC 9112 section 2.2)
                buffer_.consume(scanner_.size());
                scanner_ = {};
                continue;
            }
        }
        if (phase_ == Phase::idle && server_->is_stopping) co_return false;
        if (!co_await read_some()) {
            if (is_overdue_ && phase_ == Phase::head)
                refuse({408, "request_timeout", "The request's header took too long."});
            co_return false;
        }
    }
}

bool Session::parse_head() {
    parser_.emplace(request_, limits());
    parser_->read(unread().substr(0, scanner_.size()));
    buffer_.consume(scanner_.size());
    request_.is_secure = tls_.has_value();
    request_.client_address = peer_text_;
    read_forwarded(request_, peer_, server_->trusted);
    request_.request_id = incoming_request_id(request_.headers);
    if (request_.request_id.empty()) request_.request_id = new_id(server_->random);
    if (parser_->fault()) return refuse(*parser_->fault());
    if (request_.target.size() > limits().target)
        return refuse({414, "uri_too_long", "The URL is longer than this host accepts."});
    if (auto fault = read_target(request_)) return refuse(std::move(*fault));
    if (request_.headers.has("Expect") && !is_expecting_continue())
        return refuse({417, "expectation_failed", "The only expectation known is 100-continue."});
    return true;
}

bool Session::is_expecting_continue() const {
    return is_same_word(request_.headers.get("Expect"), "100-continue");
}

void Session::set_body_deadline(Deadline began, std::size_t received) {
    const auto earned = std::chrono::seconds(received / limits().body_rate);
    enter(Phase::body, std::min(began + Deadline(limits().body_time),
                                began + Deadline(kBodyGrace) + Deadline(earned)));
}

Task<bool> Session::read_body() {
    const auto began = now();
    set_body_deadline(began, 0);
    if (is_expecting_continue() && unread().empty() && !parser_->is_http_1_0())
        if (!co_await write("HTTP/1.1 100 Continue\r\n\r\n", {})) co_return false;
    while (true) {
        if (!unread().empty()) buffer_.consume(parser_->read(unread()));
        if (parser_->fault()) co_return refuse(*parser_->fault());
        if (parser_->is_done()) co_return true;
        if (unread().size() + kReadSize > buffer_.max_size())
            co_return refuse({400, "bad_request", "A chunk's header is too long."});
        set_body_deadline(began, request_.body.size());
        if (!co_await read_some()) {
            if (is_overdue_) refuse({408, "request_timeout", "The request's body took too long."});
            co_return false;
        }
    }
}

Task<Response> Session::call_handler() {
    std::string reason;
    try {
        Response response = co_await server_->handler(request_);
        if (is_sendable(response)) co_return response;
        reason = "the answer has a line break in a header field";
    } catch (const std::exception& error) {
        if (is_aborted_) throw;
        reason = error.what();
    }
    log::error("A handler failed.", {{"method", request_.method},
                                     {"path", logged_path()},
                                     {"request_id", request_.request_id},
                                     {"error", reason}});
    co_return server_->problem(500, "internal_error",
                               "The host made a mistake. It is in the log under the request id.",
                               request_.request_id);
}

Task<bool> Session::answer() {
    enter(Phase::handler, kNever);
    const Response response = co_await call_handler();
    const bool keep_alive = parser_->keep_alive() && !server_->is_stopping &&
                            !(response.stream && parser_->is_http_1_0());
    const bool is_sent = co_await send(response, keep_alive);
    log_request(response);
    co_return is_sent&& keep_alive;
}

Task<bool> Session::send(const Response& response, bool keep_alive) {
    ++server_->counts->requests;
    enter(Phase::write, limits().idle_time);
    out_.clear();
    write_head(out_, response,
               {.request_id = request_.request_id,
                .date = server_->date(),
                .is_http_1_0 = parser_ && parser_->is_http_1_0(),
                .keep_alive = keep_alive,
                .is_secure = request_.is_secure});
    const bool has_body = !is_bodiless(response.status) && request_.method != "HEAD";
    if (response.stream && has_body) co_return co_await send_stream(response);
    std::string_view body = has_body ? std::string_view(response.body) : "";
    // Copying a small body is cheaper than a second buffer, and than a TLS record of its own.
    if (body.size() <= kBodyBesideHead) {
        out_ += body;
        body = {};
    }
    std::string_view head = out_;
    if (!tls_ && body.empty() && try_write(head)) co_return true;
    co_return co_await write(head, body);
}

Task<bool> Session::send_stream(const Response& response) {
    const bool is_chunked = !parser_->is_http_1_0();
    std::string piece;
    do {
        if (!co_await write(out_, {})) co_return false;
        enter(Phase::handler, kNever);
        piece = co_await response.stream();
        enter(Phase::write, limits().idle_time);
        out_ = is_chunked ? fmt::format("{:x}\r\n{}\r\n", piece.size(), piece) : piece;
    } while (!piece.empty());
    co_return co_await write(out_, {});
}

Task<> Session::send_fault() {
    if (request_.request_id.empty()) request_.request_id = new_id(server_->random);
    const Response response =
        server_->problem(fault_->status, fault_->code, fault_->detail, request_.request_id);
    co_await send(response, false);
    log_request(response);
}

/// Closing with unread bytes would reset the connection and take the answer away from the client,
/// so read on for a moment (RFC 9112 section 9.6).
Task<> Session::linger() {
    enter(Phase::linger, kLinger);
    error_code ignored;
    if (!tls_) socket_.shutdown(Socket::shutdown_send, ignored);
    do {
        buffer_.clear();
    } while (!is_overdue_ && co_await read_some());
}

Task<> Session::close() {
    error_code ignored;
    if (tls_ && socket_.is_open() && !is_overdue_) {
        enter(Phase::linger, kLinger);
        co_await tls_->async_shutdown(asio::redirect_error(use_task, ignored));
    }
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
}

/// False at the end of the stream, after an error and when the sweeper cancelled.
Task<bool> Session::read_some() {
    const auto space = buffer_.prepare(kReadSize);
    error_code error;
    std::size_t count = 0;
    if (tls_)
        count = co_await tls_->async_read_some(space, asio::redirect_error(use_task, error));
    else
        count = co_await socket_.async_read_some(space, asio::redirect_error(use_task, error));
    buffer_.commit(count);
    co_return !error && count > 0;
}

/// Most answers fit into the socket's buffer: no need to wait. True when all is written; else
/// `bytes` is what is left.
bool Session::try_write(std::string_view& bytes) {
    error_code error;
    bytes.remove_prefix(socket_.write_some(asio::buffer(bytes), error));
    return bytes.empty();
}

Task<bool> Session::write(std::string_view first, std::string_view second) {
    while (!first.empty() || !second.empty()) {
        error_code error;
        std::size_t count = 0;
        const auto buffers = both(first, second);
        if (tls_)
            count = co_await tls_->async_write_some(buffers, asio::redirect_error(use_task, error));
        else
            count =
                co_await socket_.async_write_some(buffers, asio::redirect_error(use_task, error));
        if (error) co_return false;
        consume(first, second, count);
        enter(phase_, limits().idle_time);
    }
    co_return true;
}

std::string_view Session::logged_path() const {
    const std::string_view path = request_.path;
    for (const auto& mark : server_->options.secret_behind)
        if (const auto at = path.find(mark); at != path.npos)
            return path.substr(0, at + mark.size());
    return path;
}

void Session::log_request(const Response& response) const {
    if (!log::is_enabled(log::Level::info)) return;
    const std::chrono::duration<double, std::milli> duration = now() - began_;
    log::info("request", {{"method", request_.method},
                          {"path", logged_path()},
                          {"status", response.status},
                          {"bytes", response.body.size()},
                          {"duration_ms", std::round(duration.count() * 1000) / 1000},
                          {"request_id", request_.request_id},
                          {"client", request_.client_address}});
}

}  // namespace calhost::net
