#include "base/signal.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

namespace calhost {
namespace {

/// On the list for as long as the wait lasts, however it ends.
struct Listed {
    std::shared_ptr<std::vector<SteadyTimer*>> waiting;
    SteadyTimer* timer;
    ~Listed() { std::erase(*waiting, timer); }
};

}  // namespace

Task<> Signal::wait() {
    if (is_set_) co_return;
    SteadyTimer timer(co_await boost::asio::this_coro::executor, SteadyTimer::time_point::max());
    waiting_->push_back(&timer);
    const Listed listed{waiting_, &timer};
    boost::system::error_code woken;  // cancelling the timer is how `set` wakes us
    co_await timer.async_wait(boost::asio::redirect_error(use_task, woken));
}

void Signal::set() {
    is_set_ = true;
    // Each wakes through the io_context, so nobody runs in here.
    for (auto* timer : *waiting_) timer->cancel();
}

}  // namespace calhost
