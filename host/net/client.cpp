#include "net/client.h"

#include <stdexcept>

#include "base/timeout.h"
#include "net/client_policy.h"
#include "net/client_pool.h"
#include "net/gzip.h"
#include "net/text.h"
#include "net/tls.h"

namespace calhost::net {
namespace {

using ConnectionResult = Result<std::unique_ptr<ClientConnection>>;

/// What every request of the client shares; lives as long as the last of them.
struct Client {
    Executor executor;
    ClientOptions options;
    std::unique_ptr<Resolver> resolver;
    Timers& timers;
    std::shared_ptr<boost::asio::ssl::context> tls;
    Networks allowed;
    std::shared_ptr<ClientPool> pool;
};
using ClientPointer = std::shared_ptr<Client>;

Task<ConnectionResult> open_connection(ClientPointer client, Url url, bool is_user_address) {
    std::vector<std::string> names{url.host};
    if (!parse_address(url.host)) {
        auto resolved = co_await client->resolver->resolve(url.host);
        if (!resolved) co_return fail(resolved.error());
        names = std::move(*resolved);
    }
    auto addresses = check_addresses(url, names, is_user_address, client->allowed);
    if (!addresses) co_return fail(addresses.error());
    co_return co_await ClientConnection::connect(client->executor, client->tls, url,
                                                 std::move(*addresses));
}

Task<ConnectionResult> connect(ClientPointer client, Url url, bool is_user_address) {
    auto connection = co_await with_timeout(client->timers, client->options.connect_time,
                                            open_connection(client, url, is_user_address));
    if (!connection && connection.error().code == ErrorCode::timeout)
        co_return fail(ErrorCode::unavailable, "No connection to " + url.host + " in time.");
    co_return connection;
}

Result<void> unpack(ClientResponse& response, const ClientRequest& request) {
    const auto coding = response.headers.get("Content-Encoding");
    const bool is_plain = coding.empty() || is_same_word(coding, "identity");
    if (is_plain || response.body.empty()) return {};
    if (!is_same_word(coding, "gzip") && !is_same_word(coding, "x-gzip"))
        return fail(ErrorCode::invalid_response, "The answer has a coding that was not asked for.");
    auto body = gunzip(response.body, request.max_body);
    if (!body) return fail(body.error());
    response.body = std::move(*body);
    response.headers.remove("Content-Encoding");
    response.headers.remove("Content-Length");
    return {};
}

/// Connections of people's addresses are kept apart: theirs were checked.
std::string pool_key(const Url& url, const ClientRequest& request) {
    return (request.is_user_address ? "user " : "") + url.origin();
}

Task<Result<ClientResponse>> send_once(ClientPointer client, const ClientRequest& request,
                                       const Url& url) {
    if (auto allowed = check_host(url, request.is_user_address); !allowed)
        co_return fail(allowed.error());
    const std::string key = pool_key(url, request);
    const auto permit = co_await client->pool->take_permit(key);
    if (!permit) co_return fail(permit.error());
    auto connection = client->pool->take_idle(key);
    if (connection != nullptr) {
        auto response = co_await connection->exchange(request, url);
        const bool is_reusable = connection->is_reusable();
        const bool is_stale = !is_reusable && connection->was_stale();
        if (is_reusable) client->pool->keep(key, std::move(connection));
        if (!is_stale || !is_idempotent(request.method)) co_return response;
    }
    auto fresh = co_await connect(client, url, request.is_user_address);
    if (!fresh) co_return fail(fresh.error());
    auto response = co_await (*fresh)->exchange(request, url);
    if ((*fresh)->is_reusable()) client->pool->keep(key, std::move(*fresh));
    co_return response;
}

Task<Result<ClientResponse>> send_all(ClientPointer client, ClientRequest request) {
    for (int redirects = request.max_redirects;; --redirects) {
        const auto url = Url::parse(request.url);
        if (!url) co_return fail(url.error());
        auto response = co_await send_once(client, request, *url);
        if (!response) co_return fail(response.error());
        if (redirects <= 0 || !is_redirect(*response)) {
            if (auto unpacked = unpack(*response, request); !unpacked)
                co_return fail(unpacked.error());
            co_return response;
        }
        auto next = follow_redirect(std::move(request), *url, *response);
        if (!next) co_return fail(next.error());
        request = std::move(*next);
    }
}

Task<Result<ClientResponse>> send_in_time(ClientPointer client, ClientRequest request) {
    if (auto checked = check_request(request); !checked) co_return fail(checked.error());
    const auto limit = request.timeout;
    co_return co_await with_timeout(client->timers, limit, send_all(client, std::move(request)));
}

class HttpClient final : public Transport {
  public:
    explicit HttpClient(ClientPointer client) : client_(std::move(client)) {}
    Task<Result<ClientResponse>> send(ClientRequest request) override {
        return send_in_time(client_, std::move(request));
    }

  private:
    ClientPointer client_;
};

template <class T>
T value_or_throw(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

}  // namespace

std::unique_ptr<Transport> make_http_client(Executor executor, ClientOptions options,
                                            std::unique_ptr<Resolver> resolver, const Clock& clock,
                                            Timers& timers) {
    auto tls = std::make_shared<boost::asio::ssl::context>(
        value_or_throw(make_client_tls(options.ca_file)));
    auto allowed = value_or_throw(Networks::parse(options.allow_private));
    auto pool = std::make_shared<ClientPool>(executor, clock, options.connections_per_host,
                                             options.idle_time);
    return std::make_unique<HttpClient>(
        std::make_shared<Client>(executor, std::move(options), std::move(resolver), timers,
                                 std::move(tls), std::move(allowed), std::move(pool)));
}

}  // namespace calhost::net
