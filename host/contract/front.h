/// What stands between a provider under test and its service: answers can be made up, lost or
/// changed on the way, and the account is spared the consequences.
#pragma once

#include <functional>
#include <optional>

#include "base/time.h"
#include "net/message.h"
#include "plugin/access.h"

namespace calhost::contract {

using Answer = Result<net::ClientResponse>;

/// *Thread*: one worker's. *Ownership*: the way out outlives it.
class FrontTransport final : public net::Transport {
  public:
    explicit FrontTransport(net::Transport& way_out) : way_out_(&way_out) {}
    Task<Answer> send(net::ClientRequest request) override;

    /// Answers every request in place of the service.
    void answer_all(Answer answer) { made_up_ = std::move(answer); }
    /// The service carries out the next write, and nobody hears of it.
    void lose_next_reply() { loses_reply_ = true; }
    /// As the service is.
    void be_quiet();

    [[nodiscard]] bool is_disturbing() const { return made_up_ || loses_reply_; }

  private:
    net::Transport* way_out_;
    std::optional<Answer> made_up_;
    bool loses_reply_ = false;
};

/// A made-up 401 refreshes no token, and a made-up Retry-After does not close the account.
class FrontAccess final : public plugin::Access {
  public:
    FrontAccess(plugin::Access& account, const FrontTransport& front)
        : account_(&account), front_(&front) {}
    Task<Result<Secret>> token(bool was_refused) override;
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override;
    Task<> block_until(Timestamp when) override;
    [[nodiscard]] const plugin::Account* account() const override { return account_->account(); }
    [[nodiscard]] const std::string& connection_id() const override {
        return account_->connection_id();
    }

  private:
    plugin::Access* account_;
    const FrontTransport* front_;
};

/// Nobody waits between the attempts of a call whose answers are made up.
class FrontTimers final : public Timers {
  public:
    FrontTimers(Timers& timers, const FrontTransport& front) : timers_(&timers), front_(&front) {}
    Task<> sleep(milliseconds duration) override;

  private:
    Timers* timers_;
    const FrontTransport* front_;
};

}  // namespace calhost::contract
