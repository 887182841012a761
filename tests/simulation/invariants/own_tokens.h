/// A token is stored before it is used, and belongs to the account of its connection.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

class OwnTokens final : public Invariant {
  public:
    using Invariant::Invariant;

    void sent(const Sent& request) override {
        for (const auto& row : stored_connections(host())) {
            for (const auto& token : {row.access_token, row.refresh_token})
                committed_.insert(token);
            check_account(row);
        }
        const bool is_calendar_call = request.path.starts_with("/calendar/");
        if (is_calendar_call && !committed_.contains(request.access_token))
            violated("own tokens: " + request.path + " uses a token that is not stored");
    }

  private:
    void check_account(const StoredConnection& row) {
        for (const auto& token : {row.access_token, row.refresh_token}) {
            const auto* grant = scene_->known.grant_of(token);
            if (grant != nullptr && grant->account != row.email)
                violated("own tokens: the connection of " + row.email + " holds a token of " +
                         grant->account);
        }
    }

    std::set<std::string> committed_;
};

}  // namespace calhost::simulation
