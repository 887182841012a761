#include "base/signal.h"

#include <boost/asio/redirect_error.hpp>

namespace calhost {

Task<> Signal::wait() {
    if (is_set_) co_return;
    boost::system::error_code woken;  // cancelling the timer is how `set` wakes us
    co_await timer_.async_wait(boost::asio::redirect_error(use_task, woken));
}

void Signal::set() {
    is_set_ = true;
    timer_.cancel();
}

}  // namespace calhost
