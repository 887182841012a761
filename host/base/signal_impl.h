/// The template body of signal.h.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/signal.h"

namespace calhost {

template <class T>
Task<Result<T>> SingleFlight<T>::run(std::string key, std::function<Task<Result<T>>()> operation) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    auto& slot = (*flights_)[key];
    if (slot == nullptr) {
        slot = std::make_shared<Flight>(executor);
        auto body = [](std::shared_ptr<Flights> flights, std::shared_ptr<Flight> flight,
                       std::string name, std::function<Task<Result<T>>()> work) -> Task<> {
            flight->result = co_await work();
            flights->erase(name);
            flight->done.set();
        };
        boost::asio::co_spawn(executor, body(flights_, slot, key, std::move(operation)),
                              boost::asio::detached);
    }
    auto flight = (*flights_)[key];
    co_await flight->done.wait();
    co_return flight->result;
}

}  // namespace calhost
