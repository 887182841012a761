#include "net/counts.h"

namespace calhost::net {
namespace {

template <class Bytes>
std::string first_bytes(const Bytes& bytes, std::size_t count) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::string address_key(const Address& address) {
    if (address.is_v4()) return first_bytes(address.to_v4().to_bytes(), 4);
    return first_bytes(address.to_v6().to_bytes(), 8);
}

bool take_by_address(ServerCounts& counts, const std::string& key, std::size_t most) {
    const std::scoped_lock lock(counts.mutex);
    auto& taken = counts.by_address[key];
    if (taken >= most) return false;
    ++taken;
    return true;
}

void give_back(ServerCounts& counts, const std::string& key) {
    const std::scoped_lock lock(counts.mutex);
    const auto at = counts.by_address.find(key);
    if (--at->second == 0) counts.by_address.erase(at);
}

}  // namespace

std::optional<Admission> Admission::take(std::shared_ptr<ServerCounts> counts,
                                         const Address& address, const ServerLimits& limits,
                                         bool is_trusted) {
    if (counts->connections.fetch_add(1) >= limits.connections) {
        --counts->connections;
        return std::nullopt;
    }
    std::string key = is_trusted ? std::string() : address_key(address);
    if (!key.empty() && !take_by_address(*counts, key, limits.connections_per_address)) {
        --counts->connections;
        return std::nullopt;
    }
    return Admission(std::move(counts), std::move(key));
}

Admission::~Admission() {
    if (counts_ == nullptr) return;  // moved from
    --counts_->connections;
    if (!key_.empty()) give_back(*counts_, key_);
}

std::shared_ptr<ServerCounts> make_server_counts() { return std::make_shared<ServerCounts>(); }

ServerFigures read_counts(const ServerCounts& counts) {
    return {counts.connections.load(), counts.requests.load(), counts.refused.load()};
}

}  // namespace calhost::net
