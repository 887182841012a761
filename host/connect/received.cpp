#include "connect/received.h"

#include "base/json.h"

namespace calhost::connect {

Secret write_received(const OauthFlow::Received& received) {
    json::object object{{"user_id", received.user_id},
                        {"provider", received.provider},
                        {"account", received.account},
                        {"purpose", received.purpose},
                        {"return_to", received.return_to},
                        {"access_token", received.grant.access_token.expose()},
                        {"refresh_token", received.grant.refresh_token.expose()},
                        {"scopes", received.grant.scopes},
                        {"id", received.identity.id},
                        {"email", received.identity.email},
                        {"name", received.identity.name}};
    if (received.grant.expires_at) object["expires_at"] = to_millis(*received.grant.expires_at);
    return Secret(json::serialize(object));
}

Result<OauthFlow::Received> read_received(const Secret& text) {
    auto parsed = json::parse(text.expose());
    if (!parsed) return fail(parsed.error());
    const auto member = [&](std::string_view name) {
        return std::string(json::text_of(*parsed, name));
    };
    OauthFlow::Received received{
        .user_id = member("user_id"),
        .provider = member("provider"),
        .account = member("account"),
        .purpose = member("purpose"),
        .return_to = member("return_to"),
        .grant = {.access_token = Secret(member("access_token")),
                  .refresh_token = Secret(member("refresh_token")),
                  .expires_at = std::nullopt,
                  .scopes = member("scopes")},
        .identity = {.id = member("id"), .email = member("email"), .name = member("name")}};
    if (const auto* expires = json::find(*parsed, "expires_at");
        expires != nullptr && expires->is_int64())
        received.grant.expires_at = from_millis(expires->get_int64());
    return received;
}

}  // namespace calhost::connect
