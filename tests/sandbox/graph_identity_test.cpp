#include "sandbox/graph_bed.h"

namespace calhost::sandbox::graph_test {
namespace {

TEST_CASE("graph identity: the whole way gives tokens and says who it is") {
    GraphBed bed;
    const auto landing = bed.landing(kScopes, "&auto=allow");
    CHECK(landing.get("state") == "st&te");
    const auto response = bed.post_token(code_form(std::string(landing.get("code"))));
    REQUIRE(response.status == 200);
    const auto tokens = json::parse(response.body)->as_object();
    CHECK(text_of(tokens, "scope").find("offline_access") == std::string::npos);
    const auto id_token = text_of(tokens, "id_token");
    const auto first = id_token.find('.') + 1;
    const auto claims = json::parse(
        base64_decode(id_token.substr(first, id_token.find('.', first) - first)).value());
    REQUIRE(claims.has_value());
    CHECK(json::text_of(*claims, "preferred_username") == kEve);
    CHECK(json::text_of(*claims, "nonce") == "n");
    bed.token = text_of(tokens, "access_token");
    CHECK(text_of(bed.ask("GET", "/v1.0/me"), "id") == json::text_of(*claims, "oid"));
}

TEST_CASE("graph identity: what the request lacks is refused") {
    GraphBed bed;
    const struct {
        std::string_view name, value, error;
    } cases[] = {{"response_type", "token", "unsupported_response_type"},
                 {"scope", "", "invalid_request"},
                 {"scope", "Mail.Read", "invalid_scope"},
                 {"code_challenge_method", "plain", "invalid_request"},
                 {"code_challenge", "short", "invalid_request"}};
    for (const auto& [name, value, error] : cases) {
        CAPTURE(value);
        net::Query query;
        for (const auto& [key, old] : GraphBed::authorization(kScopes))
            query.add(key, key == name ? std::string(value) : old);
        const auto response =
            bed.send("GET", "/common/oauth2/v2.0/authorize?" + query.to_string() + "&auto=allow");
        const std::string location(response.headers.get("Location"));
        CHECK(location.find("error=" + std::string(error)) != std::string::npos);
    }
    // Not to an address that is none of the application's.
    net::Query stolen;
    for (const auto& [key, old] : GraphBed::authorization(kScopes))
        stolen.add(key, key == "redirect_uri" ? "https://evil.example/callback" : old);
    const auto page =
        bed.send("GET", "/common/oauth2/v2.0/authorize?" + stolen.to_string() + "&auto=allow");
    CHECK(page.status == 400);
    CHECK_FALSE(page.headers.has("Location"));
    CHECK(bed.landing(kScopes, "&auto=deny").get("error") == "access_denied");
    CHECK(bed.landing(kScopes, "&prompt=none").get("error") == "interaction_required");
}

TEST_CASE("graph identity: the page's answer belongs to the tenant that showed it") {
    GraphBed bed;
    const auto decide = [&](const std::string& tenant) {
        const auto page = bed.send(
            "GET", "/common/oauth2/v2.0/authorize?" + GraphBed::authorization(kScopes).to_string());
        const auto mark = page.body.find("name=\"ticket\" value=\"") + 21;
        net::Query form;
        form.add("ticket", page.body.substr(mark, 43));
        form.add("decision", "allow");
        form.add("account", std::string(kEve));
        auto request =
            bed.make("POST", "/" + tenant + "/oauth2/v2.0/authorize/decision", form.to_string());
        request.headers.set("Content-Type", "application/x-www-form-urlencoded");
        return bed.time.wait(bed.graph.handle(request)).status;
    };
    CHECK(decide("common") == 302);
    CHECK(decide("organizations") == 400);
}

TEST_CASE("graph identity: a tenant lets in its own accounts only") {
    GraphBed bed;
    const auto status = [&](std::string_view tenant) {
        return bed
            .send("GET", "/" + std::string(tenant) + "/oauth2/v2.0/authorize?" +
                             GraphBed::authorization(kScopes).to_string() + "&auto=allow")
            .status;
    };
    CHECK(status("organizations") == 302);
    CHECK(status("contoso.example") == 302);
    CHECK(status("other.example") == 400);
    CHECK(status("consumers") == 400);
    bed.control("POST", "/accounts/eve@contoso.example/personal");
    CHECK(status("consumers") == 302);
    CHECK(status("organizations") == 400);
}

TEST_CASE("graph identity: a refresh gives a new token and ends the old one") {
    GraphBed bed;
    const auto first = text_of(bed.connect(), "refresh_token");
    const auto answer = bed.post_token(renewal_form(first));
    REQUIRE(answer.status == 200);
    const auto second = text_of(json::parse(answer.body)->as_object(), "refresh_token");
    CHECK(second != first);
    CHECK(GraphBed::reason_of(bed.post_token(renewal_form(first))) == "400 invalid_grant");
    CHECK(bed.post_token(renewal_form(second)).status == 200);
    CHECK_FALSE(bed.connect("openid Calendars.Read").contains("refresh_token"));
}

TEST_CASE("graph identity: token errors are AADSTS's") {
    GraphBed bed;
    const auto refresh = text_of(bed.connect(), "refresh_token");
    bed.control("POST", "/accounts/eve@contoso.example/require-interaction");
    const auto response = bed.post_token(renewal_form(refresh));
    CHECK(GraphBed::reason_of(response) == "400 interaction_required");
    const auto body = json::parse(response.body)->as_object();
    CHECK(body.at("error_codes").as_array().at(0).as_int64() == 50076);
    CHECK(text_of(body, "error_description").starts_with("AADSTS50076: "));
    CHECK(GraphBed::reason_of(bed.post_token(
              token_form({{"grant_type", "refresh_token"}}, "wrong"))) == "401 invalid_client");
    bed.connect();  // the person signs in again
    CHECK(bed.post_token(renewal_form(refresh)).status == 200);

    const auto code = bed.code();
    CHECK(GraphBed::reason_of(bed.post_token(code_form(code, std::string(43, 'x')))) ==
          "400 invalid_grant");
}

TEST_CASE("graph identity: a fault at the token address speaks its language") {
    GraphBed bed;
    const auto refresh = text_of(bed.connect(), "refresh_token");
    bed.control("POST", "/faults",
                R"({"kind":"status","status":401,"path":"*/oauth2/v2.0/token"})");
    CHECK(GraphBed::reason_of(bed.post_token(renewal_form(refresh))) == "401 invalid_client");
    CHECK(bed.post_token(renewal_form(refresh)).status == 200);
}

TEST_CASE("graph identity: scopes and tokens open what they name") {
    auto bed = GraphBed::connected("openid Calendars.Read");
    CHECK(bed->send("GET", "/v1.0/me/events").status == 200);
    CHECK(bed->refused("GET", "/v1.0/me") == "403 ErrorAccessDenied");
    CHECK(bed->refused("POST", "/v1.0/me/events", "{}") == "403 ErrorAccessDenied");
    bed->time.advance(std::chrono::hours{1});
    const auto late = bed->send("GET", "/v1.0/me/events");
    CHECK(GraphBed::reason_of(late) == "401 InvalidAuthenticationToken");
    CHECK(late.headers.has("request-id"));
}

}  // namespace
}  // namespace calhost::sandbox::graph_test
