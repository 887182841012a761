#include "net/client_connection.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <optional>

#include "net/response_parser.h"
#include "net/socket.h"
#include "net/text.h"

namespace calhost::net {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using boost::system::error_code;

constexpr std::size_t kReadSize = 16U << 10U;
constexpr std::size_t kBuffer = 256U << 10U;

/// Fields that follow from the request and the connection.
bool is_clients_own(std::string_view name) {
    constexpr std::string_view kOwn[] = {"Host", "Connection", "Content-Length",
                                         "Transfer-Encoding", "Accept-Encoding"};
    return std::ranges::any_of(kOwn, [&](auto own) { return is_same_word(own, name); });
}

std::string write_request(const ClientRequest& request, const Url& url) {
    std::string text = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.authority() +
                       "\r\nAccept-Encoding: gzip\r\n";
    if (!request.headers.has("User-Agent")) text += "User-Agent: calhost\r\n";
    for (const auto& [name, value] : request.headers)
        if (!is_clients_own(name)) text.append(name).append(": ").append(value).append("\r\n");
    const bool has_length = !request.body.empty() || request.method == "POST" ||
                            request.method == "PUT" || request.method == "PATCH";
    if (has_length) text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    return text + "\r\n" + request.body;
}

class Connection final : public ClientConnection {
  public:
    Connection(Executor executor, std::shared_ptr<ssl::context> tls)
        : tls_context_(std::move(tls)), socket_(executor) {}

    Task<Result<void>> open(const Url& url, const std::vector<Address>& addresses);
    Task<Result<ClientResponse>> exchange(const ClientRequest& request, const Url& url) override;
    [[nodiscard]] bool was_stale() const override { return was_stale_; }
    [[nodiscard]] bool is_reusable() const override { return is_reusable_; }
    [[nodiscard]] bool is_quiet() override;

  private:
    Task<Result<void>> start_tls(const Url& url);
    Task<error_code> write(std::string_view bytes);
    Task<error_code> read_some();
    Task<Result<ClientResponse>> read_response(const ClientRequest& request);
    Result<void> end(ResponseParser& parser, error_code error) const;
    [[nodiscard]] std::string_view unread() const {
        return {static_cast<const char*>(buffer_.cdata().data()), buffer_.size()};
    }

    std::shared_ptr<ssl::context> tls_context_;
    Socket socket_;
    std::optional<ssl::stream<Socket&>> tls_;
    boost::beast::flat_buffer buffer_{kBuffer};
    bool was_stale_ = false;
    bool is_reusable_ = false;
};

Task<Result<void>> Connection::open(const Url& url, const std::vector<Address>& addresses) {
    error_code error = asio::error::host_not_found;
    for (const auto& address : addresses) {
        const asio::ip::tcp::endpoint to(address, url.port);
        error_code ignored;
        socket_.close(ignored);
        co_await socket_.async_connect(to, asio::redirect_error(use_task, error));
        if (!error) break;
    }
    if (error)
        co_return fail(ErrorCode::unavailable,
                       "No connection to " + url.host + ": " + error.message() + ".");
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
    if (!url.is_tls) co_return Result<void>{};
    co_return co_await start_tls(url);
}

Task<Result<void>> Connection::start_tls(const Url& url) {
    tls_.emplace(socket_, *tls_context_);
    if (!parse_address(url.host)) SSL_set_tlsext_host_name(tls_->native_handle(), url.host.c_str());
    error_code error;
    tls_->set_verify_callback(ssl::host_name_verification(url.host), error);
    co_await tls_->async_handshake(ssl::stream_base::client, asio::redirect_error(use_task, error));
    if (error)
        co_return fail(ErrorCode::unavailable,
                       "No secure connection to " + url.host + ": " + error.message() + ".");
    co_return Result<void>{};
}

bool Connection::is_quiet() {
    char byte = 0;
    error_code error;
    socket_.non_blocking(true, error);
    if (error) return false;
    socket_.receive(asio::buffer(&byte, 1), Socket::message_peek, error);
    return error == asio::error::would_block;
}

Task<error_code> Connection::write(std::string_view bytes) {
    error_code error;
    if (tls_)
        co_await asio::async_write(*tls_, asio::buffer(bytes),
                                   asio::redirect_error(use_task, error));
    else
        co_await asio::async_write(socket_, asio::buffer(bytes),
                                   asio::redirect_error(use_task, error));
    co_return error;
}

Task<error_code> Connection::read_some() {
    const auto space = buffer_.prepare(std::min(kReadSize, kBuffer - buffer_.size()));
    error_code error;
    std::size_t count = 0;
    if (tls_)
        count = co_await tls_->async_read_some(space, asio::redirect_error(use_task, error));
    else
        count = co_await socket_.async_read_some(space, asio::redirect_error(use_task, error));
    buffer_.commit(count);
    co_return error;
}

/// What the end of the stream means for an answer that has begun.
Result<void> Connection::end(ResponseParser& parser, error_code error) const {
    if (error == asio::error::eof) return parser.end();
    if (error == ssl::error::stream_truncated)
        return fail(ErrorCode::invalid_response, "The answer was cut off.");
    return fail(ErrorCode::unavailable, "The connection broke: " + error.message() + ".");
}

Task<Result<ClientResponse>> Connection::read_response(const ClientRequest& request) {
    ClientResponse response;
    std::optional<ResponseParser> parser(std::in_place, response, request);
    bool has_begun = false;
    while (true) {
        if (!unread().empty()) {
            const auto used = parser->read(unread());
            if (!used) co_return fail(used.error());
            buffer_.consume(*used);
        }
        if (parser->is_done() && response.status >= 200) break;
        if (parser->is_done()) {  // 100 Continue, 103 Early Hints
            response = {};
            parser.emplace(response, request);
            continue;
        }
        if (buffer_.size() == kBuffer)
            co_return fail(ErrorCode::invalid_response, "The answer is malformed.");
        const auto error = co_await read_some();
        has_begun = has_begun || buffer_.size() > 0;
        if (!error) continue;
        was_stale_ = !has_begun;
        if (!has_begun)
            co_return fail(ErrorCode::unavailable, "The connection was closed without an answer.");
        if (auto ended = end(*parser, error); !ended) co_return fail(ended.error());
        co_return response;
    }
    is_reusable_ = parser->keep_alive() && buffer_.size() == 0;
    co_return response;
}

Task<Result<ClientResponse>> Connection::exchange(const ClientRequest& request, const Url& url) {
    is_reusable_ = was_stale_ = false;
    const std::string bytes = write_request(request, url);
    // A server may answer and close before it has read all: the answer counts, so read anyway.
    const auto write_error = co_await write(bytes);
    auto response = co_await read_response(request);
    if (write_error) is_reusable_ = false;
    co_return response;
}

}  // namespace

Task<Result<std::unique_ptr<ClientConnection>>> ClientConnection::connect(
    Executor executor, std::shared_ptr<ssl::context> tls, Url url, std::vector<Address> addresses) {
    auto connection = std::make_unique<Connection>(executor, std::move(tls));
    auto opened = co_await connection->open(url, addresses);
    if (!opened) co_return fail(opened.error());
    co_return std::unique_ptr<ClientConnection>(std::move(connection));
}

}  // namespace calhost::net
