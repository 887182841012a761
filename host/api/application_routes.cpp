// Applications, for administrators.
#include "accounts/applications.h"
#include "api/body.h"
#include "api/context.h"
#include "api/describe.h"
#include "api/key_shape.h"
#include "api/page.h"
#include "api/problem.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using storage::Application;

constexpr std::size_t kMostProviders = 50;

accounts::Applications applications_of(Context& context) {
    auto& services = context.services;
    return {services.database, services.keys, services.clock, services.random};
}

json::object application_shape(const Application& application) {
    return {{"id", application.id},
            {"name", application.name},
            {"has_webhook_secret", !application.sealed_webhook_secret.empty()},
            {"created_at", format_rfc3339(application.created_at)}};
}

Task<net::Response> list(Context& context, net::Request& request, Principal /*admin*/) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    auto rows = storage::list_applications(context.services.database.reader(), page->after,
                                           page->limit + 1);
    if (!rows) co_return host_problem(rows.error(), request.request_id);
    auto next = cut(*rows, *page, [](const Application& row) { return row.id; });
    json::array shapes;
    for (const auto& row : *rows) shapes.push_back(application_shape(row));
    co_return net::Response::json(200,
                                  {{"applications", std::move(shapes)}, {"next_cursor", next}});
}

Task<net::Response> show(Context& context, net::Request& request, Principal /*admin*/) {
    auto& sql = context.services.database.reader();
    auto row = storage::find_application(sql, request.path_parameter("id"));
    if (!row) co_return host_problem(row.error(), request.request_id);
    if (!*row)
        co_return problem(404, "not_found", "There is no such application.", request.request_id);
    auto keys = storage::list_keys_of_application(sql, (*row)->id);
    if (!keys) co_return host_problem(keys.error(), request.request_id);
    json::array shapes;
    for (const auto& key : *keys) shapes.push_back(key_shape(key));
    auto shape = application_shape(**row);
    shape["keys"] = std::move(shapes);
    co_return net::Response::json(200, shape);
}

Task<net::Response> add(Context& context, net::Request& request, Principal admin) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    accounts::ApplicationPlan plan{
        .name = body->required_text("name", 64),
        .scopes = body->texts("scopes", accounts::application_scopes().size(), 64)
                      .value_or(std::vector<std::string>{}),
        .providers =
            body->texts("providers", kMostProviders, 64).value_or(std::vector<std::string>{})};
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    if (const auto wrong = accounts::check(plan); !wrong.empty())
        co_return invalid_fields(wrong, request.request_id);
    auto made =
        co_await applications_of(context).add(std::move(plan), {admin.name(), request.request_id});
    if (!made) co_return host_problem(made.error(), request.request_id);
    auto shape = application_shape(made->application);
    shape["keys"] = json::array{key_shape(made->key.row)};
    co_return new_key_answer(std::move(shape), made->key);
}

Task<net::Response> remove(Context& context, net::Request& request, Principal admin) {
    const std::string id(request.path_parameter("id"));
    auto removed = co_await applications_of(context).remove(id, {admin.name(), request.request_id});
    if (!removed) co_return host_problem(removed.error(), request.request_id);
    co_return net::Response::json(200, {{"success", true}, {"id", id}});
}

}  // namespace

void add_application_routes(net::Router& router, Context& context) {
    const std::string all = "/api/admin/applications";
    const std::string one = all + "/{id}";
    router.add({"GET", all, for_admin(context, list),
                describe("admin", "admin", "The applications", {kLimit, kCursor})});
    router.add({"GET", one, for_admin(context, show),
                describe("admin", "admin", "An application and its keys, without their secrets")});
    router.add({"POST", all, for_admin(context, add),
                describe_body("admin", "admin", "A new application; its key is shown this once",
                              {{"name", "string"}, {"scopes", "array"}, {"providers?", "array"}})});
    router.add({"DELETE", one, for_admin(context, remove),
                describe("admin", "admin", "End an application, its keys and its bookings")});
}

}  // namespace calhost::api
