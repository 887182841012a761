/// Coroutines of the house: `Task<T>` runs on one worker's io_context and never moves to another.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace calhost {

/// The concrete executor: measured faster than any_io_executor, and it says which loop we mean.
using Executor = boost::asio::io_context::executor_type;

template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

/// Completion token: `co_await socket.async_read_some(buffer, use_task)`.
inline constexpr boost::asio::use_awaitable_t<Executor> use_task{};

using SteadyTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace calhost
