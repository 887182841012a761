/// No call before the provider's Retry-After is over, a restart in between or not.
#pragma once

#include <fmt/format.h>

#include "plugin/http_object.h"
#include "simulation/invariant.h"

namespace calhost::simulation {

class RetryAfterKept final : public Invariant {
  public:
    using Invariant::Invariant;

    void sent(const Sent& request) override {
        const auto until = quiet_until_.find(key_of(request));
        if (until != quiet_until_.end() && request.time < until->second)
            violated(
                fmt::format("Retry-After kept: {} {} left {} s early", request.method, request.path,
                            std::chrono::duration<double>(until->second - request.time).count()));
    }

    void answered(const Sent& request, const net::ClientResponse& answer) override {
        if (answer.status != 429 && answer.status != 503) return;
        const auto now = host().time.now();
        const auto wait = plugin::retry_after_of(answer.headers, now);
        const auto key = key_of(request);
        if (!wait || key.empty()) return;
        auto& until = quiet_until_[key];
        until = std::max(until, now + *wait);
    }

  private:
    /// Whom the provider asked: the connection, or the revocation of one token.
    static std::string key_of(const Sent& request) {
        if (!request.revoked_token.empty()) return "revoke " + request.revoked_token;
        return request.connection ? request.connection->id : std::string();
    }

    std::map<std::string, Timestamp> quiet_until_;
};

}  // namespace calhost::simulation
