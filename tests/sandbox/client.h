/// What a client of a simulated provider says, whichever it is.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "net/message.h"

namespace calhost::sandbox {

inline constexpr std::string_view kVerifier = "0123456789012345678901234567890123456789012";
inline constexpr std::string_view kBack = "http://127.0.0.1:8080/callback";

using Fields = std::initializer_list<std::pair<std::string, std::string>>;

/// The request for a code, with PKCE; `more` is what one provider wants beside it.
inline net::Query authorization_request(std::string_view scopes, Fields more) {
    net::Query query;
    query.add("client_id", "sandbox-client");
    query.add("redirect_uri", std::string(kBack));
    query.add("response_type", "code");
    query.add("scope", std::string(scopes));
    query.add("state", "st&te");
    query.add("code_challenge", crypto::pkce_challenge(kVerifier));
    query.add("code_challenge_method", "S256");
    for (const auto& [name, value] : more) query.add(name, value);
    return query;
}

/// What goes to the token endpoint.
inline net::Query token_form(Fields fields, std::string secret = "sandbox-secret") {
    net::Query form;
    form.add("client_id", "sandbox-client");
    form.add("client_secret", std::move(secret));
    for (const auto& [name, value] : fields) form.add(name, value);
    return form;
}

inline net::Query code_form(std::string code, std::string_view verifier = kVerifier) {
    return token_form({{"grant_type", "authorization_code"},
                       {"code", std::move(code)},
                       {"redirect_uri", std::string(kBack)},
                       {"code_verifier", std::string(verifier)}});
}

inline net::Query renewal_form(std::string refresh_token) {
    return token_form(
        {{"grant_type", "refresh_token"}, {"refresh_token", std::move(refresh_token)}});
}

/// The parameters of the redirect that the consent ends with.
inline net::Query landing_of(const net::Response& response) {
    const std::string location(response.headers.get("Location"));
    REQUIRE_MESSAGE(location.find('?') != std::string::npos, response.body);
    return *net::Query::parse(location.substr(location.find('?') + 1));
}

/// A request as the server hands it on; a token goes where the headers have none.
inline net::Request request_of(std::string method, const std::string& target, std::string body,
                               net::Headers headers, const std::string& token) {
    net::Request request;
    request.method = std::move(method);
    request.target = target;
    const auto mark = target.find('?');
    request.path = *percent_decode(target.substr(0, mark));
    if (mark != std::string::npos) request.query = *net::Query::parse(target.substr(mark + 1));
    request.headers = std::move(headers);
    if (!token.empty() && !request.headers.has("Authorization"))
        request.headers.set("Authorization", "Bearer " + token);
    request.body = std::move(body);
    return request;
}

}  // namespace calhost::sandbox
