/// Running something on another worker and coming back.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <functional>

#include "base/task.h"

namespace calhost {

/// Runs `work` on `target`'s thread and returns its value on the caller's. *Cancels*: never across
/// threads: a cancelled caller still waits for the work.
template <class T>
Task<T> hop(Executor target, std::function<Task<T>()> work) {
    if (target == co_await boost::asio::this_coro::executor) co_return co_await work();
    co_return co_await boost::asio::co_spawn(
        target, [work = std::move(work)]() -> Task<T> { return work(); },
        boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), use_task));
}

}  // namespace calhost
