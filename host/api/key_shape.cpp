#include "api/key_shape.h"

namespace calhost::api {

json::array words_shape(const std::vector<std::string>& words) {
    return json::array(words.begin(), words.end());
}

json::object key_shape(const storage::ApiKey& key) {
    json::object shape{{"id", key.id},
                       {"name", key.name},
                       {"scopes", words_shape(key.scopes)},
                       {"created_at", format_rfc3339(key.created_at)}};
    if (key.application_id)
        shape["providers"] =
            key.providers.empty() ? json::value(nullptr) : json::value(words_shape(key.providers));
    return shape;
}

net::Response new_key_answer(json::object shape, const accounts::NewKey& key) {
    shape["key"] = key.secret.expose();
    auto response = net::Response::json(201, shape);
    response.headers.set("Cache-Control", "no-store");
    return response;
}

}  // namespace calhost::api
