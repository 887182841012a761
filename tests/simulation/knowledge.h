/// What an observer on the wire and with the keys would know: every secret that passed, whose
/// token is whose, and what the host has stored.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/test_host.h"

namespace calhost::simulation {

/// One consent at the provider with all tokens that came of it.
struct Grant {
    std::string account;        ///< e-mail at the provider
    std::string refresh_token;  ///< the newest
};

/// A row of the host's, opened with its keys; empty tokens where a sealed value does not open.
struct StoredConnection {
    std::string id, user_id, account, email, state;
    std::string access_token, refresh_token;
};

/// *Thread*: one.
class Knowledge {
  public:
    void add_secret(std::string_view secret) {
        if (!secret.empty()) secrets_.emplace(secret);
    }
    void add_code(const std::string& code, const std::string& account);
    /// The provider answered at its token endpoint, whether or not that reached the host.
    void learn(const net::Query& form, const net::Response& answer);

    [[nodiscard]] const std::set<std::string>& secrets() const { return secrets_; }
    /// Null for a token that never was.
    [[nodiscard]] const Grant* grant_of(const std::string& token) const;
    [[nodiscard]] std::optional<std::size_t> grant_number(const std::string& token) const;
    [[nodiscard]] const Grant& grant(std::size_t number) const { return grants_[number]; }

  private:
    std::set<std::string> secrets_;
    std::map<std::string, std::string> codes_;  ///< account of each
    std::vector<Grant> grants_;
    std::map<std::string, std::size_t> tokens_;  ///< grant of each token
};

/// Every connection in the store, by id.
std::vector<StoredConnection> stored_connections(test::TestHost& host);

}  // namespace calhost::simulation
