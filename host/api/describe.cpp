#include "api/describe.h"

#include "base/json.h"

namespace calhost::api {

net::RouteInfo describe(std::string_view tag, std::string_view who, std::string_view summary,
                        std::initializer_list<QueryParameter> query) {
    net::RouteInfo info;
    info.tag = tag;
    info.who = who;
    info.summary = summary;
    for (const auto& parameter : query)
        info.parameters.push_back({{"name", parameter.name},
                                   {"in", "query"},
                                   {"description", parameter.description},
                                   {"schema", {{"type", "string"}}}});
    info.responses["200"] = {{"description", "Done"}};
    return info;
}

net::RouteInfo describe_body(
    std::string_view tag, std::string_view who, std::string_view summary,
    std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
    auto info = describe(tag, who, summary);
    json::object properties;
    json::array required;
    for (auto [name, type] : members) {
        if (name.ends_with('?'))
            name.remove_suffix(1);
        else
            required.emplace_back(name);
        properties[name] = {{"type", type}};
    }
    info.request_body = {{"type", "object"},
                         {"properties", std::move(properties)},
                         {"required", std::move(required)}};
    return info;
}

}  // namespace calhost::api
