/// Coroutines of one worker waiting for each other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/task.h"

namespace calhost {

/// Wakes every coroutine that waits. *Thread*: one worker's; not for signalling across workers.
/// Holds no timer of its own: what waits belongs to the io_context, so a host can be thrown away in
/// the middle by destroying the io_context first.
class Signal {
  public:
    /// Returns once `set` has been called. *Cancels*: with the coroutine that waits.
    Task<> wait();
    /// Wakes all who wait and lets later ones through until `reset`.
    void set();
    /// Later ones wait again.
    void reset() { is_set_ = false; }

  private:
    using Waiting = std::vector<SteadyTimer*>;  // in the order they began, so that a seed repeats
    std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
    bool is_set_ = false;
};

/// Runs one operation a key at a time: who asks while it runs gets the same result.
/// The operation goes on when the caller that began it is cancelled, so followers never hang.
/// *Thread*: one worker's.
template <class T>
class SingleFlight {
  public:
    /// `operation` is a function that makes the Task; it is called only if none runs for `key`.
    Task<Result<T>> run(std::string key, std::function<Task<Result<T>>()> operation);
    [[nodiscard]] bool is_running(const std::string& key) const { return flights_->contains(key); }

  private:
    struct Flight {
        Signal done;
        Result<T> result = fail(ErrorCode::cancelled, "the operation was abandoned");
    };
    using Flights = std::map<std::string, std::shared_ptr<Flight>>;
    // Shared with the flights, which may outlive this object while the host shuts down.
    std::shared_ptr<Flights> flights_ = std::make_shared<Flights>();
};

}  // namespace calhost

#include "base/signal_impl.h"
