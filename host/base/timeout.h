/// An operation with a deadline.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/result.h"
#include "base/time.h"

namespace calhost {

/// Runs `operation`, and cancels it when `limit` is over first. *Errors*: its own, and timeout.
template <class T>
Task<Result<T>> with_timeout(Timers& timers, milliseconds limit, Task<Result<T>> operation) {
    using namespace boost::asio::experimental::awaitable_operators;
    auto outcome = co_await (std::move(operation) || timers.sleep(limit));
    if (outcome.index() == 1)
        co_return fail(ErrorCode::timeout,
                       "no answer within " + std::to_string(limit.count()) + " ms");
    co_return std::get<0>(std::move(outcome));
}

}  // namespace calhost
