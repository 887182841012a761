// Lending an application the access token of a person that it reaches.
#include "api/context.h"
#include "api/describe.h"
#include "api/key_shape.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "connect/audit.h"
#include "connect/sealing.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using storage::Connection;

/// Token, end and scopes of one row, so that they belong together.
struct Lease {
    Secret access_token;
    Connection row;
};

/// On the connection's home worker: makes the token fresh, then reads what is stored.
Task<Result<Lease>> take(const sync::Home& home, std::string user_id, std::string id) {
    auto row = co_await home.keeper->fresh_row(id, user_id);
    if (!row) co_return fail(row.error());
    auto token = connect::open_token(*home.services, row->sealed_access_token,
                                     connect::kAccessColumn, id, user_id);
    if (!token) co_return fail(token.error());
    co_return Lease{std::move(*token), std::move(*row)};
}

/// Why this key gets no token of the connection, or nothing.
std::optional<net::Response> refuse(Context& context, const net::Request& request,
                                    const Principal& principal, const Connection& row) {
    const bool is_allowed =
        principal.providers.empty() ||
        std::ranges::find(principal.providers, row.provider) != principal.providers.end();
    if (!is_allowed)
        return problem(403, "forbidden", "This key may not lease tokens of this provider.",
                       request.request_id);
    const auto* provider = context.services.providers.find(row.provider);
    // What the keeper has of such an account is the person's password.
    if (provider == nullptr || provider->info().auth.is_by_fields() || !row.account_data.empty())
        return problem(422, "unsupported", "This account has no access token that could be lent.",
                       request.request_id);
    // A second's worth of calls each: ten at once, then one a second.
    const auto wait = context.limits.take("lease " + principal.application_id + row.id,
                                          context.options.requests_per_second);
    if (!wait) return std::nullopt;
    return host_problem({ErrorCode::rate_limited,
                         "This token is leased too often. It is good until it expires.", wait},
                        request.request_id);
}

Task<Result<void>> write_down(Context& context, const net::Request& request,
                              const Principal& principal, const Connection& row) {
    auto entry = connect::audit_entry(context.services.clock.now(), "token.leased", row,
                                      principal.name(), {{"key_id", principal.key_id}});
    entry.request_id = request.request_id;
    return context.services.database.write(
        [entry](storage::Sql& sql) { return storage::write_audit(sql, entry); });
}

Task<net::Response> lease(Context& context, net::Request& request, Principal principal) {
    const std::string id(request.path_parameter("id"));
    auto row = storage::find_connection_of_application(context.services.database.reader(),
                                                       principal.application_id, id);
    if (!row) co_return host_problem(row.error(), request.request_id);
    if (!*row)
        co_return problem(404, "not_found", "There is no such connection.", request.request_id);
    if (auto refused = refuse(context, request, principal, **row)) co_return std::move(*refused);
    using Leased = Result<Lease>;
    auto leased = co_await context.homes.run<Leased>(
        id, [user_id = (*row)->user_id, id](const sync::Home& home) {
            return take(home, user_id, id);
        });
    if (!leased) co_return provider_problem(leased.error(), request.request_id);
    // Nothing is lent that was not written down.
    if (auto told = co_await write_down(context, request, principal, leased->row); !told)
        co_return host_problem(told.error(), request.request_id);
    auto response =
        net::Response::json(200, {{"access_token", leased->access_token.expose()},
                                  {"expires_at", time_or_null(leased->row.token_expires_at)},
                                  {"scopes", connection_shape(leased->row).at("scopes")}});
    response.headers.set("Cache-Control", "no-store");
    co_return response;
}

}  // namespace

void add_lease_routes(net::Router& router, Context& context) {
    router.add({"POST", "/api/calendar/connections/{id}/lease",
                for_application(context, "tokens:lease", lease),
                describe("connections", "application",
                         "A fresh access token of the connection; never the refresh token")});
}

}  // namespace calhost::api
