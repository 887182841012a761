/// HTTP messages as the rooms see them: no Beast types, no buffers, no sockets.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.h"
#include "base/time.h"

namespace calhost::net {

/// Field names compare without case (RFC 9110 section 5.1); order and repeats are kept.
class Headers {
  public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

    /// The first value of the field, or empty.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    /// Replaces all fields of that name.
    void set(std::string_view name, std::string value);
    void add(std::string name, std::string value);
    void remove(std::string_view name);

    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }
    [[nodiscard]] std::size_t size() const { return fields_.size(); }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// Name=value pairs of a query or a form, decoded, in order. The first of a name counts.
class Query {
  public:
    /// Parses `a=1&b=2`. *Errors*: invalid, for a broken percent escape or text that is not UTF-8.
    static Result<Query> parse(std::string_view text);

    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    void add(std::string name, std::string value);
    /// Percent-encoded, without a leading '?'.
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// A request that reached this host, limits already enforced.
struct Request {
    std::string method;  ///< "GET"
    std::string target;  ///< path and query as sent
    std::string path;    ///< percent-decoded path; dot segments and encoded slashes are refused
    Query query;
    Headers headers;
    std::string body;
    std::string client_address;  ///< behind a trusted proxy, the address it names
    std::string request_id;      ///< a valid incoming X-Request-Id or traceparent, else a new one
    bool is_secure = false;      ///< came over TLS, here or at the trusted proxy
    std::vector<std::pair<std::string, std::string>> path_parameters;  ///< set by the router

    [[nodiscard]] std::string_view path_parameter(std::string_view name) const;
    /// The value of a cookie, or empty.
    [[nodiscard]] std::string_view cookie(std::string_view name) const;
    /// Body of a form, or empty for another content type.
    [[nodiscard]] Result<Query> form() const;
};

/// The host's answer. X-Request-Id, Date, Content-Length and connection handling are the server's.
struct Response {
    int status = 200;
    Headers headers;
    std::string body;
    /// Instead of `body`: each call gives the next piece, an empty one ends the answer. It is
    /// destroyed when the client has gone; for server-sent events, say something every 15 s.
    std::function<Task<std::string>()> stream = nullptr;

    static Response json(int status, const boost::json::value& body);
    /// 200 with JSON that is text already.
    static Response json_text(std::string body);
    static Response html(int status, std::string body);
    static Response text(int status, std::string body);
    /// 302 by default.
    static Response redirect(std::string location, int status = 302);
};

/// A request to somewhere else.
struct ClientRequest {
    std::string method = "GET";
    std::string url;  ///< absolute http or https
    Headers headers;
    std::string body;
    milliseconds timeout{30'000};       ///< for the whole exchange
    std::size_t max_body = 10U << 20U;  ///< bytes after decompression
    int max_redirects = 0;              ///< Authorization is dropped across origins
    /// An address that a person entered: https only, every resolved address checked against the
    /// special ranges (RFC 6890) unless `network.allow_private` names it. Off for what the operator
    /// wrote.
    bool is_user_address = false;
};

struct ClientResponse {
    int status = 0;
    Headers headers;
    std::string body;
};

/// The one way out. *Thread*: the worker's own. *Cancels*: with the coroutine that waits.
/// *Errors*: unavailable (no connection, reset), timeout, invalid_response (truncated, malformed,
/// too large), forbidden (an address that is not allowed), invalid (not a URL). A status is never
/// an error here. The message never holds the query, a header or the body.
class Transport {
  public:
    virtual ~Transport() = default;
    virtual Task<Result<ClientResponse>> send(ClientRequest request) = 0;
};

}  // namespace calhost::net
