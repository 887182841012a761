/// Refusals in Graph's shape.
#pragma once

#include <expected>
#include <string>

#include "base/time.h"
#include "net/message.h"

namespace calhost::sandbox::graph {

struct ApiError {
    int status = 400;
    std::string code;
    std::string message;
    std::string retry_after;  ///< seconds, or empty
    std::string location;     ///< where a lost change feed begins anew, or empty
};

template <class T = void>
using Answer = std::expected<T, ApiError>;

inline std::unexpected<ApiError> refuse(int status, std::string code, std::string message) {
    return std::unexpected(ApiError{status, std::move(code), std::move(message), {}, {}});
}
inline std::unexpected<ApiError> refuse(ApiError error) {
    return std::unexpected(std::move(error));
}
/// 404 `ErrorItemNotFound`.
std::unexpected<ApiError> refuse_missing();
/// 400 `ErrorPropertyValidationFailure`, naming the property.
std::unexpected<ApiError> refuse_property(std::string_view name, std::string_view why);
/// 400 for a query option that is not understood.
std::unexpected<ApiError> refuse_query(std::string message);

/// What every answer carries.
struct Stamp {
    std::string request_id;
    std::string client_request_id;
    Timestamp now;
};
net::Response to_response(const ApiError& error, const Stamp& stamp);
void put_stamp(net::Response& response, const Stamp& stamp);

}  // namespace calhost::sandbox::graph
