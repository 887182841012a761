#include "net/response_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/status.hpp>

#include "net/text.h"

namespace calhost::net {
namespace {

void write_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

/// Fields that describe the connection or that the server makes itself.
bool is_servers_own(std::string_view name) {
    constexpr std::string_view kOwn[] = {"Connection", "Content-Length",    "Date",
                                         "Keep-Alive", "Transfer-Encoding", "X-Request-Id"};
    return std::ranges::any_of(kOwn, [&](auto own) { return is_same_word(own, name); });
}

void write_status(std::string& out, int status) {
    if (status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
        return;
    }
    const auto reason =
        boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", status,
                   std::string_view(reason.data(), reason.size()));
}

void write_framing(std::string& out, const Response& response, const ResponseContext& context) {
    if (response.stream) {
        if (!context.is_http_1_0) write_field(out, "Transfer-Encoding", "chunked");
    } else if (!is_bodiless(response.status)) {
        write_field(out, "Content-Length", fmt::format_int(response.body.size()).c_str());
    }
    if (!context.keep_alive)
        write_field(out, "Connection", "close");
    else if (context.is_http_1_0)
        write_field(out, "Connection", "keep-alive");
}

void write_security(std::string& out, const Response& response, bool is_secure) {
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!response.headers.has(name)) write_field(out, name, value);
    };
    add("X-Content-Type-Options", "nosniff");
    add("Referrer-Policy", "no-referrer");
    add("Cache-Control", "no-store");
    if (is_secure) add("Strict-Transport-Security", "max-age=31536000");
}

}  // namespace

bool is_sendable(const Response& response) {
    return response.status >= 200 && response.status <= 599 &&
           std::ranges::all_of(response.headers, [](const auto& field) {
               return is_token(field.first) && is_field_value(field.second);
           });
}

void write_head(std::string& out, const Response& response, const ResponseContext& context) {
    write_status(out, response.status);
    write_field(out, "Date", context.date);
    write_framing(out, response, context);
    write_field(out, "X-Request-Id", context.request_id);
    for (const auto& [name, value] : response.headers)
        if (!is_servers_own(name)) write_field(out, name, value);
    write_security(out, response, context.is_secure);
    out += "\r\n";
}

}  // namespace calhost::net
