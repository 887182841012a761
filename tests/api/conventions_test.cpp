// http-api section 1: bodies, problems, CORS, limits, and the contract as a document.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

net::Headers json_headers() { return {{"Content-Type", "application/json"}}; }

TEST_CASE("bodies: what is no JSON is 400, JSON of the wrong kind 422") {
    TestHost host({.runs_jobs = false});
    const auto send = [&](const std::string& body) {
        return host.call("POST", "/auth/register", json_headers(), body);
    };
    for (const std::string body :
         {"{", "nope", "{\"email\":}", "{\"a\":1}{", "\xff\xfe", "{\"a\":\"\xc3\x28\"}",
          "{'email':'x'}", "{\"a\":01}", "{\"a\":NaN}"}) {
        CAPTURE(body);
        CHECK(word_of(send(body)) == "400 invalid_json");
    }
    CHECK(word_of(send(std::string(100'000, '['))) == "400 invalid_json");
    for (const std::string body : {"[]", "7", "\"text\"", "null", "true"}) {
        CAPTURE(body);
        CHECK(word_of(send(body)) == "422 invalid");
    }
}

TEST_CASE("bodies: wrong types are 422 and name every field, unknown fields are ignored") {
    TestHost host({.runs_jobs = false});
    const auto fields = [&](const std::string& body) {
        const auto answer = host.call("POST", "/auth/register", json_headers(), body);
        CHECK(word_of(answer) == "422 invalid");
        std::string names;
        for (const auto& error : TestHost::body(answer).at("errors").as_array())
            names += std::string(json::text_of(error, "field")) + " ";
        return names;
    };
    CHECK(fields("") == "email password ");
    CHECK(fields("{}") == "email password ");
    CHECK(fields(R"({"email":7,"password":[],"name":{},"role":false})") ==
          "email password name role ");
    CHECK(fields(R"({"email":"ada@example.org","password":"short"})") == "password ");
    CHECK(fields(R"({"email":"no address","password":"a long enough password"})") == "email ");
    CHECK(fields(R"({"email":"a@b.example","password":"a long enough password","role":"admin"})") ==
          "role ");
    CHECK(fields(R"({"email":"a\u0000@b.example","password":"a long enough password"})") ==
          "email ");
    CHECK(fields(R"({"email":null,"password":"a long enough password"})") == "email ");
    CHECK(host.call("POST", "/auth/register", json_headers(),
                    R"({"email":"a@b.example","password":"a long enough password","extra":[1]})")
              .status == 201);
}

TEST_CASE("problems: one shape for all, with the request's id") {
    TestHost host({.runs_jobs = false});
    const auto answer = host.call("GET", "/no/such/thing");
    CHECK(answer.status == 404);
    CHECK(answer.headers.get("Content-Type") == "application/problem+json");
    const auto body = TestHost::body(answer).as_object();
    CHECK(body.size() == 7);
    CHECK(body.at("type") == "about:blank");
    CHECK(body.at("title") == "Not Found");
    CHECK(body.at("status") == 404);
    CHECK(body.at("status_code") == 404);
    CHECK(body.at("code") == "not_found");
    CHECK(body.at("detail").is_string());
    CHECK(body.at("request_id") == "test");
    const auto wrong = host.call("PUT", "/auth/token");
    CHECK(word_of(wrong) == "405 method_not_allowed");
    CHECK(wrong.headers.get("Allow") == "POST");
    CHECK(host.call("POST", "/api/calendar/status").headers.get("Allow") == "GET, HEAD");
    for (const std::string path : {"/api", "/api/calendar", "/api/calendar/status/", "//", "/%00"})
        CHECK(word_of(host.call("GET", path)) == "404 not_found");
}

TEST_CASE("cors: the frontend and the listed origins, with preflight and credentials, never *") {
    TestHost host({.adjust =
                       [](config::Settings& s) {
                           s.server.frontend_url = "https://app.example/base";
                           s.server.allowed_origins = {"https://other.example"};
                       },
                   .runs_jobs = false});
    const auto who = host.sign_up();
    struct Case {
        std::string origin;
        bool is_allowed;
    };
    for (const auto& row : std::vector<Case>{{"https://app.example", true},
                                             {"https://other.example", true},
                                             {"https://app.example.evil.example", false},
                                             {"http://app.example", false},
                                             {"https://app.example:8443", false},
                                             {"https://evil.example", false},
                                             {"null", false},
                                             {"*", false},
                                             {"https://app.example/base", false}}) {
        CAPTURE(row.origin);
        auto headers = who;
        headers.set("Origin", row.origin);
        auto answer = host.call("GET", "/api/calendar/status", headers);
        CHECK(answer.status == 200);
        CHECK(answer.headers.get("Vary") == "Origin");
        CHECK(answer.headers.get("Access-Control-Allow-Origin") ==
              (row.is_allowed ? row.origin : ""));
        CHECK(answer.headers.has("Access-Control-Allow-Credentials") == row.is_allowed);
        answer = host.call("GET", "/no/such/thing", headers);  // problems can be read, too
        CHECK(answer.headers.has("Access-Control-Allow-Origin") == row.is_allowed);
        answer = host.call("OPTIONS", "/api/calendar/sync",
                           {{"Origin", row.origin},
                            {"Access-Control-Request-Method", "POST"},
                            {"Access-Control-Request-Headers", "authorization"}});
        CHECK(answer.status == 204);
        CHECK(answer.headers.get("Access-Control-Allow-Origin") ==
              (row.is_allowed ? row.origin : ""));
        CHECK(answer.headers.has("Access-Control-Allow-Methods") == row.is_allowed);
        if (row.is_allowed)
            CHECK(answer.headers.get("Access-Control-Allow-Headers").contains("Authorization"));
    }
    CHECK_FALSE(host.call("GET", "/healthz").headers.has("Access-Control-Allow-Origin"));
}

TEST_CASE("limits: a caller who asks too much gets 429 and when to come back") {
    TestHost host({.adjust = [](config::Settings& s) { s.server.requests_per_second = 2; },
                   .runs_jobs = false});
    const auto ada = host.sign_up();
    const auto eve = host.sign_up("eve@example.org");
    host.time.advance(1min);
    const auto ask = [&](const net::Headers& who) {
        return host.call("GET", "/api/calendar/status", who);
    };
    for (int i = 0; i < 20; ++i) CHECK(ask(ada).status == 200);
    const auto refused = ask(ada);
    CHECK(word_of(refused) == "429 rate_limited");
    CHECK(refused.headers.get("Retry-After") == "1");
    CHECK(ask(eve).status == 200);
    host.time.advance(501ms);
    CHECK(ask(ada).status == 200);
    CHECK(ask(ada).status == 429);
    for (int i = 0; i < 20; ++i) CHECK(ask({}).status == 401);  // strangers count by address
    CHECK(ask({}).status == 429);
    CHECK(host.call("GET", "/healthz").status == 200);
}

TEST_CASE("limits: what is known about callers stays bounded, however many they are") {
    boost::asio::io_context context;
    VirtualTime time{context};
    api::Limits limits(1, time);
    for (int i = 0; i < 30'000; ++i) {
        CHECK_FALSE(limits.take(std::to_string(i)).has_value());
        REQUIRE(limits.size() <= 10'000);
    }
}

TEST_CASE("openapi: lists exactly the routes that are served, and is OpenAPI 3.1 in shape") {
    TestHost host({.runs_jobs = false});
    const auto document = TestHost::body(host.call("GET", "/openapi.json"));
    CHECK(json::text_of(document, "openapi").starts_with("3.1."));
    CHECK(document.at("info").at("title") == "calhost");
    CHECK(document.at("info").at("version") == "test");
    std::set<std::string> listed, served, ids;
    const std::set<std::string> schemes{"bearerAuth", "sessionCookie"};
    for (const auto& path : document.at("paths").as_object()) {
        CHECK(path.key().starts_with("/"));
        for (const auto& method : path.value().as_object()) {
            const auto& operation = method.value();
            listed.insert(std::string(method.key()) + " " + std::string(path.key()));
            CHECK(ids.insert(std::string(json::text_of(operation, "operationId"))).second);
            CHECK_FALSE(operation.at("responses").as_object().empty());
            for (const auto& response : operation.at("responses").as_object())
                CHECK((response.value().as_object().contains("description") ||
                       response.value().as_object().contains("$ref")));
            for (const auto& way : operation.at("security").as_array())
                for (const auto& scheme : way.as_object())
                    CHECK(schemes.contains(std::string(scheme.key())));
            std::set<std::string> parameters;
            if (const auto* list = json::find(operation, "parameters"))
                for (const auto& parameter : list->as_array()) {
                    CHECK(parameter.as_object().contains("schema"));
                    const std::string place(json::text_of(parameter, "in"));
                    CHECK((place == "path" || place == "query" || place == "header"));
                    if (place == "path") CHECK(parameter.at("required") == true);
                    CHECK(parameters.insert(place + std::string(json::text_of(parameter, "name")))
                              .second);
                    if (place == "path")
                        CHECK(std::string(path.key())
                                  .contains("{" + std::string(json::text_of(parameter, "name")) +
                                            "}"));
                }
            const auto braces = std::ranges::count(path.key(), '{');
            CHECK(std::ranges::count_if(parameters, [](const auto& name) {
                      return name.starts_with("path");
                  }) == braces);
        }
    }
    for (const auto& route : host.worker().router().routes()) {
        std::string method = route.method;
        std::ranges::transform(method, method.begin(), [](char c) { return char(c + 32); });
        served.insert(method + " " + route.path);
    }
    CHECK(listed == served);
    for (const std::string call : {"post /auth/register",
                                   "post /auth/token",
                                   "get /auth/me",
                                   "get /api/providers",
                                   "get /api/calendar/auth",
                                   "get /api/calendar/auth-url",
                                   "get /api/calendar/auth-redirect",
                                   "get /api/calendar/auth/force",
                                   "get /api/calendar/connect/{provider}",
                                   "post /api/calendar/connect-links",
                                   "get /api/calendar/callback",
                                   "get /api/calendar/callback/{provider}",
                                   "get /oauth/callback",
                                   "get /api/integrations/google/callback",
                                   "get /api/calendar/status",
                                   "get /api/calendar/connections",
                                   "delete /api/calendar/connections/{id}",
                                   "delete /api/calendar/disconnect",
                                   "post /api/calendar/sync",
                                   "get /api/calendar/calendars",
                                   "post /api/calendar/events",
                                   "get /api/calendar/test/database",
                                   "get /api/calendar/test/credentials/{email}",
                                   "get /api/calendar/test/calendar-data/{email}",
                                   "get /api/calendar/test/calendar-health",
                                   "get /api/calendar/test/sync-monitoring",
                                   "get /healthz",
                                   "get /openapi.json"})
        CHECK_MESSAGE(listed.contains(call), call);
    for (const auto* part : {"schemas", "responses", "securitySchemes"})
        CHECK(document.at("components").as_object().contains(part));
}

}  // namespace
