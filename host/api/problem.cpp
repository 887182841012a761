#include "api/problem.h"

#include <array>

#include "base/json.h"

namespace calhost::api {
namespace {

struct Status {
    ErrorCode code;
    int host;
    int provider;
};

constexpr std::array kStatus{
    Status{ErrorCode::unauthorized, 401, 409},  Status{ErrorCode::needs_reauth, 409, 409},
    Status{ErrorCode::misconfigured, 500, 500}, Status{ErrorCode::forbidden, 403, 403},
    Status{ErrorCode::rate_limited, 429, 503},  Status{ErrorCode::unavailable, 503, 502},
    Status{ErrorCode::timeout, 504, 504},       Status{ErrorCode::invalid_response, 500, 502},
    Status{ErrorCode::not_found, 404, 404},     Status{ErrorCode::already_exists, 409, 409},
    Status{ErrorCode::conflict, 409, 409},      Status{ErrorCode::cursor_expired, 500, 502},
    Status{ErrorCode::invalid, 422, 502},       Status{ErrorCode::unsupported, 422, 422},
    Status{ErrorCode::cancelled, 503, 503},
};

std::string_view title_of(int status) {
    switch (status) {
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Internal Server Error";
    }
}

json::object body_of(int status, std::string_view code, std::string_view detail,
                     std::string_view request_id) {
    return {{"type", "about:blank"},   {"title", title_of(status)}, {"status", status},
            {"status_code", status},   {"detail", detail},          {"code", code},
            {"request_id", request_id}};
}

net::Response answer(int status, const json::object& body) {
    net::Response response;
    response.status = status;
    response.body = json::serialize(body);
    response.headers.set("Content-Type", "application/problem+json");
    if (status == 401) response.headers.set("WWW-Authenticate", "Bearer");
    if (status == 503) response.headers.set("Retry-After", std::string(kRetryLater));
    return response;
}

net::Response from_error(const Error& error, int status, std::string_view request_id) {
    auto response = problem(status, to_string(error.code), error.message, request_id);
    if (error.retry_after && (status == 429 || status == 503)) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after);
        response.headers.set("Retry-After",
                             std::to_string(std::max<std::int64_t>(seconds.count(), 1)));
    }
    return response;
}

}  // namespace

net::Response problem(int status, std::string_view code, std::string_view detail,
                      std::string_view request_id) {
    return answer(status, body_of(status, code, detail, request_id));
}

net::Response invalid_fields(const std::vector<accounts::FieldError>& errors,
                             std::string_view request_id, std::string_view code) {
    auto body =
        body_of(422, code, errors.empty() ? "The request is not valid." : errors.front().message,
                request_id);
    json::array list;
    for (const auto& error : errors)
        list.push_back({{"field", error.field}, {"message", error.message}});
    body["errors"] = std::move(list);
    return answer(422, body);
}

net::Response host_problem(const Error& error, std::string_view request_id) {
    const auto* status = std::ranges::find(kStatus, error.code, &Status::code);
    return from_error(error, status->host, request_id);
}

net::Response provider_problem(const Error& error, std::string_view request_id) {
    const auto* status = std::ranges::find(kStatus, error.code, &Status::code);
    return from_error(error, status->provider, request_id);
}

}  // namespace calhost::api
