/// Refusals in Google's shape.
#pragma once

#include <expected>
#include <string>

#include "net/message.h"

namespace calhost::sandbox {

struct ApiError {
    int status = 400;
    std::string reason;
    std::string message;
    std::string domain = "global";
    std::string location;  ///< the header or parameter that is wrong, or empty
    std::string location_type;
};

template <class T = void>
using Answer = std::expected<T, ApiError>;

inline std::unexpected<ApiError> refuse(int status, std::string reason, std::string message) {
    return std::unexpected(
        ApiError{status, std::move(reason), std::move(message), "global", {}, {}});
}
inline std::unexpected<ApiError> refuse(ApiError error) {
    return std::unexpected(std::move(error));
}

/// 400 `invalid` for a query parameter.
std::unexpected<ApiError> refuse_parameter(std::string name, std::string message);
/// 404 `notFound`.
std::unexpected<ApiError> refuse_missing();

net::Response to_response(const ApiError& error);

}  // namespace calhost::sandbox
