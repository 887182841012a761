// A person's bookings for programs that subscribe to iCalendar files.
#include "api/context.h"
#include "api/describe.h"
#include "api/problem.h"
#include "base/encoding.h"
#include "booking/feed.h"
#include "crypto/crypto.h"
#include "net/url.h"
#include "storage/bookings.h"

namespace calhost::api {
namespace {

using accounts::Principal;

/// "calendar.example" of "https://calendar.example:8443/x": UIDs keep their host part for ever.
std::string host_of(const std::string& public_url) {
    const auto url = net::Url::parse(public_url);
    return url ? url->host : "calhost";
}

/// Makes a feed, or gives the one that is there another secret.
Task<net::Response> make_feed(Context& context, net::Request& request, Principal principal) {
    auto& services = context.services;
    const Secret secret(new_token(services.random));
    const auto hash = crypto::token_hash(secret);
    const auto now = services.clock.now();
    auto stored = co_await services.database.write(
        [&](storage::Sql& sql) { return storage::store_feed(sql, principal.user_id, hash, now); });
    if (!stored) co_return host_problem(stored.error(), request.request_id);
    auto response =
        net::Response::json(201, {{"url", context.options.public_url + std::string(kFeeds) +
                                              std::string(secret.expose()) + ".ics"}});
    response.headers.set("Cache-Control", "no-store");
    co_return response;
}

bool has_tag(std::string_view header, std::string_view tag) {
    return header == "*" || header.contains(tag);
}

Task<net::Response> read_feed(Context& context, net::Request& request) {
    const Secret secret(std::string(request.path_parameter("secret")));
    auto& services = context.services;
    auto owner = storage::find_feed_owner(services.database.reader(), crypto::token_hash(secret));
    if (!owner) co_return host_problem(owner.error(), request.request_id);
    if (!*owner)
        co_return problem(404, "not_found", "There is no such feed; its address may be an old one.",
                          request.request_id);
    auto text =
        co_await booking::write_feed(services, **owner, host_of(context.options.public_url));
    if (!text) co_return host_problem(text.error(), request.request_id);
    const auto tag = '"' + hex_encode(crypto::sha256(*text)).substr(0, 32) + '"';
    net::Response response;
    response.headers.set("ETag", tag);
    response.headers.set("Cache-Control", "private, no-cache");
    if (has_tag(request.headers.get("If-None-Match"), tag)) {
        response.status = 304;
        co_return response;
    }
    response.headers.set("Content-Type", "text/calendar; charset=utf-8");
    response.body = std::move(*text);
    co_return response;
}

}  // namespace

void add_feed_routes(net::Router& router, Context& context) {
    router.add(
        {"POST", "/api/calendar/feed", signed_in(context, make_feed),
         describe("bookings", "user", "Makes the caller's feed; an earlier address of it ends")});
    router.add({"GET", std::string(kFeeds) + "{secret}.ics", open_to_all(context, read_feed),
                describe("bookings", "open", "A person's bookings as iCalendar, with ETag")});
}

}  // namespace calhost::api
