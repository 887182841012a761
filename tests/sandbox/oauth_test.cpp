#include "sandbox/bed.h"

namespace calhost::sandbox {
namespace {

TEST_CASE("oauth: the whole way gives tokens, an identity and the state back unchanged") {
    Bed bed;
    const auto page = bed.send(
        "GET", "/o/oauth2/v2/auth?" + Bed::authorization("openid email profile").to_string());
    CHECK(page.status == 200);
    CHECK(page.body.find("SANDBOX") != std::string::npos);
    CHECK(page.body.find("<script") == std::string::npos);
    const auto landing = landing_of(bed.send(
        "GET", "/o/oauth2/v2/auth?" + Bed::authorization("openid email profile").to_string() +
                   "&auto=allow"));
    CHECK(landing.get("state") == "st&te");
    CHECK(landing.get("iss") == GoogleOptions{}.issuer);
    const auto tokens =
        body_of(bed.post_form("/token", code_form(std::string(landing.get("code")))));
    CHECK(tokens.at("expires_in").as_int64() == 3599);
    CHECK(text_of(tokens, "refresh_token").starts_with("1//"));
    CHECK(text_of(tokens, "scope") ==
          "https://www.googleapis.com/auth/userinfo.email "
          "https://www.googleapis.com/auth/userinfo.profile openid");
    bed.token = text_of(tokens, "access_token");
    const auto identity = body_of(bed.send("GET", "/v1/userinfo"));
    CHECK(text_of(identity, "email") == kAda);
    CHECK(identity.at("email_verified").as_bool());
    CHECK(text_of(identity, "sub").size() == 21);
}

TEST_CASE("oauth: a request that cannot be trusted gets a page, never a redirect") {
    Bed bed;
    const struct {
        std::string_view name, value;
    } cases[] = {{"client_id", "another"},
                 {"redirect_uri", "https://evil.example/callback"},
                 {"redirect_uri", "http://127.0.0.1:8080/callback#x"},
                 {"redirect_uri", "http://127.0.0.1@evil.example/"},
                 {"scope", "https://www.googleapis.com/auth/drive"}};
    for (const auto& [name, value] : cases) {
        CAPTURE(value);
        net::Query query;
        for (const auto& [key, old] : Bed::authorization(kCalendar))
            query.add(key, key == name ? std::string(value) : old);
        const auto response =
            bed.send("GET", "/o/oauth2/v2/auth?" + query.to_string() + "&auto=allow");
        CHECK(response.status == 400);
        CHECK_FALSE(response.headers.has("Location"));
    }
}

TEST_CASE("oauth: other mistakes of the request travel back to the client") {
    Bed bed;
    const struct {
        std::string_view name, value, error;
    } cases[] = {{"response_type", "token", "unsupported_response_type"},
                 {"scope", "", "invalid_scope"},
                 {"code_challenge", "", "invalid_request"},
                 {"code_challenge_method", "plain", "invalid_request"}};
    for (const auto& [name, value, error] : cases) {
        CAPTURE(name);
        net::Query query;
        for (const auto& [key, old] : Bed::authorization(kCalendar))
            query.add(key, key == name ? std::string(value) : old);
        const auto landing =
            landing_of(bed.send("GET", "/o/oauth2/v2/auth?" + query.to_string() + "&auto=allow"));
        CHECK(landing.get("error") == error);
        CHECK(landing.get("state") == "st&te");
        CHECK_FALSE(landing.has("code"));
    }
    const auto denied = landing_of(bed.send(
        "GET", "/o/oauth2/v2/auth?" + Bed::authorization(kCalendar).to_string() + "&auto=deny"));
    CHECK(denied.get("error") == "access_denied");
}

TEST_CASE("oauth: the form grants what was ticked, once, and only with its own ticket") {
    Bed bed;
    const std::string read = std::string(kCalendar) + ".readonly";
    const auto page = bed.send(
        "GET", "/o/oauth2/v2/auth?" +
                   Bed::authorization("openid " + read + " " + std::string(kCalendar)).to_string());
    const auto mark = page.body.find("name=\"ticket\" value=\"") + 21;
    net::Query form;
    form.add("ticket", page.body.substr(mark, 43));
    form.add("account", std::string(kAda));
    form.add("scope", read);
    form.add("scope", std::string(kCalendar) + ".acls");  // was never asked
    form.add("decision", "allow");
    const auto landing = landing_of(bed.post_form("/o/oauth2/v2/auth/decision", form));
    const auto tokens =
        body_of(bed.post_form("/token", code_form(std::string(landing.get("code")))));
    CHECK(text_of(tokens, "scope") == read + " openid");
    CHECK(bed.post_form("/o/oauth2/v2/auth/decision", form).status == 400);
}

TEST_CASE("oauth: a code is bound to its verifier, its redirect and ten minutes") {
    Bed bed;
    const auto with = [&](std::string_view name, std::string value) {
        net::Query form;
        for (const auto& [key, old] : code_form(bed.code()))
            form.add(key, key == name ? value : old);
        return reason_of(bed.post_form("/token", form));
    };
    CHECK(with("code", "4/none") == "400 invalid_grant");
    CHECK(with("code_verifier", std::string(43, 'x')) == "400 invalid_grant");
    CHECK(with("code_verifier", "") == "400 invalid_grant");
    CHECK(with("redirect_uri", "http://127.0.0.1:8080/other") == "400 redirect_uri_mismatch");
    CHECK(with("client_secret", "wrong") == "401 invalid_client");
    CHECK(with("grant_type", "password") == "400 unsupported_grant_type");
    const auto late = bed.code();
    bed.time.advance(std::chrono::minutes{10});
    CHECK(reason_of(bed.post_form("/token", code_form(late))) == "400 invalid_grant");
}

TEST_CASE("oauth: a code that is used twice ends what it gave") {
    Bed bed;
    const auto code = bed.code();
    const auto tokens = body_of(bed.post_form("/token", code_form(code)));
    bed.token = text_of(tokens, "access_token");
    CHECK(bed.send("GET", "/calendar/v3/colors").status == 200);
    CHECK(reason_of(bed.post_form("/token", code_form(code))) == "400 invalid_grant");
    CHECK(reason_of(bed.send("GET", "/calendar/v3/colors")) == "401 authError");
    CHECK(reason_of(bed.post_form("/token", renewal_form(text_of(tokens, "refresh_token")))) ==
          "400 invalid_grant");
}

TEST_CASE("oauth: a refresh token comes with the first consent and with prompt=consent only") {
    Bed bed;
    CHECK(json::find(bed.connect(), "refresh_token") != nullptr);
    CHECK(json::find(bed.connect(), "refresh_token") == nullptr);
    CHECK(json::find(bed.connect(kCalendar, "&prompt=consent"), "refresh_token") != nullptr);
}

TEST_CASE("oauth: access tokens end by the clock, and a refresh brings a new one") {
    Bed bed;
    const auto tokens = bed.connect();
    bed.time.advance(std::chrono::hours{1});
    CHECK(reason_of(bed.send("GET", "/calendar/v3/colors")) == "401 authError");
    const auto fresh =
        body_of(bed.post_form("/token", renewal_form(text_of(tokens, "refresh_token"))));
    CHECK(json::find(fresh, "refresh_token") == nullptr);
    bed.token = text_of(fresh, "access_token");
    CHECK(bed.send("GET", "/calendar/v3/colors").status == 200);
}

TEST_CASE("oauth: with rotation the reuse of an old refresh token ends the family") {
    Bed bed;
    bed.control("POST", "/settings", R"({"rotate_refresh_tokens":true})");
    const auto first = text_of(bed.connect(), "refresh_token");
    const auto second =
        text_of(body_of(bed.post_form("/token", renewal_form(first))), "refresh_token");
    CHECK(second != first);
    CHECK(bed.post_form("/token", renewal_form(first)).status == 400);
    CHECK(bed.post_form("/token", renewal_form(second)).status == 400);
}

TEST_CASE("oauth: revocation, by the host or by the person, ends every token of the account") {
    Bed bed;
    auto tokens = bed.connect();
    net::Query form;
    form.add("token", text_of(tokens, "refresh_token"));
    CHECK(bed.post_form("/revoke", form).status == 200);
    CHECK(reason_of(bed.post_form("/revoke", form)) == "400 invalid_token");
    CHECK(bed.send("GET", "/v1/userinfo").status == 401);
    tokens = bed.connect();
    CHECK(json::find(tokens, "refresh_token") != nullptr);
    CHECK(bed.control("POST", "/accounts/ada@example.com/revoke").status == 200);
    CHECK(reason_of(bed.post_form("/token", renewal_form(text_of(tokens, "refresh_token")))) ==
          "400 invalid_grant");
}

TEST_CASE("oauth: the client may name itself in the Authorization header") {
    Bed bed;
    net::Query form;
    for (const auto& [name, value] : code_form(bed.code()))
        if (!name.starts_with("client_")) form.add(name, value);
    const auto response =
        bed.send("POST", "/token", form.to_string(),
                 {{"Content-Type", "application/x-www-form-urlencoded"},
                  {"Authorization", "Basic " + base64_encode("sandbox-client:sandbox-secret")}});
    CHECK(response.status == 200);
}

TEST_CASE("oauth: each method wants its own scopes") {
    const std::string base(kCalendar);
    const struct {
        std::string scope, method, target;
        int status;
    } cases[] = {
        {base + ".events", "GET", "/calendar/v3/users/me/calendarList", 403},
        {base + ".events", "GET", "/calendar/v3/calendars/primary/events", 200},
        {base + ".events", "GET", "/calendar/v3/colors", 403},
        {base + ".calendarlist.readonly", "GET", "/calendar/v3/users/me/calendarList", 200},
        {base + ".calendarlist.readonly", "GET", "/calendar/v3/calendars/primary/events", 403},
        {base + ".readonly", "POST", "/calendar/v3/calendars/primary/events", 403},
        {base + ".freebusy", "GET", "/calendar/v3/calendars/primary/events", 403},
        {base + ".settings.readonly", "GET", "/calendar/v3/users/me/settings/timezone", 200},
    };
    for (const auto& [scope, method, target, status] : cases) {
        CAPTURE(scope);
        CAPTURE(target);
        auto bed = Bed::connected(scope);
        const auto response = bed->send(method, target);
        CHECK(response.status == status);
        if (status == 403) CHECK(reason_of(response) == "403 insufficientPermissions");
    }
}

}  // namespace
}  // namespace calhost::sandbox
