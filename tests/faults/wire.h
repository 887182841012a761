/// A wire that breaks on order, in front of any transport.
#pragma once

#include <functional>
#include <optional>

#include "net/message.h"

namespace calhost::test {

using Answer = Result<net::ClientResponse>;

/// What goes wrong, how often, and whether the provider has done the work by then.
struct Fault {
    std::function<Answer()> answer;
    int count = -1;         ///< requests that it hits; -1: all
    bool is_after = false;  ///< the provider gets the request, and its answer is lost
};

/// *Thread*: one.
class Wire {
  public:
    using Hits = std::function<bool(const net::ClientRequest& request)>;

    void break_on(Hits hits, Fault fault) {
        hits_ = std::move(hits);
        fault_ = std::move(fault);
    }
    void mend() { fault_.reset(); }
    int count = 0;  ///< requests that the fault hit, or would have hit

    Task<std::optional<Answer>> before(net::ClientRequest& request) {
        if (!is_hit(request, false)) co_return std::nullopt;
        co_return fault_->answer();
    }
    Task<void> after(const net::ClientRequest& request, Answer& answer) {
        if (is_hit(request, true)) answer = fault_->answer();
        co_return;
    }

  private:
    bool is_hit(const net::ClientRequest& request, bool is_after) {
        if (!fault_ || fault_->is_after != is_after || !hits_(request)) return false;
        ++count;
        if (fault_->count == 0) return false;
        if (fault_->count > 0) --fault_->count;
        return true;
    }

    Hits hits_;
    std::optional<Fault> fault_;
};

/// *Ownership*: both outlive it.
class BrokenTransport final : public net::Transport {
  public:
    BrokenTransport(net::Transport& inner, Wire& wire) : inner_(&inner), wire_(&wire) {}
    Task<Answer> send(net::ClientRequest request) override {
        if (auto answer = co_await wire_->before(request)) co_return std::move(*answer);
        auto answer = co_await inner_->send(request);
        co_await wire_->after(request, answer);
        co_return answer;
    }

  private:
    net::Transport* inner_;
    Wire* wire_;
};

}  // namespace calhost::test
