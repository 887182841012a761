// A person's own API keys.
#include "api/body.h"
#include "api/context.h"
#include "api/describe.h"
#include "api/key_shape.h"
#include "api/page.h"
#include "api/problem.h"
#include "storage/audit.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using storage::ApiKey;

constexpr int kMostKeys = 50;

/// A key makes no keys and removes none, so that a lost one can be taken back for good.
std::optional<net::Response> refuse_key(const Principal& principal, const net::Request& request) {
    if (!principal.has_key()) return std::nullopt;
    return problem(403, "forbidden", "A key cannot manage keys. Sign in instead.",
                   request.request_id);
}

/// All that the user may, unless it is told; `admin` only for who has the role.
std::vector<std::string> read_scopes(Body& body, const Principal& principal) {
    const auto known = accounts::user_scopes();
    auto scopes = body.texts("scopes", known.size(), 64)
                      .value_or(std::vector<std::string>{std::string(accounts::kUserScope)});
    for (const auto& scope : scopes) {
        if (std::ranges::find(known, scope) == known.end())
            body.complain("scopes",
                          "The scopes are some of user, admin, bookings:read, "
                          "availability:read.");
        else if (scope == accounts::kAdminScope && principal.role != accounts::kAdminRole)
            body.complain("scopes", "Only an administrator's key has the scope admin.");
    }
    if (scopes.empty()) body.complain("scopes", "A key without scopes could do nothing.");
    return scopes;
}

Task<net::Response> list_keys(Context& context, net::Request& request, Principal principal) {
    if (auto refused = refuse_key(principal, request)) co_return std::move(*refused);
    const auto page = read_page(request);
    if (!page) co_return page.error();
    auto keys = storage::list_keys_of_user(context.services.database.reader(), principal.user_id,
                                           page->after, page->limit + 1);
    if (!keys) co_return host_problem(keys.error(), request.request_id);
    auto next = cut(*keys, *page, [](const ApiKey& key) { return key.id; });
    json::array list;
    for (const auto& key : *keys) list.push_back(key_shape(key));
    co_return net::Response::json(200, {{"keys", std::move(list)}, {"next_cursor", next}});
}

Task<net::Response> make_key(Context& context, net::Request& request, Principal principal) {
    if (auto refused = refuse_key(principal, request)) co_return std::move(*refused);
    auto body = Body::read(request);
    if (!body) co_return body.error();
    ApiKey row{.user_id = principal.user_id, .name = body->text("name", 200)};
    row.scopes = read_scopes(*body, principal);
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    const auto now = context.services.clock.now();
    const auto made = accounts::make_key(std::move(row), now, context.services.random);
    auto stored = co_await context.services.database.write([&](storage::Sql& sql) -> Result<void> {
        auto others = storage::list_keys_of_user(sql, principal.user_id, "", kMostKeys);
        if (!others) return fail(others.error());
        if (others->size() == kMostKeys)
            return fail(ErrorCode::conflict, "There are 50 keys already. Remove one first.");
        if (auto done = storage::insert_api_key(sql, made.row); !done) return done;
        return storage::write_audit(sql, {.at = now,
                                          .action = "key.created",
                                          .actor = principal.name(),
                                          .user_id = principal.user_id,
                                          .subject = made.row.id,
                                          .request_id = request.request_id});
    });
    if (!stored) co_return host_problem(stored.error(), request.request_id);
    co_return new_key_answer(key_shape(made.row), made);
}

Task<net::Response> remove_key(Context& context, net::Request& request, Principal principal) {
    if (auto refused = refuse_key(principal, request)) co_return std::move(*refused);
    const std::string id(request.path_parameter("id"));
    const auto now = context.services.clock.now();
    auto removed = co_await context.services.database.write([&](storage::Sql& sql) -> Result<void> {
        auto gone = storage::delete_key_of_user(sql, principal.user_id, id);
        if (!gone) return fail(gone.error());
        if (!*gone) return fail(ErrorCode::not_found, "There is no such key.");
        return storage::write_audit(sql, {.at = now,
                                          .action = "key.deleted",
                                          .actor = principal.name(),
                                          .user_id = principal.user_id,
                                          .subject = id,
                                          .request_id = request.request_id});
    });
    if (!removed) co_return host_problem(removed.error(), request.request_id);
    co_return net::Response::json(200, {{"success", true}, {"id", id}});
}

}  // namespace

void add_key_routes(net::Router& router, Context& context) {
    router.add({"GET", "/auth/keys", signed_in(context, list_keys),
                describe("auth", "user", "The caller's own API keys, without their secrets",
                         {kLimit, kCursor})});
    router.add({"POST", "/auth/keys", signed_in(context, make_key),
                describe_body("auth", "user", "A new API key; it is shown this once",
                              {{"name?", "string"}, {"scopes?", "array"}})});
    router.add({"DELETE", "/auth/keys/{id}", signed_in(context, remove_key),
                describe("auth", "user", "End one of the caller's keys")});
}

}  // namespace calhost::api
