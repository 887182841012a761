#include "support/virtual_time.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

namespace calhost::test {
namespace {

/// Takes the entry out again however the wait ends, a destroyed coroutine included.
struct Entry {
    std::multimap<Timestamp, SteadyTimer*>& waiting;
    std::multimap<Timestamp, SteadyTimer*>::iterator at;
    ~Entry() {
        if (at != waiting.end()) waiting.erase(at);
    }
};

}  // namespace

Task<> VirtualTime::sleep(milliseconds duration) {
    SteadyTimer timer(co_await boost::asio::this_coro::executor, SteadyTimer::time_point::max());
    const Entry entry{waiting_,
                      waiting_.emplace(now_ + std::max(duration, milliseconds{0}), &timer)};
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(use_task, woken));
}

bool VirtualTime::wake_next(Timestamp until) {
    if (waiting_.empty() || waiting_.begin()->first > until) return false;
    now_ = std::max(now_, waiting_.begin()->first);
    // The sleeper takes its own entry out when it resumes; pushing the time back keeps it from
    // being woken twice before that.
    SteadyTimer* timer = waiting_.begin()->second;
    timer->cancel();
    context_->restart();
    context_->poll();
    return true;
}

void VirtualTime::run(milliseconds limit) {
    const Timestamp until = now_ + limit;
    do {
        context_->restart();
        context_->poll();
    } while (wake_next(until));
}

bool VirtualTime::run_until(const std::function<bool()>& is_done, Timestamp until) {
    do {
        context_->restart();
        context_->poll();
        if (is_done()) return true;
    } while (wake_next(until));
    return false;
}

void VirtualTime::advance(milliseconds duration) {
    const Timestamp until = now_ + duration;
    run(duration);
    now_ = until;
}

void VirtualTime::advance_until(const std::function<bool()>& is_done, milliseconds duration) {
    const Timestamp until = now_ + duration;
    if (!run_until(is_done, until)) now_ = until;
}

}  // namespace calhost::test
