#include "plugin/lanes.h"

namespace calhost::plugin {

Task<Lanes::Pass> Lanes::enter(std::string name, int most) {
    auto& lane = lanes_[name];
    if (lane.count < most) {
        ++lane.count;
        co_return Pass(*this, std::move(name));
    }
    const auto turn = std::make_shared<Turn>();
    lane.waiting.push_back(turn);
    // Twice when cancelled: the first wait returns, the second throws.
    while (!turn->pass) co_await turn->given.wait();
    co_return std::move(*turn->pass);
}

void Lanes::leave(const std::string& name) {
    const auto found = lanes_.find(name);
    auto& lane = found->second;
    while (!lane.waiting.empty()) {
        const auto next = lane.waiting.front().lock();
        lane.waiting.pop_front();
        if (next == nullptr) continue;
        // The place itself goes on, so that nobody who comes in between takes it.
        next->pass.emplace(*this, name);
        next->given.set();
        return;
    }
    if (--lane.count == 0) lanes_.erase(found);
}

}  // namespace calhost::plugin
