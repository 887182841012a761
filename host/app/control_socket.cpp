#include "app/control_socket.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "base/json.h"

namespace calhost::app {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, Executor>;
using Acceptor = asio::basic_socket_acceptor<Protocol, Executor>;

constexpr std::size_t kLongestLine = 1U << 16U;

json::object error_object(const Error& error) {
    return {{"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
}

}  // namespace

struct ControlSocket::Impl {
    Impl(Executor executor, std::filesystem::path socket_path)
        : acceptor(executor), path(std::move(socket_path)) {}

    Task<json::object> answer(std::string line) {
        auto request = json::parse(line);
        if (!request || !request->is_object())
            co_return error_object({ErrorCode::invalid, "The command is not JSON."});
        const auto command = commands.find(json::text_of(*request, "command"));
        if (command == commands.end())
            co_return error_object({ErrorCode::not_found, "The running host has no such command."});
        auto result = co_await command->second(request->get_object());
        if (!result) co_return error_object(result.error());
        co_return std::move(*result);
    }

    Acceptor acceptor;
    std::filesystem::path path;
    std::map<std::string, Command, std::less<>> commands;
};

ControlSocket::ControlSocket(Executor executor, std::filesystem::path path)
    : impl_(std::make_shared<Impl>(executor, std::move(path))) {}

ControlSocket::~ControlSocket() = default;

void ControlSocket::on(std::string name, Command command) {
    impl_->commands[std::move(name)] = std::move(command);
}

Result<void> ControlSocket::open() {
    std::error_code
        ignored;  // a socket that a killed host left behind; the store's lock kept a live one out
    std::filesystem::remove(impl_->path, ignored);
    boost::system::error_code ec;
    const auto old_mask = ::umask(0177);
    auto& acceptor = impl_->acceptor;
    acceptor.open(Protocol(), ec);
    if (!ec) acceptor.bind(Protocol::endpoint(impl_->path.string()), ec);
    if (!ec) acceptor.listen(8, ec);
    ::umask(old_mask);
    if (ec)
        return fail(ErrorCode::unavailable,
                    fmt::format("{} cannot be opened: {}", impl_->path.string(), ec.message()));
    return {};
}

Task<> ControlSocket::serve() {
    const auto impl = impl_;
    for (;;) {
        boost::system::error_code ec;
        Socket socket = co_await impl->acceptor.async_accept(asio::redirect_error(use_task, ec));
        if (ec) co_return;  // closed
        std::string line;
        co_await asio::async_read_until(socket, asio::dynamic_buffer(line, kLongestLine), '\n',
                                        asio::redirect_error(use_task, ec));
        if (ec) continue;
        const auto reply = json::serialize(co_await impl->answer(std::move(line))) + "\n";
        co_await asio::async_write(socket, asio::buffer(reply), asio::redirect_error(use_task, ec));
    }
}

void ControlSocket::close() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    std::error_code also_ignored;
    std::filesystem::remove(impl_->path, also_ignored);
}

Result<json::object> ask_host(const std::filesystem::path& path, const json::object& request) {
    asio::io_context context;
    Protocol::socket socket(context);
    boost::system::error_code ec;
    socket.connect(Protocol::endpoint(path.string()), ec);
    if (ec) return fail(ErrorCode::not_found, "No host runs on this data folder.");
    asio::write(socket, asio::buffer(json::serialize(request) + "\n"), ec);
    std::string line;
    if (!ec) asio::read_until(socket, asio::dynamic_buffer(line, kLongestLine), '\n', ec);
    auto answer =
        ec ? Result<json::value>(fail(ErrorCode::unavailable, "The running host did not answer."))
           : json::parse(line);
    if (!answer) return fail(answer.error());
    if (const auto* error = json::find(*answer, "error"))
        return fail(
            parse_error_code(json::text_of(*error, "code")).value_or(ErrorCode::unavailable),
            std::string(json::text_of(*error, "message")));
    return answer->is_object() ? answer->get_object() : json::object{};
}

}  // namespace calhost::app
