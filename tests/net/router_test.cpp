#include "net/router.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "net/openapi.h"
#include "net_time.h"

using namespace calhost;
using namespace calhost::net;

namespace {

/// Answers with its name and the parameters it was given.
Handler named(std::string name) {
    return [name](Request& request) -> Task<Response> {
        std::string text = name;
        for (const auto& [key, value] : request.path_parameters) text += " " + key + "=" + value;
        return [](std::string body) -> Task<Response> {
            co_return Response::text(200, std::move(body));
        }(std::move(text));
    };
}

Router sample() {
    Router router;
    for (const auto* path :
         {"/", "/api/users/me", "/api/users/{id}", "/api/users/{user_id}/keys/{key}",
          "/api/feed/{secret}.ics", "/api/feed/{name}", "/calendars/{account_type}/list"})
        router.add({"GET", path, named(std::string("GET ") + path), {}});
    router.add({"DELETE", "/api/users/{user}", named("DELETE user"), {}});
    router.add({"POST", "/api/users/me", named("POST me"), {}});
    router.mount("/sandbox", named("sandbox"));
    router.mount("/sandbox/google", named("google"));
    return router;
}

Response ask(const Router& router, std::string method, std::string path) {
    boost::asio::io_context context;
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    return test::run(context, router.dispatch(request));
}

}  // namespace

TEST_CASE("router: the most literal path that has the method wins") {
    const Router router = sample();
    const std::tuple<const char*, const char*, const char*> rows[] = {
        {"GET", "/", "GET /"},
        {"GET", "/api/users/me", "GET /api/users/me"},
        {"HEAD", "/api/users/me", "GET /api/users/me"},
        {"POST", "/api/users/me", "POST me"},
        {"DELETE", "/api/users/me", "DELETE user user=me"},
        {"GET", "/api/users/7", "GET /api/users/{id} id=7"},
        {"DELETE", "/api/users/7", "DELETE user user=7"},
        {"GET", "/api/users/me/keys/k1", "GET /api/users/{user_id}/keys/{key} user_id=me key=k1"},
        {"GET", "/api/feed/abc.ics", "GET /api/feed/{secret}.ics secret=abc"},
        {"GET", "/api/feed/abc", "GET /api/feed/{name} name=abc"},
        {"GET", "/api/feed/.ics", "GET /api/feed/{name} name=.ics"},
        {"GET", "/calendars/source/list", "GET /calendars/{account_type}/list account_type=source"},
        {"PATCH", "/sandbox", "sandbox"},
        {"GET", "/sandbox/x/y", "sandbox"},
        {"POST", "/sandbox/google/token", "google"},
        {"POST", "/sandbox/googles", "sandbox"},
    };
    for (const auto& [method, path, expected] : rows) {
        CAPTURE(std::string(path));
        CHECK(ask(router, method, path).body == expected);
    }
}

TEST_CASE("router: an unknown path is 404, a known path with another method 405 with Allow") {
    const Router router = sample();
    for (const char* path : {"/api", "/api/", "/api/users", "/api/users/", "/api/users/me/", "//",
                             "/api//me", "/sandboxes", "/calendars//list", "/API/users/me"})
        CHECK_MESSAGE(ask(router, "GET", path).status == 404, path);
    const auto refused = ask(router, "PUT", "/api/users/me");
    CHECK(refused.status == 405);
    CHECK(refused.headers.get("Allow") == "DELETE, GET, HEAD, POST");
    CHECK(ask(router, "HEAD", "/api/users/me/keys").status == 404);
    CHECK(router.allowed_methods("/api/users/7") == "DELETE, GET, HEAD");
    CHECK(router.allowed_methods("/nowhere").empty());
}

TEST_CASE("router: a path can be taken once for each method, whatever its parameters are called") {
    Router router = sample();
    CHECK_THROWS_AS(router.add({"GET", "/api/users/{other}", named("x"), {}}), std::logic_error);
    router.add({"PUT", "/api/users/{other}", named("PUT"), {}});
    CHECK(ask(router, "PUT", "/api/users/7").body == "PUT other=7");
}

TEST_CASE("openapi: the document has each route with its caller, parameters and answers") {
    Router router;
    RouteInfo info;
    info.summary = "Change a connection";
    info.tag = "connections";
    info.parameters = {{{"name", "dry_run"}, {"in", "query"}, {"schema", {{"type", "boolean"}}}}};
    info.request_body = {{"type", "object"}};
    info.responses = {{"200", {{"description", "Changed"}, {"schema", {{"type", "object"}}}}}};
    router.add({"PATCH", "/api/connections/{id}", named("x"), info});
    RouteInfo open;
    open.who = "open";
    router.add({"GET", "/api/connections/{id}", named("x"), open});
    const boost::json::value document = build_openapi(router, "calhost", "0.1.0");

    CHECK(document.at("openapi") == "3.1.0");
    CHECK(document.at("info").at("title") == "calhost");
    const auto& path = document.at("paths").at("/api/connections/{id}");
    const auto& patch = path.at("patch");
    CHECK(patch.at("operationId") == "patch_api_connections_by_id");
    CHECK(patch.at("tags").at(0) == "connections");
    CHECK(patch.at("parameters").as_array().size() == 2);
    CHECK(patch.at("parameters").at(0).at("name") == "id");
    CHECK(patch.at("parameters").at(0).at("required") == true);
    CHECK(patch.at("security").as_array().size() == 2);
    CHECK(patch.at("requestBody").at("content").at("application/json").at("schema").at("type") ==
          "object");
    const auto& answer = patch.at("responses").at("200");
    CHECK(answer.at("description") == "Changed");
    CHECK(answer.at("content").at("application/json").at("schema").at("type") == "object");
    CHECK_FALSE(answer.as_object().contains("schema"));
    CHECK(path.at("get").at("security").as_array().empty());
    CHECK_FALSE(path.at("get").as_object().contains("requestBody"));
    // Every reference leads somewhere.
    const auto reference = patch.at("responses").at("default").at("$ref").as_string();
    CHECK(document.find_pointer(reference.subview(1),
                                *std::make_unique<boost::json::error_code>()) != nullptr);
    CHECK(document.at("components").as_object().at("securitySchemes").as_object().size() == 2);
}
