#include "contract/front.h"

#include "plugin/http_object.h"

namespace calhost::contract {
namespace {

bool is_write(std::string_view method) {
    return method != "GET" && method != "HEAD" && method != "PROPFIND" && method != "REPORT" &&
           method != "OPTIONS";
}

}  // namespace

Task<Answer> FrontTransport::send(net::ClientRequest request) {
    if (made_up_) co_return *made_up_;
    const bool is_lost = loses_reply_ && is_write(request.method);
    auto answer = co_await way_out_->send(std::move(request));
    if (!is_lost) co_return answer;
    loses_reply_ = false;
    co_return fail(ErrorCode::timeout, "The answer did not come in time.");
}

void FrontTransport::be_quiet() {
    made_up_.reset();
    loses_reply_ = false;
}

Task<Result<Secret>> FrontAccess::token(bool was_refused) {
    co_return co_await account_->token(was_refused && !front_->is_disturbing());
}

std::optional<Timestamp> FrontAccess::blocked_until() const {
    return front_->is_disturbing() ? std::nullopt : account_->blocked_until();
}

Task<> FrontAccess::block_until(Timestamp when) {
    if (!front_->is_disturbing()) co_await account_->block_until(when);
}

Task<> FrontTimers::sleep(milliseconds duration) {
    // The deadline of a whole call is a long wait, and stays.
    if (front_->is_disturbing() && duration <= plugin::kLongestWait) co_return;
    co_await timers_->sleep(duration);
}

}  // namespace calhost::contract
