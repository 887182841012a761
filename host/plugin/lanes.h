/// At most so many calls at once under one name; the others wait in their order.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/signal.h"

namespace calhost::plugin {

/// *Thread*: one worker's. *Ownership*: outlives the passes that it gives.
class Lanes {
  public:
    /// A place among the calls on their way, until it is destroyed.
    class Pass {
      public:
        Pass(Lanes& lanes, std::string name) : lanes_(&lanes), name_(std::move(name)) {}
        Pass(Pass&& other) noexcept
            : lanes_(std::exchange(other.lanes_, nullptr)), name_(std::move(other.name_)) {}
        Pass& operator=(Pass&&) = delete;
        ~Pass() {
            if (lanes_ != nullptr) lanes_->leave(name_);
        }

      private:
        Lanes* lanes_;
        std::string name_;
    };

    /// Waits until fewer than `most` are on their way. *Cancels*: with the coroutine that waits.
    Task<Pass> enter(std::string name, int most);

  private:
    struct Turn {
        Signal given;
        std::optional<Pass> pass;  ///< whoever is cancelled with it in hand gives it on
    };
    struct Lane {
        int count = 0;
        std::deque<std::weak_ptr<Turn>> waiting;  ///< gone: the one who waited was cancelled
    };

    void leave(const std::string& name);

    std::map<std::string, Lane> lanes_;
};

}  // namespace calhost::plugin
