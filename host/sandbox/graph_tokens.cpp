// What the host asks behind the browser's back: codes against tokens, refresh, identity.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "crypto/jws.h"
#include "sandbox/graph_identity.h"
#include "sandbox/oauth_wire.h"

namespace calhost::sandbox::graph {

net::Response Identity::token_error(int status, std::string_view error, int code,
                                    std::string_view sentence) const {
    auto when = format_rfc3339(std::chrono::floor<std::chrono::seconds>(world_->clock.now()));
    when[10] = ' ';
    const auto trace = new_id(world_->random);
    const auto correlation = new_id(world_->random);
    return no_store(net::Response::json(
        status,
        boost::json::object{
            {"error", error},
            {"error_description",
             fmt::format("AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}", code,
                         sentence, trace, correlation, when)},
            {"error_codes", boost::json::array{code}},
            {"timestamp", when},
            {"trace_id", trace},
            {"correlation_id", correlation},
            {"error_uri", fmt::format("https://login.microsoftonline.com/error?code={}", code)}}));
}

net::Response Identity::token(const net::Request& request, const std::string& tenant) {
    const auto form = request.form();
    if (!form) return token_error(400, "invalid_request", 900144, "The body is no form.");
    const auto client = read_client(request, *form);
    if (client.id != world_->options.client_id)
        return token_error(400, "unauthorized_client", 700016,
                           "Application was not found in the directory.");
    if (client.secret.empty())
        return token_error(401, "invalid_client", 7000218,
                           "The request body must contain 'client_assertion' or 'client_secret'.");
    if (!crypto::equal(client.secret, world_->options.client_secret))
        return token_error(401, "invalid_client", 7000215, "Invalid client secret provided.");
    const auto type = form->get("grant_type");
    if (type == "authorization_code") return exchange(*form, tenant);
    if (type == "refresh_token") return refresh(*form, tenant);
    if (type.empty())
        return token_error(400, "invalid_request", 900144,
                           "The request body must contain the following parameter: 'grant_type'.");
    return token_error(400, "unsupported_grant_type", 70003,
                       "The app requested an unsupported grant type.");
}

net::Response Identity::exchange(const net::Query& form, const std::string& /*tenant*/) {
    const auto grant =
        grants_->redeem(form.get("code"), form.get("redirect_uri"), form.get("code_verifier"));
    if (grant) return token_response(**grant);
    const auto refused = [&](int code, std::string_view sentence) {
        return token_error(400, "invalid_grant", code, sentence);
    };
    switch (grant.error()) {
        case Refusal::unknown:
            return refused(70000, "The provided authorization code is malformed or invalid.");
        case Refusal::used:
            return refused(54005, "OAuth2 Authorization code was already redeemed.");
        case Refusal::expired:
            return refused(70008, "The provided authorization code has expired.");
        case Refusal::wrong_redirect:
            return refused(500112, "The reply address does not match the one of the code.");
        case Refusal::no_verifier:
        case Refusal::wrong_verifier:
            break;
    }
    return refused(501481, "The Code_Verifier does not match the code_challenge.");
}

net::Response Identity::refresh(const net::Query& form, const std::string& /*tenant*/) {
    const auto found = grants_->find_refresh(form.get("refresh_token"));
    if (!found && found.error() == Refusal::expired)
        return token_error(400, "invalid_grant", 700082,
                           "The refresh token has expired due to inactivity.");
    if (!found)
        return token_error(400, "invalid_grant", 70000,
                           "The provided value for the input parameter 'refresh_token' is not "
                           "valid.");
    Grant& grant = **found;
    const auto* account = world_->find_account(grant.email);
    if (account == nullptr)
        return token_error(400, "invalid_grant", 50034, "The user account does not exist.");
    if (account->needs_interaction)
        return token_error(400, "interaction_required", 50076,
                           "Due to a configuration change made by your administrator, you must "
                           "use multi-factor authentication.");
    world_->ledger.add({.method = "token.refresh", .account = grant.email});
    grants_->give_refresh_token(grant.number);
    return token_response(grant);
}

net::Response Identity::token_response(const Grant& grant) {
    const auto* account = world_->find_account(grant.email);
    const auto life = std::chrono::floor<std::chrono::seconds>(world_->options.token_life).count();
    // offline_access shows in the refresh token, never in the scope.
    auto scopes = grant.scopes;
    scopes.erase("offline_access");
    boost::json::object body{{"token_type", "Bearer"},
                             {"scope", join_scopes(scopes)},
                             {"expires_in", life > 1 ? life - 1 : life},
                             {"ext_expires_in", life > 1 ? life - 1 : life},
                             {"access_token", grants_->give_access_token(grant)}};
    if (!grant.refresh_token.empty()) body["refresh_token"] = grant.refresh_token;
    if (grant.scopes.contains("openid") && account != nullptr)
        body["id_token"] = id_token(grant, *account);
    return no_store(net::Response::json(200, body));
}

std::string Identity::id_token(const Grant& grant, const Account& account) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(world_->clock.now());
    boost::json::object claims{
        {"iss", world_->options.issuer + "/" + account.tenant + "/v2.0"},
        {"aud", world_->options.client_id},
        {"iat", now.time_since_epoch().count()},
        {"nbf", now.time_since_epoch().count()},
        {"exp", (now + std::chrono::hours{1}).time_since_epoch().count()},
        // Pairwise: another application sees another one.
        {"sub", base64url_encode(crypto::sha256(account.subject + world_->options.client_id))},
        {"oid", account.subject},
        {"tid", account.tenant},
        {"ver", "2.0"}};
    if (!grant.nonce.empty()) claims["nonce"] = grant.nonce;
    if (grant.scopes.contains("profile")) {
        claims["name"] = account.name;
        claims["preferred_username"] = account.email;
    }
    if (grant.scopes.contains("email")) claims["email"] = account.email;
    // The real one signs with RS256 and publishes its keys; here the client's secret stands in.
    const auto signer =
        crypto::TokenSigner::create(Secret(crypto::sha256(world_->options.client_secret)));
    return signer ? signer->sign(claims) : std::string();
}

net::Response Identity::userinfo(const net::Request& request) {
    const auto* grant = grants_->authenticate(request);
    if (grant == nullptr || !grant->scopes.contains("openid"))
        return token_error(401, "invalid_token", 50013, "The token is not valid here.");
    const auto* account = world_->find_account(grant->email);
    return no_store(net::Response::json(
        200,
        boost::json::object{
            {"sub", base64url_encode(crypto::sha256(account->subject + world_->options.client_id))},
            {"name", account->name},
            {"email", account->email}}));
}

}  // namespace calhost::sandbox::graph
