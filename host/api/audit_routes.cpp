// What happened, and who did it.
#include "api/context.h"
#include "api/describe.h"
#include "api/page.h"
#include "api/problem.h"
#include "storage/audit.h"

namespace calhost::api {
namespace {

using accounts::Principal;
using storage::AuditEntry;

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object entry_shape(const AuditEntry& entry) {
    auto details = json::parse(entry.details);
    return {{"id", entry.number},
            {"at", format_rfc3339(entry.at)},
            {"action", entry.action},
            {"actor", entry.actor},
            {"user_id", text_or_null(entry.user_id)},
            {"subject", text_or_null(entry.subject)},
            {"details", details ? std::move(*details) : json::value(json::object())},
            {"request_id", text_or_null(entry.request_id)}};
}

Task<net::Response> list(Context& context, net::Request& request, storage::AuditFilter filter) {
    const auto page = read_page(request, PageKey::number);
    if (!page) co_return page.error();
    filter.before = page->after_number();
    auto entries = storage::list_audit(context.services.database.reader(), filter, page->limit + 1);
    if (!entries) co_return host_problem(entries.error(), request.request_id);
    auto next =
        cut(*entries, *page, [](const AuditEntry& entry) { return std::to_string(entry.number); });
    json::array shapes;
    for (const auto& entry : *entries) shapes.push_back(entry_shape(entry));
    co_return net::Response::json(
        200, {{"entries", std::move(shapes)}, {"next_cursor", std::move(next)}});
}

Task<net::Response> own(Context& context, net::Request& request, Principal principal) {
    return list(context, request, {.user_id = std::move(principal.user_id)});
}

Task<net::Response> everybodys(Context& context, net::Request& request, Principal /*admin*/) {
    return list(context, request,
                {.user_id = std::string(request.query.get("user")),
                 .action = std::string(request.query.get("action"))});
}

}  // namespace

void add_audit_routes(net::Router& router, Context& context) {
    router.add({"GET", "/api/audit", signed_in(context, own),
                describe("audit", "user", "What happened to the caller's account, newest first",
                         {{"limit", "1 to 200"}, {"cursor", "next_cursor of the page before"}})});
    router.add({"GET", "/api/admin/audit", for_admin(context, everybodys),
                describe("admin", "admin", "What happened to whom, newest first",
                         {{"user", "id of the user that it is about"},
                          {"action", "such as connection.created"},
                          {"limit", "1 to 200"},
                          {"cursor", "next_cursor of the page before"}})});
}

}  // namespace calhost::api
