#include "plugin/breaker.h"

#include <fmt/format.h>

#include "base/log.h"

namespace calhost::plugin {
namespace {

constexpr int kOverruns = 3;
constexpr std::chrono::minutes kLongest{60};
constexpr std::size_t kMostBreakers = 1000;

}  // namespace

Result<void> Breaker::admit() const {
    const auto left = open_until_ - clock_->monotonic();
    if (left <= std::chrono::nanoseconds{0}) return {};
    const auto wait = std::chrono::ceil<milliseconds>(left);
    return std::unexpected(
        Error{.code = ErrorCode::unavailable,
              .message = fmt::format("Plugin {} is set aside after using up its budget "
                                     "{} times in a row; see the log.",
                                     plugin_, kOverruns),
              .retry_after = wait});
}

void Breaker::report(lua::Overrun overrun) {
    if (overrun == lua::Overrun::none) {
        overruns_ = 0;
        pause_ = std::chrono::minutes{1};
        return;
    }
    if (++overruns_ < kOverruns) return;
    open_until_ = clock_->monotonic() + pause_;
    log::error("plugin set aside: it used up its budget again and again",
               {{"plugin", plugin_}, {"minutes", pause_.count()}});
    pause_ = std::min(pause_ * 2, kLongest);
    overruns_ = kOverruns - 1;  // half open: one more overrun opens it again
}

Result<void> Breakers::admit(const std::string& account) const {
    const auto found = breakers_.find(account);
    return found == breakers_.end() ? Result<void>{} : found->second.admit();
}

void Breakers::report(const std::string& account, lua::Overrun overrun) {
    if (overrun == lua::Overrun::none) {
        breakers_.erase(account);
        return;
    }
    // Accounts that were never stored do not come back to close theirs.
    if (breakers_.size() >= kMostBreakers)
        std::erase_if(breakers_, [](const auto& each) { return each.second.admit().has_value(); });
    breakers_.try_emplace(account, plugin_, *clock_).first->second.report(overrun);
}

}  // namespace calhost::plugin
