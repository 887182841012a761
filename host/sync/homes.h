/// Where each connection lives: the one worker that refreshes, syncs and writes for it, so that one
/// thing happens at a time without locks.
#pragma once

#include <functional>
#include <vector>

#include "base/hop.h"
#include "sync/pull.h"

namespace calhost::sync {

/// One worker's rooms, as others reach them: only on `executor`.
struct Home {
    Executor executor;
    connect::Services* services;
    connect::TokenKeeper* keeper;
    Puller* puller;
};

/// *Thread*: any; built before the workers run. *Ownership*: the rooms outlive it.
class Homes {
  public:
    void add(Home home) { homes_.push_back(home); }

    /// FNV-1a of the id: the same worker for the same number of workers, on every host.
    [[nodiscard]] const Home& of(std::string_view connection_id) const {
        std::uint64_t hash = 14695981039346656037ULL;
        for (const char c : connection_id)
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
        return homes_[hash % homes_.size()];
    }

    /// Runs `work` on the connection's home worker and gives its value back here.
    template <class T>
    Task<T> run(std::string_view connection_id, std::function<Task<T>(const Home&)> work) const {
        const Home& home = of(connection_id);
        return hop<T>(home.executor, [&home, work = std::move(work)] { return work(home); });
    }

  private:
    std::vector<Home> homes_;
};

}  // namespace calhost::sync
