#include "net/openapi.h"

#include "net/text.h"

namespace calhost::net {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// "GET /api/calendar/connections/{id}" → "get_api_calendar_connections_by_id".
std::string operation_id(const Route& route) {
    std::string id;
    for (const char c : route.method) id += to_lower(c);
    for (const char c : route.path) {
        if (c == '{')
            id += "by_";
        else if (c != '}')
            id += c == '/' || c == '-' || c == '.' ? '_' : c;
    }
    return id;
}

array path_parameters(std::string_view path) {
    array parameters;
    for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1))
        parameters.push_back(object{{"name", path.substr(at + 1, path.find('}', at) - at - 1)},
                                    {"in", "path"},
                                    {"required", true},
                                    {"schema", {{"type", "string"}}}});
    return parameters;
}

value json_content(const value& schema) { return {{"application/json", {{"schema", schema}}}}; }

object responses(const RouteInfo& info) {
    object all;
    for (const auto& [status, described] : info.responses) {
        object response = described.is_object() ? described.as_object() : object{};
        if (const auto* schema = response.if_contains("schema")) {
            response["content"] = json_content(*schema);
            response.erase("schema");
        }
        if (!response.contains("description")) response["description"] = "";
        all[status] = std::move(response);
    }
    if (all.empty()) all["200"] = object{{"description", "Done"}};
    all["default"] = object{{"$ref", "#/components/responses/Problem"}};
    return all;
}

array security(std::string_view who) {
    if (who == "open") return {};
    array ways{object{{"bearerAuth", array{}}}};
    if (who != "application") ways.push_back(object{{"sessionCookie", array{}}});
    return ways;
}

object operation(const Route& route) {
    array parameters = path_parameters(route.path);
    for (const auto& parameter : route.info.parameters) parameters.push_back(parameter);
    object described{{"operationId", operation_id(route)},
                     {"summary", route.info.summary},
                     {"responses", responses(route.info)},
                     {"security", security(route.info.who)}};
    if (!route.info.tag.empty()) described["tags"] = array{value(route.info.tag)};
    if (!parameters.empty()) described["parameters"] = std::move(parameters);
    if (!route.info.request_body.is_null())
        described["requestBody"] = {{"required", true},
                                    {"content", json_content(route.info.request_body)}};
    return described;
}

value problem_schema() {
    const value text{{"type", "string"}}, number{{"type", "integer"}};
    const value field{{"type", "object"},
                      {"required", {"field", "message"}},
                      {"properties", {{"field", text}, {"message", text}}}};
    return {
        {"type", "object"},
        {"required", {"type", "title", "status", "status_code", "detail", "code", "request_id"}},
        {"properties",
         {{"type", text},
          {"title", text},
          {"status", number},
          {"status_code", number},
          {"detail", {{"type", "string"}, {"description", "A sentence for people."}}},
          {"code", {{"type", "string"}, {"description", "A stable snake_case word."}}},
          {"request_id", text},
          {"errors", {{"type", "array"}, {"items", field}}}}}};
}

object components() {
    const value problem{{"$ref", "#/components/schemas/Problem"}};
    return {{"schemas", {{"Problem", problem_schema()}}},
            {"responses",
             {{"Problem",
               {{"description", "What went wrong"},
                {"content", {{"application/problem+json", {{"schema", problem}}}}}}}}},
            {"securitySchemes",
             {{"bearerAuth",
               {{"type", "http"},
                {"scheme", "bearer"},
                {"description", "A user's access token, or an API key."}}},
              {"sessionCookie",
               {{"type", "apiKey"},
                {"in", "cookie"},
                {"name", "__Host-session"},
                {"description", "The session of the pages; unsafe calls need X-CSRF-Token."}}}}}};
}

}  // namespace

object build_openapi(const Router& router, std::string title, std::string version) {
    object paths;
    for (const auto& route : router.routes()) {
        std::string method;
        for (const char c : route.method) method += to_lower(c);
        auto& item = paths[route.path];
        if (!item.is_object()) item = object{};
        item.as_object()[method] = operation(route);
    }
    return {{"openapi", "3.1.0"},
            {"info", {{"title", title}, {"version", version}}},
            {"paths", std::move(paths)},
            {"components", components()}};
}

}  // namespace calhost::net
