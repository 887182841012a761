#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/redirect_error.hpp>

#include "net/client.h"
#include "net/socket.h"

namespace calhost::net {
namespace {

class SystemResolver final : public Resolver {
  public:
    explicit SystemResolver(Executor executor) : executor_(executor) {}

    Task<Result<std::vector<std::string>>> resolve(std::string host) override {
        return look_up(executor_, std::move(host));
    }

  private:
    using TcpResolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, Executor>;

    static Task<Result<std::vector<std::string>>> look_up(Executor executor, std::string host) {
        TcpResolver resolver(executor);
        boost::system::error_code error;
        const auto found =
            co_await resolver.async_resolve(host, "", boost::asio::redirect_error(use_task, error));
        if (error)
            co_return fail(ErrorCode::unavailable,
                           "The name " + host + " cannot be resolved: " + error.message() + ".");
        std::vector<std::string> addresses;
        for (const auto& entry : found) addresses.push_back(entry.endpoint().address().to_string());
        co_return addresses;
    }

    Executor executor_;
};

}  // namespace

std::unique_ptr<Resolver> make_system_resolver(Executor executor) {
    return std::make_unique<SystemResolver>(executor);
}

}  // namespace calhost::net
