/// The template body of signal.h.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "base/signal.h"

namespace calhost {

template <class T>
Task<Result<T>> SingleFlight<T>::run(std::string key, std::function<Task<Result<T>>()> operation) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    auto& slot = (*flights_)[key];
    if (slot != nullptr) {
        const auto flight = slot;
        co_await flight->done.wait();
        co_return flight->result;
    }
    const auto flight = slot = std::make_shared<Flight>();
    auto body = [](std::shared_ptr<Flights> flights, std::shared_ptr<Flight> own, std::string name,
                   std::function<Task<Result<T>>()> work) -> Task<> {
        try {
            own->result = co_await work();
        } catch (const std::exception& bug) {  // nobody may hang because of it
            log::error("an operation threw", {{"operation", name}, {"what", bug.what()}});
        }
        flights->erase(name);
        own->done.set();
    };
    boost::asio::co_spawn(executor, body(flights_, flight, key, std::move(operation)),
                          boost::asio::detached);
    co_await flight->done.wait();
    co_return flight->result;
}

}  // namespace calhost
