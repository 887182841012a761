#include "simulation/faults.h"

#include <array>

namespace calhost::simulation {

std::string_view to_string(Fault::Kind kind) {
    constexpr std::array<std::string_view, 6> kWords{"none",       "slow",      "reset",
                                                     "reply_lost", "truncated", "status"};
    return kWords[static_cast<std::size_t>(kind)];
}

Fault Faults::next(bool has_access_token) {
    using enum Fault::Kind;
    if (!dice_->chance(percent_)) return {};
    switch (dice_->below(8)) {
        case 0:
        case 1:
            return {.kind = slow, .delay = dice_->between(milliseconds{10}, milliseconds{45'000})};
        case 2:
            return {.kind = reset, .delay = dice_->between(milliseconds{0}, milliseconds{5'000})};
        case 3:
            return {.kind = reply_lost,
                    .delay = dice_->between(milliseconds{0}, milliseconds{5'000})};
        case 4:
            return {.kind = truncated};
        default:
            return status_fault(has_access_token);
    }
}

Fault Faults::status_fault(bool has_access_token) {
    constexpr std::array kStatus{429, 429, 500, 503, 503, 401};
    Fault fault{.kind = Fault::Kind::status, .status = kStatus[dice_->below(kStatus.size())]};
    if (fault.status == 401 && !has_access_token) fault.status = 500;
    const bool may_ask_to_wait = fault.status == 429 || fault.status == 503;
    if (may_ask_to_wait && dice_->chance(60))
        fault.retry_after = std::chrono::seconds(1 + dice_->below(900));
    return fault;
}

}  // namespace calhost::simulation
