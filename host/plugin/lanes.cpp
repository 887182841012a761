#include "plugin/lanes.h"

namespace calhost::plugin {

Task<Lanes::Pass> Lanes::enter(std::string name, int most) {
    while (lanes_[name].count >= most) {
        const auto turn = std::make_shared<Signal>();
        lanes_[name].waiting.push_back(turn);
        co_await turn->wait();
    }
    ++lanes_[name].count;
    co_return Pass(*this, std::move(name));
}

void Lanes::leave(const std::string& name) {
    const auto found = lanes_.find(name);
    auto& lane = found->second;
    --lane.count;
    while (!lane.waiting.empty()) {
        const auto next = lane.waiting.front().lock();
        lane.waiting.pop_front();
        if (next == nullptr) continue;
        next->set();
        return;
    }
    if (lane.count == 0) lanes_.erase(found);
}

}  // namespace calhost::plugin
