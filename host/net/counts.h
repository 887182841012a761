/// Admission: how many connections the host has, in all and from one address.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "net/address.h"
#include "net/server.h"

namespace calhost::net {

/// *Thread*: any.
struct ServerCounts {
    std::atomic<std::size_t> connections{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> refused{0};
    std::mutex mutex;
    std::unordered_map<std::string, std::size_t> by_address;  // guarded by `mutex`
};

/// One connection's place; gives it back when it goes.
class Admission {
  public:
    /// Nothing when a limit is reached. A trusted proxy has no limit of its own, since it speaks
    /// for many. IPv6 counts by /64, which is what one client has.
    static std::optional<Admission> take(std::shared_ptr<ServerCounts> counts,
                                         const Address& address, const ServerLimits& limits,
                                         bool is_trusted);
    Admission(Admission&&) = default;
    Admission& operator=(Admission&&) = delete;
    ~Admission();

  private:
    Admission(std::shared_ptr<ServerCounts> counts, std::string key)
        : counts_(std::move(counts)), key_(std::move(key)) {}

    std::shared_ptr<ServerCounts> counts_;
    std::string key_;  // empty: not counted by address
};

}  // namespace calhost::net
