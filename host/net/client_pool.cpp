#include "net/client_pool.h"

#include <boost/asio/redirect_error.hpp>

namespace calhost::net {
namespace {

/// Leaves the queue however the wait ends, a destroyed coroutine included.
template <class Queue, class Waiter>
struct Place {
    Queue& queue;
    Waiter* waiter;
    ~Place() { std::erase(queue, waiter); }
};

}  // namespace

Permit::~Permit() {
    if (pool_ != nullptr) pool_->give_back(origin_);
}

Task<Result<Permit>> ClientPool::take_permit(std::string origin) {
    Origin& entry = origins_[origin];
    if (entry.in_use < permits_ && entry.waiting.empty()) {
        ++entry.in_use;
        co_return Permit(shared_from_this(), std::move(origin));
    }
    Waiter waiter{SteadyTimer(executor_, SteadyTimer::time_point::max()), std::nullopt};
    entry.waiting.push_back(&waiter);
    const Place place{entry.waiting, &waiter};
    boost::system::error_code woken;
    co_await waiter.wake.async_wait(boost::asio::redirect_error(use_task, woken));
    if (!waiter.permit) co_return fail(ErrorCode::cancelled, "The request was given up.");
    co_return std::move(*waiter.permit);
}

void ClientPool::give_back(const std::string& origin) {
    const auto at = origins_.find(origin);
    Origin& entry = at->second;
    if (!entry.waiting.empty()) {
        Waiter* next = entry.waiting.front();
        entry.waiting.pop_front();
        next->permit.emplace(shared_from_this(), origin);
        next->wake.cancel();
        return;
    }
    --entry.in_use;
    if (entry.in_use == 0 && entry.idle.empty()) origins_.erase(at);
}

std::unique_ptr<ClientConnection> ClientPool::take_idle(const std::string& origin) {
    drop_expired();
    auto& idle = origins_[origin].idle;
    while (!idle.empty()) {
        auto connection = std::move(idle.back().connection);
        idle.pop_back();
        if (connection->is_quiet()) return connection;
    }
    return nullptr;
}

void ClientPool::keep(const std::string& origin, std::unique_ptr<ClientConnection> connection) {
    origins_[origin].idle.push_back({std::move(connection), clock_.monotonic()});
}

void ClientPool::drop_expired() {
    const auto oldest = clock_.monotonic() - idle_time_;
    for (auto& [origin, entry] : origins_)
        while (!entry.idle.empty() && entry.idle.front().since < oldest) entry.idle.pop_front();
    std::erase_if(origins_, [](const auto& item) {
        const Origin& entry = item.second;
        return entry.in_use == 0 && entry.idle.empty() && entry.waiting.empty();
    });
}

}  // namespace calhost::net
