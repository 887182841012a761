#include "sandbox/answer.h"

#include <boost/json.hpp>

namespace calhost::sandbox {

std::unexpected<ApiError> refuse_parameter(std::string name, std::string message) {
    return refuse({400, "invalid", std::move(message), "global", std::move(name), "parameter"});
}

std::unexpected<ApiError> refuse_missing() { return refuse(404, "notFound", "Not Found"); }

net::Response to_response(const ApiError& error) {
    boost::json::object detail{
        {"domain", error.domain}, {"reason", error.reason}, {"message", error.message}};
    if (!error.location.empty()) {
        detail["locationType"] = error.location_type;
        detail["location"] = error.location;
    }
    auto response = net::Response::json(
        error.status, boost::json::object{
                          {"error", boost::json::object{{"code", error.status},
                                                        {"message", error.message},
                                                        {"errors", boost::json::array{detail}}}}});
    if (error.status == 401)
        response.headers.set("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    return response;
}

}  // namespace calhost::sandbox
