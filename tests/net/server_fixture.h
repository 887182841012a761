/// A server on a loopback port and raw clients, all in one loop.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "base/json.h"
#include "base/log.h"
#include "net/server.h"
#include "net/socket.h"
#include "net_time.h"
#include "support/seeded_random.h"

namespace calhost::test {

inline net::Response problem(int status, std::string code, std::string detail,
                             const std::string& request_id) {
    auto response = net::Response::json(
        status,
        {{"status", status}, {"code", code}, {"detail", detail}, {"request_id", request_id}});
    response.headers.set("Content-Type", "application/problem+json");
    return response;
}

/// A connection that says exactly what the test wants.
class RawClient {
  public:
    explicit RawClient(Executor executor) : socket_(executor) {}

    Task<> connect(std::uint16_t port) {
        co_await socket_.async_connect({boost::asio::ip::address_v4::loopback(), port}, use_task);
    }
    Task<> send(std::string bytes) {
        boost::system::error_code error;
        co_await boost::asio::async_write(socket_, boost::asio::buffer(bytes),
                                          boost::asio::redirect_error(use_task, error));
    }
    /// Everything until the server closes.
    Task<std::string> read_all() {
        while (co_await read_some()) {
        }
        co_return std::exchange(text_, {});
    }
    /// One answer with a Content-Length (or without a body).
    Task<std::string> read_response(bool has_body = true) {
        while (!text_.contains("\r\n\r\n"))
            if (!co_await read_some()) co_return std::exchange(text_, {});
        const auto head = text_.find("\r\n\r\n") + 4;
        const auto mark = text_.find("Content-Length: ");
        const std::size_t length =
            has_body && mark < head ? std::stoul(text_.substr(mark + 16)) : 0;
        while (text_.size() < head + length)
            if (!co_await read_some()) co_return std::exchange(text_, {});
        auto response = text_.substr(0, head + length);
        text_.erase(0, head + length);
        co_return response;
    }
    Task<std::string> ask(std::string bytes) {
        co_await send(std::move(bytes));
        co_return co_await read_response();
    }
    net::Socket& socket() { return socket_; }

  private:
    Task<bool> read_some() {
        char bytes[4096];
        boost::system::error_code error;
        const auto count = co_await socket_.async_read_some(
            boost::asio::buffer(bytes), boost::asio::redirect_error(use_task, error));
        text_.append(bytes, count);
        co_return !error;
    }
    net::Socket socket_;
    std::string text_;
};

/// Serves until it goes.
class ServerFixture {
  public:
    explicit ServerFixture(net::Server::Handler handler, net::ServerOptions options = {})
        : server_(context.get_executor(), on_any_port(std::move(options)), std::move(handler),
                  problem, time, time, random, counts) {
        log::configure(log::Level::error, log::Format::text);
        if (const auto opened = server_.open(); !opened)
            throw std::runtime_error(opened.error().message);
        boost::asio::co_spawn(context, server_.serve(),
                              [this](std::exception_ptr) { is_serving = false; });
    }
    ~ServerFixture() {
        server_.stop();
        for (int i = 0; i < 1000 && is_serving; ++i) {
            time.advance(milliseconds{1000});
            context.restart();
            context.run_for(std::chrono::milliseconds{1});
        }
    }

    net::Server& server() { return server_; }
    RawClient client() { return RawClient(context.get_executor()); }

    /// Sends `bytes` on a new connection and reads until the server closes.
    std::string exchange(std::string bytes) { return run(context, exchange_task(bytes)); }

    /// Sends `bytes`, then lets `wait` pass once the server has read them.
    Task<std::string> stall(std::string bytes, milliseconds wait) {
        auto peer = client();
        co_await peer.connect(server_.port());
        co_await peer.send(std::move(bytes));
        co_await settle();
        time.advance(wait);
        co_return co_await peer.read_all();
    }

    /// Lets everything that is on its way through the loopback arrive.
    Task<> settle() {
        for (int i = 0; i < 200; ++i) co_await boost::asio::post(context, use_task);
    }

    boost::asio::io_context context;
    ManualTime time;
    SeededRandom random{7};
    std::shared_ptr<net::ServerCounts> counts = net::make_server_counts();
    bool is_serving = true;

  private:
    static net::ServerOptions on_any_port(net::ServerOptions options) {
        options.listen = {"127.0.0.1", 0};
        return options;
    }
    Task<std::string> exchange_task(std::string bytes) {
        auto peer = client();
        co_await peer.connect(server_.port());
        co_await peer.send(std::move(bytes));
        co_return co_await peer.read_all();
    }
    net::Server server_;
};

}  // namespace calhost::test
