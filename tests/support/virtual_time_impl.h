/// The template body of virtual_time.h.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <stdexcept>

#include "support/virtual_time.h"

namespace calhost::test {

inline constexpr std::chrono::hours kLongestWait{24 * 366};

template <class T>
T VirtualTime::wait(Task<T> task) {
    std::exception_ptr thrown;
    if constexpr (std::is_void_v<T>) {
        bool done = false;
        boost::asio::co_spawn(executor(), std::move(task), [&](std::exception_ptr e) {
            thrown = e;
            done = true;
        });
        run_until([&] { return done; }, now_ + kLongestWait);
        if (thrown) std::rethrow_exception(thrown);
        if (!done) throw std::logic_error("the coroutine waits for something that never comes");
    } else {
        std::optional<T> value;
        boost::asio::co_spawn(executor(), std::move(task), [&](std::exception_ptr e, T result) {
            thrown = e;
            if (!e) value.emplace(std::move(result));
        });
        run_until([&] { return value || thrown; }, now_ + kLongestWait);
        if (thrown) std::rethrow_exception(thrown);
        if (!value) throw std::logic_error("the coroutine waits for something that never comes");
        return std::move(*value);
    }
}

}  // namespace calhost::test
