// Beginning a connection: authorization URLs, redirects, one-time links.
#include <fmt/format.h>

#include "api/begin.h"
#include "api/body.h"
#include "api/describe.h"
#include "api/problem.h"
#include "api/sync_answer.h"
#include "crypto/crypto.h"

namespace calhost::api {
namespace {

using accounts::Principal;

constexpr std::chrono::minutes kLinkLife{10};

/// 200 with the URL, unless it is a browser that asks.
Task<net::Response> begin_for_program(Context& context, net::Request& request,
                                      connect::Begin begin) {
    return prefers_html(request) ? begin_as_redirect(context, request, std::move(begin))
                                 : begin_as_json(context, request, std::move(begin));
}

/// 302, unless it is a program that asks and says so.
Task<net::Response> begin_for_browser(Context& context, net::Request& request,
                                      connect::Begin begin) {
    return accepts_only_json(request) ? begin_as_json(context, request, std::move(begin))
                                      : begin_as_redirect(context, request, std::move(begin));
}

Task<net::Response> auth_url(Context& context, net::Request& request, Principal principal) {
    auto begin = read_begin(request, principal.user_id);
    if (!begin) co_return begin.error();
    co_return co_await begin_as_json(context, request, std::move(*begin));
}

Task<net::Response> auth_force(Context& context, net::Request& request, Principal principal) {
    auto begin = read_begin(request, principal.user_id);
    if (!begin) co_return begin.error();
    co_return co_await begin_for_program(context, request, std::move(*begin));
}

/// Syncs when connected; else, and when the sync fails, begins anew.
Task<net::Response> auth(Context& context, net::Request& request, Principal principal) {
    auto begin = read_begin(request, principal.user_id);
    if (!begin) co_return begin.error();
    auto rows =
        connect::select(context.services, principal.user_id, {begin->provider, begin->account, {}});
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    if (!rows->empty())
        if (auto synced = co_await sync_all(context, std::move(*rows), "already_connected"))
            co_return std::move(*synced);
    co_return co_await begin_for_program(context, request, std::move(*begin));
}

Task<net::Response> auth_redirect(Context& context, net::Request& request, Principal principal) {
    auto begin = read_begin(request, principal.user_id);
    if (!begin) co_return begin.error();
    auto rows =
        connect::select(context.services, principal.user_id, {begin->provider, begin->account, {}});
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    const bool works = !rows->empty() && rows->front().state == "active";
    if (works)
        co_return net::Response::redirect(
            landing_url(context, rows->front(), "", "connected", "success"));
    co_return co_await begin_for_browser(context, request, std::move(*begin));
}

Task<net::Response> connect_provider(Context& context, net::Request& request, Principal principal) {
    request.query.add("provider", std::string(request.path_parameter("provider")));
    auto begin = read_begin(request, principal.user_id);
    if (!begin) co_return begin.error();
    begin->provider = request.path_parameter("provider");
    co_return co_await begin_for_browser(context, request, std::move(*begin));
}

Task<net::Response> make_link(Context& context, net::Request& request, Principal principal) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    net::Query query;
    for (const auto* name : {"provider", "account", "purpose", "return_to"})
        if (auto value = body->text(name, 2048); !value.empty()) query.add(name, std::move(value));
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    request.query = std::move(query);
    auto begin = read_begin(request, principal.user_id);
    if (!begin) co_return begin.error();
    if (context.services.providers.find(begin->provider) == nullptr)
        co_return problem(404, "not_found", "There is no such provider.", request.request_id);
    const auto token = new_token(context.services.random);
    const storage::ConnectLink link{.hash = crypto::token_hash(Secret(token)),
                                    .user_id = principal.user_id,
                                    .provider = begin->provider,
                                    .account = begin->account,
                                    .purpose = begin->purpose,
                                    .return_to = begin->return_to,
                                    .expires_at = context.services.clock.now() + kLinkLife};
    auto stored = co_await context.services.database.write(
        [&](storage::Sql& sql) { return storage::insert_connect_link(sql, link); });
    if (!stored) co_return host_problem(stored.error(), request.request_id);
    co_return net::Response::json(
        201,
        {{"url", fmt::format("{}/api/calendar{}{}", context.options.public_url, kLinks, token)},
         {"expires_at", format_rfc3339(link.expires_at)}});
}

Task<net::Response> follow_link(Context& context, net::Request& request) {
    if (request.method == "HEAD") co_return net::Response{};  // a look does not use the link up
    const auto hash = crypto::token_hash(Secret(std::string(request.path_parameter("token"))));
    const auto now = context.services.clock.now();
    auto link = co_await context.services.database.write_for<std::optional<storage::ConnectLink>>(
        [&](storage::Sql& sql) { return storage::take_connect_link(sql, hash, now); });
    if (!link) co_return host_problem(link.error(), request.request_id);
    if (!*link)
        co_return problem(
            404, "not_found",
            "This link was used already, or is older than 10 minutes. Ask for a new one.",
            request.request_id);
    connect::Begin begin{.user_id = (*link)->user_id,
                         .provider = (*link)->provider,
                         .account = (*link)->account,
                         .purpose = (*link)->purpose,
                         .return_to = (*link)->return_to};
    co_return co_await begin_as_redirect(context, request, std::move(begin));
}

constexpr QueryParameter kProvider{"provider", "google unless named"};
constexpr QueryParameter kAccount{"account", "label of the connection, primary unless named"};
constexpr QueryParameter kPurpose{"purpose", "full or availability"};
constexpr QueryParameter kReturnTo{"return_to", "a path of the frontend"};
constexpr QueryParameter kLoginHint{"login_hint", "the account to suggest"};

}  // namespace

void add_connect_routes(net::Router& router, Context& context) {
    const auto add = [&](std::string path, UserFunction function, std::string_view summary) {
        router.add({"GET", std::move(path), signed_in(context, function),
                    describe("connections", "user", summary,
                             {kProvider, kAccount, kPurpose, kReturnTo, kLoginHint})});
    };
    add("/api/calendar/auth", auth, "Sync if connected, else where to grant access");
    add("/api/calendar/auth-url", auth_url, "Where to grant access, always JSON");
    add("/api/calendar/auth-redirect", auth_redirect,
        "To the provider, or to the frontend if connected");
    add("/api/calendar/auth/force", auth_force,
        "A fresh authorization; old credentials stay until the new grant is stored");
    add("/api/calendar/connect/{provider}", connect_provider, "To the provider's consent page");
    router.add({"POST", "/api/calendar/connect-links", signed_in(context, make_link),
                describe_body("connections", "user",
                              "A one-time link, 10 minutes, for navigations and mails",
                              {{"provider", "string"},
                               {"account?", "string"},
                               {"purpose?", "string"},
                               {"return_to?", "string"}})});
    router.add({"GET", "/api/calendar/connect-links/{token}", open_to_all(context, follow_link),
                describe("connections", "open", "Follow a one-time link to the provider")});
}

}  // namespace calhost::api
