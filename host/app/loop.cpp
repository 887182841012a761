#include "app/loop.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace calhost::app {

void spawn(boost::asio::io_context& loop, Task<> task) {
    boost::asio::co_spawn(loop, std::move(task), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
}

Result<void> run_alone(boost::asio::io_context& loop, Task<Result<void>> task) {
    Result<void> outcome;
    spawn(
        loop,
        [](boost::asio::io_context& own, Task<Result<void>> work, Result<void>& result) -> Task<> {
            result = co_await std::move(work);
            own.stop();
        }(loop, std::move(task), outcome));
    loop.run();
    return outcome;
}

void run_for_good(boost::asio::io_context& loop) {
    loop.restart();
    loop.run();
}

}  // namespace calhost::app
