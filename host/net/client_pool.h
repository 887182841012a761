/// Idle connections and permits, by origin.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/client_connection.h"

namespace calhost::net {

class ClientPool;

/// The right to use one connection to an origin; given back, and to the next in line, when it goes.
class Permit {
  public:
    Permit(std::shared_ptr<ClientPool> pool, std::string origin)
        : pool_(std::move(pool)), origin_(std::move(origin)) {}
    Permit(Permit&&) = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit();

  private:
    std::shared_ptr<ClientPool> pool_;
    std::string origin_;
};

/// *Thread*: one worker's.
class ClientPool : public std::enable_shared_from_this<ClientPool> {
  public:
    ClientPool(Executor executor, const Clock& clock, std::size_t permits, milliseconds idle_time)
        : executor_(executor), clock_(clock), permits_(permits), idle_time_(idle_time) {}

    /// Waits for its turn: first come, first served. *Errors*: cancelled.
    Task<Result<Permit>> take_permit(std::string origin);

    /// A connection that is still good, or nullptr.
    std::unique_ptr<ClientConnection> take_idle(const std::string& origin);
    void keep(const std::string& origin, std::unique_ptr<ClientConnection> connection);

  private:
    friend class Permit;
    struct Waiter {
        SteadyTimer wake;
        std::optional<Permit> permit;
    };
    struct Idle {
        std::unique_ptr<ClientConnection> connection;
        std::chrono::nanoseconds since;
    };
    struct Origin {
        std::size_t in_use = 0;
        std::deque<Waiter*> waiting;
        std::deque<Idle> idle;  // the longest idle first
    };

    void give_back(const std::string& origin);
    void drop_expired();

    Executor executor_;
    const Clock& clock_;
    std::size_t permits_;
    milliseconds idle_time_;
    std::map<std::string, Origin> origins_;
};

}  // namespace calhost::net
