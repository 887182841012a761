// What the host asks behind the browser's back: codes against tokens, refresh, revocation,
// identity.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "crypto/crypto.h"
#include "sandbox/oauth.h"
#include "sandbox/oauth_wire.h"

namespace calhost::sandbox {
namespace {

net::Response token_error(int status, std::string_view error, std::string_view description) {
    boost::json::object body{{"error", error}};
    if (!description.empty()) body["error_description"] = description;
    return no_store(net::Response::json(status, body));
}

}  // namespace

net::Response OAuth::token(const net::Request& request) {
    const auto form = request.form();
    if (!form) return token_error(400, "invalid_request", "Bad Request");
    const auto client = read_client(request, *form);
    if (client.id != world_->options.client_id)
        return token_error(401, "invalid_client", "The OAuth client was not found.");
    if (!crypto::equal(client.secret, world_->options.client_secret))
        return token_error(401, "invalid_client", "Unauthorized");
    const auto type = form->get("grant_type");
    if (type == "authorization_code") return exchange(*form);
    if (type == "refresh_token") return refresh(*form);
    if (type.empty())
        return token_error(400, "invalid_request", "Missing required parameter: grant_type");
    return token_error(400, "unsupported_grant_type", fmt::format("Invalid grant_type: {}", type));
}

net::Response OAuth::exchange(const net::Query& form) {
    const auto code = form.get("code");
    const auto grant = grants_->redeem(code, form.get("redirect_uri"), form.get("code_verifier"));
    if (grant) return token_response(**grant, grants_->gives_refresh_token(code));
    switch (grant.error()) {
        case Refusal::unknown:
            return token_error(400, "invalid_grant", "Malformed auth code.");
        case Refusal::wrong_redirect:
            return token_error(400, "redirect_uri_mismatch", "Bad Request");
        case Refusal::no_verifier:
            return token_error(400, "invalid_grant", "Missing code verifier.");
        case Refusal::wrong_verifier:
            return token_error(400, "invalid_grant", "Invalid code verifier.");
        case Refusal::used:
        case Refusal::expired:
            break;
    }
    return token_error(400, "invalid_grant", "Bad Request");
}

net::Response OAuth::refresh(const net::Query& form) {
    const auto token = form.get("refresh_token");
    const auto found = grants_->find_refresh(token);
    if (!found) {
        // Whoever brings a replaced token should not have it: the grant ends.
        grants_->end_of(token);
        return token_error(400, "invalid_grant", "Token has been expired or revoked.");
    }
    Grant& grant = **found;
    world_->ledger.add({.method = "token.refresh", .account = grant.email});
    const bool rotates = grants_->settings.rotates_refresh_tokens;
    if (rotates)
        grants_->give_refresh_token(grant.number);
    else
        grants_->prolong(grant);
    return token_response(grant, rotates);
}

net::Response OAuth::token_response(const Grant& grant, bool with_refresh_token) {
    const auto access = grants_->give_access_token(grant);
    const auto life = world_->options.token_life;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(life).count();
    boost::json::object body{{"access_token", access},
                             {"expires_in", seconds > 1 ? seconds - 1 : seconds},
                             {"scope", join_scopes(grant.scopes)},
                             {"token_type", "Bearer"}};
    if (with_refresh_token) body["refresh_token"] = grant.refresh_token;
    const auto& refresh_life = grants_->settings.refresh_life;
    if (with_refresh_token && refresh_life)
        body["refresh_token_expires_in"] =
            std::chrono::floor<std::chrono::seconds>(*refresh_life).count();
    return no_store(net::Response::json(200, body));
}

net::Response OAuth::revoke(const net::Request& request) {
    std::string token(request.query.get("token"));
    if (const auto form = request.form(); form && form->has("token")) token = form->get("token");
    const auto email = grants_->owner_of(token);
    if (email.empty()) return token_error(400, "invalid_token", "Token expired or revoked");
    // The application loses the account, not one token: the next consent is a first one.
    world_->ledger.add({.method = "token.revoke", .account = email});
    grants_->revoke_account(email);
    return no_store(net::Response::json(200, boost::json::object{}));
}

Answer<const Grant*> OAuth::authenticate(const net::Request& request) const {
    if (const auto* grant = grants_->authenticate(request)) return grant;
    return refuse({401, "authError", "Invalid Credentials", "global", "Authorization", "header"});
}

net::Response OAuth::userinfo(const net::Request& request) {
    const auto bearer = authenticate(request);
    if (!bearer) return token_error(401, "invalid_request", "Invalid Credentials");
    const auto* account = world_->find_account((*bearer)->email);
    const bool has_email = (*bearer)->scopes.contains(canonical_scope("email"));
    const bool has_profile = (*bearer)->scopes.contains(canonical_scope("profile"));
    if (!has_email && !has_profile && !(*bearer)->scopes.contains("openid"))
        return token_error(403, "insufficient_scope", "Request had insufficient scopes.");
    boost::json::object body{{"sub", account->subject}};
    if (has_profile) body["name"] = account->name;
    if (has_email) {
        body["email"] = account->email;
        body["email_verified"] = true;
    }
    return no_store(net::Response::json(200, body));
}

net::Response OAuth::metadata() const {
    const auto& issuer = world_->options.issuer;
    return net::Response::json(
        200,
        boost::json::object{
            {"issuer", issuer},
            {"authorization_endpoint", issuer + "/o/oauth2/v2/auth"},
            {"token_endpoint", issuer + "/token"},
            {"revocation_endpoint", issuer + "/revoke"},
            {"userinfo_endpoint", issuer + "/v1/userinfo"},
            {"response_types_supported", boost::json::array{"code"}},
            {"subject_types_supported", boost::json::array{"public"}},
            {"scopes_supported", boost::json::array{"openid", "email", "profile"}},
            {"token_endpoint_auth_methods_supported",
             boost::json::array{"client_secret_post", "client_secret_basic"}},
            {"code_challenge_methods_supported", boost::json::array{"S256"}},
            {"grant_types_supported", boost::json::array{"authorization_code", "refresh_token"}},
            {"authorization_response_iss_parameter_supported", true}});
}

}  // namespace calhost::sandbox
