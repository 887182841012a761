/// At most one refresh of a connection is on its way.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

class OneRefresh final : public Invariant {
  public:
    using Invariant::Invariant;
    void sent(const Sent& request) override {
        if (request.refresh_token.empty()) return;
        if (++running_[request.refresh_token] > 1)
            violated("one refresh: a second one left before the first one came back");
    }
    void ended(const Sent& request) override {
        if (!request.refresh_token.empty()) --running_[request.refresh_token];
    }

  private:
    std::map<std::string, int> running_;
};

}  // namespace calhost::simulation
