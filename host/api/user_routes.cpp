// Users, for administrators.
#include "api/body.h"
#include "api/context.h"
#include "api/describe.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/user_shape.h"
#include "connect/jobs.h"
#include "storage/audit.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using storage::User;

net::Response no_such_user(const net::Request& request) {
    return problem(404, "not_found", "There is no such user.", request.request_id);
}

Task<net::Response> list(Context& context, net::Request& request, Principal /*admin*/) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    auto users =
        storage::list_users(context.services.database.reader(), page->after, page->limit + 1);
    if (!users) co_return host_problem(users.error(), request.request_id);
    auto next = cut(*users, *page, [](const User& user) { return user.id; });
    json::array shapes;
    for (const auto& user : *users) shapes.push_back(user_shape(user));
    co_return net::Response::json(200, {{"users", std::move(shapes)}, {"next_cursor", next}});
}

Task<net::Response> show(Context& context, net::Request& request, Principal /*admin*/) {
    auto user =
        storage::find_user(context.services.database.reader(), request.path_parameter("id"));
    if (!user) co_return host_problem(user.error(), request.request_id);
    if (!*user) co_return no_such_user(request);
    co_return net::Response::json(200, user_shape(**user));
}

storage::UserChange read_change(Body& body) {
    storage::UserChange change{.is_email_verified = body.boolean("email_verified")};
    if (const auto* role = body.find("role"); role != nullptr) change.role = body.text("role", 64);
    return change;
}

Task<net::Response> change(Context& context, net::Request& request, Principal admin) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    const auto wanted = read_change(*body);
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    const std::string id(request.path_parameter("id"));
    const auto now = context.services.clock.now();
    auto user = co_await context.services.database.write_for<std::optional<User>>(
        [&](storage::Sql& sql) -> Result<std::optional<User>> {
            auto changed = storage::change_user(sql, id, wanted);
            if (!changed || !*changed) return changed;
            auto told = storage::write_audit(sql, {.at = now,
                                                   .action = "user.changed",
                                                   .actor = admin.name(),
                                                   .user_id = id,
                                                   .subject = id,
                                                   .request_id = request.request_id});
            if (!told) return fail(told.error());
            if (!wanted.is_email_verified.value_or(false)) return changed;
            // Bookings may wait for the person behind this address.
            if (auto queued = connect::enqueue_bookings(sql, id, now); !queued)
                return fail(queued.error());
            return changed;
        });
    if (!user) co_return host_problem(user.error(), request.request_id);
    if (!*user) co_return no_such_user(request);
    context.wake_jobs();
    co_return net::Response::json(200, user_shape(**user));
}

}  // namespace

void add_user_routes(net::Router& router, Context& context) {
    const std::string all = "/api/admin/users";
    const std::string one = all + "/{id}";
    router.add({"GET", all, for_admin(context, list),
                describe("admin", "admin", "The users of this host", {kLimit, kCursor})});
    router.add({"GET", one, for_admin(context, show), describe("admin", "admin", "A user")});
    router.add({"PATCH", one, for_admin(context, change),
                describe_body("admin", "admin", "Give a role, or say that the address is his",
                              {{"role?", "string"}, {"email_verified?", "boolean"}})});
}

}  // namespace calhost::api
