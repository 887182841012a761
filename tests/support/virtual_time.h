/// A clock that only the test moves, and timers that follow it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>

#include "base/time.h"

namespace calhost::test {

/// Runs coroutines of one io_context on virtual time: whatever is ready runs, then the clock jumps
/// to the next timer. Nothing ever sleeps. Same input, same order.
class VirtualTime final : public Clock, public Timers {
  public:
    /// Starts at 2026-11-20T09:00:00Z.
    explicit VirtualTime(boost::asio::io_context& context) : context_(&context) {}

    [[nodiscard]] Timestamp now() const override { return now_ + skew_; }
    [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
        return now_.time_since_epoch();
    }
    Task<> sleep(milliseconds duration) override;

    /// Runs until nothing is ready and no timer is due within `limit` of virtual time.
    void run(milliseconds limit = std::chrono::hours{24 * 366});
    /// Moves the clock forward, waking what comes due on the way.
    void advance(milliseconds duration);
    /// The same, but stops where it is as soon as `is_done`; asked whenever nothing is ready.
    void advance_until(const std::function<bool()>& is_done, milliseconds duration);
    /// Sets the wall clock apart from the timers: a clock that somebody changed.
    void set_skew(milliseconds skew) { skew_ = skew; }

    /// Runs one coroutine to its end and gives its value; what else waits goes on waiting then.
    template <class T>
    T wait(Task<T> task);

    /// Goes on with another loop: the old one was thrown away with everything that waited in it.
    void use(boost::asio::io_context& context) { context_ = &context; }

    boost::asio::io_context& context() { return *context_; }
    Executor executor() { return context_->get_executor(); }

  private:
    bool wake_next(Timestamp until);
    bool run_until(const std::function<bool()>& is_done, Timestamp until);

    boost::asio::io_context* context_;
    Timestamp now_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} +
                   std::chrono::hours{9}};
    milliseconds skew_{0};
    // By due time, then in the order they began to wait.
    std::multimap<Timestamp, SteadyTimer*> waiting_;
};

}  // namespace calhost::test

#include "support/virtual_time_impl.h"
