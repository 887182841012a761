/// A clock and timers that only the test moves, beside real loopback sockets.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <list>

#include "base/time.h"

namespace calhost::test {

/// Unlike VirtualTime it never jumps by itself: what a socket is about to bring is not "ready" yet.
class ManualTime final : public Clock, public Timers {
  public:
    [[nodiscard]] Timestamp now() const override {
        return from_millis(1'795'165'200'000) + elapsed_;
    }
    [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return elapsed_; }

    Task<> sleep(milliseconds duration) override {
        const auto executor = co_await boost::asio::this_coro::executor;
        const auto at = sleepers_.insert(
            sleepers_.end(),
            {elapsed_ + duration, SteadyTimer(executor, SteadyTimer::time_point::max())});
        struct Leave {
            std::list<Sleeper>& sleepers;
            std::list<Sleeper>::iterator at;
            ~Leave() { sleepers.erase(at); }
        } const leave{sleepers_, at};
        boost::system::error_code woken;
        co_await at->timer.async_wait(boost::asio::redirect_error(use_task, woken));
    }

    /// Moves on and wakes who is due.
    void advance(milliseconds duration) {
        elapsed_ += duration;
        for (auto& sleeper : sleepers_)
            if (sleeper.due <= elapsed_) sleeper.timer.cancel();
    }

  private:
    struct Sleeper {
        milliseconds due;
        SteadyTimer timer;
    };
    milliseconds elapsed_{1'000'000};
    std::list<Sleeper> sleepers_;
};

/// Runs one coroutine to its end and gives its value; gives up when nothing at all happens for
/// ten seconds, so that a hang is a failure.
template <class T>
T run(boost::asio::io_context& context, Task<T> task) {
    std::exception_ptr thrown;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value;
    if constexpr (std::is_void_v<T>)
        boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr e) {
            thrown = e;
            value.emplace(true);
        });
    else
        boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr e, T result) {
            thrown = e;
            value.emplace(std::move(result));
        });
    context.restart();
    while (!value && context.run_one_for(std::chrono::seconds{10}) > 0) {
    }
    if (thrown) std::rethrow_exception(thrown);
    if (!value) throw std::logic_error("nothing happens any more, and the test is not done");
    if constexpr (!std::is_void_v<T>) return std::move(*value);
}

}  // namespace calhost::test
