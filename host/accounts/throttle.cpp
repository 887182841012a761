#include "accounts/throttle.h"

#include <algorithm>

#include "crypto/crypto.h"

namespace calhost::accounts {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kLongest = 15min;
constexpr std::chrono::seconds kForgottenAfter = 1h;

std::chrono::seconds delay_after(int failures) {
    if (failures <= 0) return 0s;
    // 2^10 s is beyond the longest delay already; stopping there keeps the shift defined.
    return std::min(kLongest, std::chrono::seconds{1LL << std::min(failures - 1, 10)});
}

}  // namespace

milliseconds Throttle::remaining(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(crypto::sha256(key));
    if (found == entries_.end()) return 0ms;
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(found->second.closed_until -
                                                                     clock_->monotonic()));
}

void Throttle::failed(std::string_view key, int free) {
    const auto now = clock_->monotonic();
    const std::scoped_lock lock(mutex_);
    auto digest = crypto::sha256(key);
    if (!entries_.contains(digest)) make_room(now);
    auto& entry = entries_[std::move(digest)];
    if (now > entry.closed_until + kForgottenAfter) entry.failures = 0;
    entry.failures++;
    entry.closed_until = now + delay_after(entry.failures - free);
}

void Throttle::succeeded(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    entries_.erase(crypto::sha256(key));
}

void Throttle::make_room(Moment now) {
    if (entries_.size() < capacity_) return;
    std::erase_if(entries_, [&](const auto& each) {
        return now > each.second.closed_until + kForgottenAfter;
    });
    if (entries_.size() < capacity_) return;
    entries_.erase(std::ranges::min_element(
        entries_, {}, [](const auto& each) { return each.second.closed_until; }));
}

}  // namespace calhost::accounts
