#include "sandbox/graph_answer.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace calhost::sandbox::graph {

std::unexpected<ApiError> refuse_missing() {
    return refuse(404, "ErrorItemNotFound", "The specified object was not found in the store.");
}

std::unexpected<ApiError> refuse_property(std::string_view name, std::string_view why) {
    return refuse(400, "ErrorPropertyValidationFailure",
                  fmt::format("The property '{}' is not valid: {}.", name, why));
}

std::unexpected<ApiError> refuse_query(std::string message) {
    return refuse(400, "ErrorInvalidUrlQuery", std::move(message));
}

net::Response to_response(const ApiError& error, const Stamp& stamp) {
    const auto date =
        format_rfc3339(std::chrono::floor<std::chrono::seconds>(stamp.now)).substr(0, 19);
    auto response = net::Response::json(
        error.status,
        boost::json::object{
            {"error", boost::json::object{
                          {"code", error.code},
                          {"message", error.message},
                          {"innerError",
                           boost::json::object{{"date", date},
                                               {"request-id", stamp.request_id},
                                               {"client-request-id", stamp.client_request_id}}}}}});
    if (error.status == 401)
        response.headers.set("WWW-Authenticate", "Bearer realm=\"\", error=\"invalid_token\"");
    if (!error.retry_after.empty()) response.headers.set("Retry-After", error.retry_after);
    if (!error.location.empty()) response.headers.set("Location", error.location);
    return response;
}

void put_stamp(net::Response& response, const Stamp& stamp) {
    response.headers.set("request-id", stamp.request_id);
    response.headers.set("client-request-id", stamp.client_request_id);
}

}  // namespace calhost::sandbox::graph
