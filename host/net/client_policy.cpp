#include "net/client_policy.h"

#include <algorithm>

#include "net/text.h"

namespace calhost::net {
namespace {

std::unexpected<Error> refuse_address(const Url& url) {
    return fail(ErrorCode::forbidden,
                "The address " + url.host +
                    " is not allowed: it must be public and https. The operator can allow "
                    "networks in network.allow_private.");
}

}  // namespace

Result<void> check_host(const Url& url, bool is_user_address) {
    if (is_user_address && is_disguised_address(url.host)) return refuse_address(url);
    return {};
}

Result<std::vector<Address>> check_addresses(const Url& url,
                                             const std::vector<std::string>& addresses,
                                             bool is_user_address, const Networks& allowed) {
    std::vector<Address> checked;
    for (const auto& text : addresses) {
        const auto address = parse_address(text);
        const bool is_fine = address && (!is_user_address || allowed.contains(*address) ||
                                         (url.is_tls && is_public(*address)));
        if (!is_fine) return refuse_address(url);
        checked.push_back(*address);
    }
    if (checked.empty())
        return fail(ErrorCode::unavailable, "The name " + url.host + " has no address.");
    return checked;
}

bool is_redirect(const ClientResponse& response) {
    constexpr int kRedirects[] = {301, 302, 303, 307, 308};
    return std::ranges::count(kRedirects, response.status) > 0 && response.headers.has("Location");
}

Result<ClientRequest> follow_redirect(ClientRequest request, const Url& from,
                                      const ClientResponse& response) {
    const auto to = from.resolve(response.headers.get("Location"));
    if (!to) return fail(to.error());
    if (from.is_tls && !to->is_tls)
        return fail(ErrorCode::forbidden, "A redirect leads from https to http.");
    request.url = to->origin() + to->target;
    if (to->origin() != from.origin())
        for (const auto* name : {"Authorization", "Cookie", "Proxy-Authorization"})
            request.headers.remove(name);
    const bool is_old_post = response.status <= 302 && request.method == "POST";
    if (is_old_post || (response.status == 303 && request.method != "HEAD")) {
        request.method = "GET";
        request.body.clear();
        request.headers.remove("Content-Type");
    }
    return request;
}

bool is_idempotent(std::string_view method) {
    constexpr std::string_view kMethods[] = {"GET",    "HEAD",     "OPTIONS", "PUT",
                                             "DELETE", "PROPFIND", "REPORT"};
    return std::ranges::count(kMethods, method) > 0;
}

Result<void> check_request(const ClientRequest& request) {
    if (!is_token(request.method))
        return fail(ErrorCode::invalid, "The request's method is no HTTP method.");
    for (const auto& [name, value] : request.headers)
        if (!is_token(name) || !is_field_value(value))
            return fail(ErrorCode::invalid, "The request has a malformed header field.");
    return {};
}

}  // namespace calhost::net
