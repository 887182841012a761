// What the host asks behind the browser's back: codes against tokens, refresh, revocation,
// identity.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "sandbox/oauth.h"

namespace calhost::sandbox {
namespace {

constexpr std::size_t kMaxRefreshTokens = 100;  // of one account at one client; the oldest dies

net::Response no_store(net::Response response) {
    response.headers.set("Cache-Control", "no-store");
    return response;
}

net::Response token_error(int status, std::string_view error, std::string_view description) {
    boost::json::object body{{"error", error}};
    if (!description.empty()) body["error_description"] = description;
    return no_store(net::Response::json(status, body));
}

bool is_verifier(std::string_view text) {
    return text.size() >= 43 && text.size() <= 128 &&
           std::ranges::all_of(text, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
           });
}

std::string_view bearer_of(const net::Request& request) {
    constexpr std::string_view kBearer = "Bearer ";
    auto field = request.headers.get("Authorization");
    if (field.size() <= kBearer.size()) return {};
    const bool is_bearer = std::ranges::equal(
        field.substr(0, kBearer.size()), kBearer,
        [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    return is_bearer ? field.substr(kBearer.size()) : std::string_view();
}

}  // namespace

/// The description of an `invalid_client`, or nothing when the client is who it says.
std::optional<std::string> OAuth::client_error(const net::Request& request,
                                               const net::Query& form) const {
    std::string id(form.get("client_id"));
    std::string secret(form.get("client_secret"));
    if (const auto field = request.headers.get("Authorization"); field.starts_with("Basic ")) {
        const auto pair = base64_decode(field.substr(6)).value_or("");
        const auto colon = pair.find(':');
        if (colon == std::string::npos) return "The OAuth client was not found.";
        // RFC 6749 section 2.3.1: both parts are form-encoded first.
        id = percent_decode(pair.substr(0, colon), true).value_or("");
        secret = percent_decode(pair.substr(colon + 1), true).value_or("");
    }
    if (id != world_->options.client_id) return "The OAuth client was not found.";
    if (!crypto::equal(secret, world_->options.client_secret)) return "Unauthorized";
    return std::nullopt;
}

net::Response OAuth::token(const net::Request& request) {
    const auto form = request.form();
    if (!form) return token_error(400, "invalid_request", "Bad Request");
    if (const auto error = client_error(request, *form))
        return token_error(401, "invalid_client", *error);
    const auto type = form->get("grant_type");
    if (type == "authorization_code") return exchange(*form);
    if (type == "refresh_token") return refresh(*form);
    if (type.empty())
        return token_error(400, "invalid_request", "Missing required parameter: grant_type");
    return token_error(400, "unsupported_grant_type", fmt::format("Invalid grant_type: {}", type));
}

net::Response OAuth::exchange(const net::Query& form) {
    const auto found = codes_.find(form.get("code"));
    if (found == codes_.end()) return token_error(400, "invalid_grant", "Malformed auth code.");
    Code& code = found->second;
    if (code.is_used) {
        // RFC 6749 section 4.1.2: somebody has the code who should not.
        end_grant(code.grant);
        return token_error(400, "invalid_grant", "Bad Request");
    }
    if (code.expires <= world_->clock.now() || !grants_.contains(code.grant))
        return token_error(400, "invalid_grant", "Bad Request");
    if (form.get("redirect_uri") != code.ticket.redirect_uri)
        return token_error(400, "redirect_uri_mismatch", "Bad Request");
    const auto verifier = form.get("code_verifier");
    if (verifier.empty()) return token_error(400, "invalid_grant", "Missing code verifier.");
    if (!is_verifier(verifier) ||
        !crypto::equal(crypto::pkce_challenge(verifier), code.ticket.challenge))
        return token_error(400, "invalid_grant", "Invalid code verifier.");
    code.is_used = true;
    world_->ledger.add({.method = "token.exchange", .account = grants_.at(code.grant).email});
    if (code.gives_refresh_token) give_refresh_token(code.grant);
    return token_response(code.grant, code.gives_refresh_token);
}

void OAuth::give_refresh_token(std::uint64_t number) {
    Grant& grant = grants_.at(number);
    grant.refresh_token = "1//" + new_token(world_->random);
    const auto life = settings.refresh_life.value_or(std::chrono::hours{24 * 183});
    grant.refresh_expires = world_->clock.now() + life;
    refresh_tokens_[grant.refresh_token] = number;
    std::vector<std::uint64_t> live;
    for (const auto& [other, that] : grants_)
        if (that.email == grant.email && !that.refresh_token.empty()) live.push_back(other);
    if (live.size() > kMaxRefreshTokens) end_grant(live.front());
}

net::Response OAuth::refresh(const net::Query& form) {
    const auto found = refresh_tokens_.find(form.get("refresh_token"));
    const auto refused = [] {
        return token_error(400, "invalid_grant", "Token has been expired or revoked.");
    };
    if (found == refresh_tokens_.end()) return refused();
    const auto number = found->second;
    Grant& grant = grants_.at(number);
    if (grant.refresh_token != found->first || grant.refresh_expires <= world_->clock.now()) {
        end_grant(number);
        return refused();
    }
    world_->ledger.add({.method = "token.refresh", .account = grant.email});
    if (settings.rotates_refresh_tokens)
        give_refresh_token(number);
    else if (!settings.refresh_life)
        grant.refresh_expires = world_->clock.now() + std::chrono::hours{24 * 183};
    return token_response(number, settings.rotates_refresh_tokens);
}

net::Response OAuth::token_response(std::uint64_t number, bool with_refresh_token) {
    const Grant& grant = grants_.at(number);
    const auto life = world_->options.token_life;
    const auto access = "ya29." + new_token(world_->random);
    access_tokens_[access] = {number, world_->clock.now() + life};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(life).count();
    boost::json::object body{{"access_token", access},
                             {"expires_in", seconds > 1 ? seconds - 1 : seconds},
                             {"scope", join_scopes(grant.scopes)},
                             {"token_type", "Bearer"}};
    if (with_refresh_token) body["refresh_token"] = grant.refresh_token;
    if (with_refresh_token && settings.refresh_life)
        body["refresh_token_expires_in"] =
            std::chrono::floor<std::chrono::seconds>(*settings.refresh_life).count();
    return no_store(net::Response::json(200, body));
}

void OAuth::end_grant(std::uint64_t number) {
    const auto grant = grants_.find(number);
    if (grant == grants_.end()) return;
    world_->ledger.add({.method = "token.end", .account = grant->second.email});
    std::erase_if(access_tokens_, [&](const auto& entry) { return entry.second.grant == number; });
    std::erase_if(refresh_tokens_, [&](const auto& entry) { return entry.second == number; });
    grants_.erase(grant);
}

net::Response OAuth::revoke(const net::Request& request) {
    std::string token(request.query.get("token"));
    if (const auto form = request.form(); form && form->has("token")) token = form->get("token");
    std::uint64_t number = 0;
    if (const auto it = access_tokens_.find(token); it != access_tokens_.end())
        number = it->second.grant;
    if (const auto it = refresh_tokens_.find(token); it != refresh_tokens_.end())
        number = it->second;
    const auto grant = grants_.find(number);
    if (grant == grants_.end())
        return token_error(400, "invalid_token", "Token expired or revoked");
    // The application loses the account, not one token: the next consent is a first one.
    const std::string email = grant->second.email;
    world_->ledger.add({.method = "token.revoke", .account = email});
    revoke_account(email);
    return no_store(net::Response::json(200, boost::json::object{}));
}

int OAuth::revoke_account(std::string_view email) {
    std::vector<std::uint64_t> ended;
    for (const auto& [number, grant] : grants_)
        if (grant.email == email) ended.push_back(number);
    for (const auto number : ended) end_grant(number);
    if (const auto it = consents_.find(email); it != consents_.end()) consents_.erase(it);
    return static_cast<int>(ended.size());
}

void OAuth::expire_access_tokens() { access_tokens_.clear(); }

void OAuth::clear() { *this = OAuth(*world_); }

Answer<OAuth::Bearer> OAuth::authenticate(const net::Request& request) const {
    const auto found = access_tokens_.find(bearer_of(request));
    if (found == access_tokens_.end() || found->second.expires <= world_->clock.now() ||
        world_->find_account(grants_.at(found->second.grant).email) == nullptr)
        return refuse(
            {401, "authError", "Invalid Credentials", "global", "Authorization", "header"});
    const auto& grant = grants_.at(found->second.grant);
    return Bearer{grant.email, grant.scopes};
}

net::Response OAuth::userinfo(const net::Request& request) {
    const auto bearer = authenticate(request);
    if (!bearer) return token_error(401, "invalid_request", "Invalid Credentials");
    const auto* account = world_->find_account(bearer->email);
    const bool has_email = bearer->scopes.contains(canonical_scope("email"));
    const bool has_profile = bearer->scopes.contains(canonical_scope("profile"));
    if (!has_email && !has_profile && !bearer->scopes.contains("openid"))
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
