/// What a provider says about itself, read once from the table that provider.lua returns.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "plugin/auth_fields.h"

namespace calhost::plugin {

/// Where the provider is reached; the operator's `endpoints` win over the script's own.
struct Endpoints {
    std::string authorize, token, revoke, userinfo, api;
    std::string issuer;  ///< compared with `iss` where it is sent (RFC 9207); empty: not known
};

struct AuthInfo {
    std::string kind = "oauth2";  ///< oauth2 basic form none
    std::vector<std::pair<std::string, std::string>>
        parameters;  ///< added to the authorization request
    std::vector<std::string> identity_scopes;
    std::map<std::string, std::vector<std::string>> scopes;  ///< purpose → scopes
    std::map<std::string, std::vector<std::string>> covers;  ///< a scope that stands for others
    std::vector<AuthField> fields;                           ///< kinds basic and form
    std::vector<AuthPreset> presets;

    /// People enter what the account needs instead of being sent to the provider.
    [[nodiscard]] bool is_by_fields() const { return kind == "basic" || kind == "form"; }
};

struct ProviderInfo {
    std::string id;
    std::string title;
    boost::json::object can;
    AuthInfo auth;
    Endpoints endpoints;
    /// Words in the body of an answer with this status that mean "slow down".
    std::map<int, std::vector<std::string>> throttled;

    /// The provider app.
    std::string client_id;
    Secret client_secret;
    std::string redirect_uri;  ///< empty: the host's default
    /// The section as scripts may see it, endpoints filled in.
    boost::json::object config;

    /// People can connect: what the operator must prepare is there.
    [[nodiscard]] bool is_configured() const {
        return auth.is_by_fields() || (auth.kind == "oauth2" && !client_id.empty());
    }
    /// Everything that is asked for: identity and purpose.
    [[nodiscard]] std::vector<std::string> asked_scopes(const std::string& purpose) const;
    /// The calendar scope of the purpose that `granted` lacks, aliases resolved; empty: none.
    [[nodiscard]] std::string missing_scope(const std::string& purpose,
                                            const std::vector<std::string>& granted) const;
    /// Hosts ("example.org:8080") that the provider's requests may go to.
    [[nodiscard]] std::set<std::string> hosts() const;
};

/// Reads the provider's table, given as JSON without its functions.
/// *Errors*: misconfigured, naming what is missing.
Result<ProviderInfo> read_provider_info(const boost::json::value& table);

/// Puts the checked section in: provider app, endpoints, what scripts may see.
void apply_section(ProviderInfo& info, const boost::json::object& values,
                   const boost::json::object& open_values);

/// Words separated by spaces.
std::vector<std::string> split_words(std::string_view text);

}  // namespace calhost::plugin
