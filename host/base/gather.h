/// Several coroutines of one worker side by side.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "base/signal.h"

namespace calhost {

/// Runs all and gives their values in the same order, once the last is there. *Cancels*: never: a
/// caller that is cancelled leaves them running, so what they refer to must outlive them.
template <class T>
Task<std::vector<T>> gather(std::vector<Task<T>> tasks) {
    struct Gathered {
        std::vector<std::optional<T>> values;
        std::size_t missing = 0;
        std::exception_ptr thrown;
        Signal complete;
    };
    const auto gathered = std::make_shared<Gathered>();
    gathered->values.resize(tasks.size());
    gathered->missing = tasks.size();
    const auto one = [](std::shared_ptr<Gathered> into, std::size_t index, Task<T> task) -> Task<> {
        try {
            into->values[index] = co_await std::move(task);
        } catch (...) {
            into->thrown = std::current_exception();
        }
        if (--into->missing == 0) into->complete.set();
    };
    const Executor executor = co_await boost::asio::this_coro::executor;
    for (std::size_t i = 0; i < tasks.size(); ++i)
        boost::asio::co_spawn(executor, one(gathered, i, std::move(tasks[i])),
                              boost::asio::detached);
    if (gathered->missing > 0) co_await gathered->complete.wait();
    if (gathered->thrown) std::rethrow_exception(gathered->thrown);
    std::vector<T> values;
    for (auto& value : gathered->values) values.push_back(std::move(*value));
    co_return values;
}

}  // namespace calhost
