// Coming back from the provider.
#include "api/begin.h"
#include "api/describe.h"
#include "api/pages.h"
#include "api/problem.h"

namespace calhost::api {
namespace {

bool is_provider_fault(const connect::FlowFailure& failure) {
    return failure.word == "provider_unavailable" || failure.word == "invalid_response";
}

int status_of(const connect::FlowFailure& failure) {
    if (is_provider_fault(failure)) return failure.error.code == ErrorCode::timeout ? 504 : 502;
    if (failure.word == "provider_not_configured") return 500;
    if (failure.word == "storage_unavailable") return 503;
    if (failure.word == "missing_permission" || failure.word == "access_denied") return 403;
    return 400;
}

/// Programs get a problem. A person is sent back to the frontend once it is known whose flow it
/// was; before that there is nowhere to send him.
net::Response failed(Context& context, const net::Request& request,
                     const connect::FlowFailure& failure) {
    const int status = status_of(failure);
    const bool is_program =
        !prefers_html(request) && request.headers.get("Accept").contains("application/json");
    if (!is_program && !failure.user_id.empty() && !is_provider_fault(failure)) {
        storage::Connection nothing;
        nothing.user_id = failure.user_id;
        return net::Response::redirect(
            landing_url(context, nothing, failure.return_to, "error", failure.word));
    }
    if (prefers_html(request))
        return problem_page(status, "Calendar not connected", failure.error.message);
    return problem(status, failure.word, failure.error.message, request.request_id);
}

net::Response connected(Context& context, const connect::Connected& outcome) {
    context.wake_jobs();
    return net::Response::redirect(
        landing_url(context, outcome.connection, outcome.return_to, "connected", "success"));
}

Task<net::Response> callback(Context& context, net::Request& request) {
    connect::Callback callback{
        .path = request.path,
        .state = std::string(request.query.get("state")),
        .code = std::string(request.query.get("code")),
        .error = std::string(request.query.get("error")),
        .issuer = std::string(request.query.get("iss")),
        .cookie = [&request](const std::string& name) { return std::string(request.cookie(name)); },
        .request_id = request.request_id};
    auto finished = co_await context.flow.finish(std::move(callback));
    if (!finished) co_return failed(context, request, finished.error());
    if (const auto* outcome = std::get_if<connect::Connected>(&*finished))
        co_return connected(context, *outcome);
    const auto& question = std::get<connect::NeedsConfirmation>(*finished);
    auto user = context.accounts.find(question.user_id);
    if (!user) co_return host_problem(user.error(), request.request_id);
    co_return confirmation_page(context.options, question, user->email);
}

Task<net::Response> confirm(Context& context, net::Request& request) {
    const auto form = request.form();
    if (!form || form->get("token").empty())
        co_return problem(400, "invalid_form", "The form cannot be read.", request.request_id);
    auto outcome = co_await context.flow.confirm(std::string(form->get("token")),
                                                 form->get("answer") == "yes", request.request_id);
    if (!outcome) co_return failed(context, request, outcome.error());
    co_return connected(context, *outcome);
}

/// The path of an absolute URL.
std::string path_of(const std::string& url) {
    const auto slash = url.find('/', url.find("://") + 3);
    return slash == std::string::npos ? "/"
                                      : url.substr(slash, url.find_first_of("?#", slash) - slash);
}

}  // namespace

void add_callback_routes(net::Router& router, Context& context) {
    std::vector<std::string> paths{"/api/calendar/callback", "/oauth/callback",
                                   "/api/integrations/google/callback"};
    for (const auto& [name, provider] : context.services.providers.all()) {
        const auto path = path_of(context.flow.redirect_uri(provider->info()));
        if (!path.starts_with("/api/calendar/callback/") &&
            std::ranges::find(paths, path) == paths.end())
            paths.push_back(path);
    }
    paths.emplace_back("/api/calendar/callback/{provider}");
    for (const auto& path : paths)
        router.add({"GET", path, open_to_all(context, callback),
                    describe("connections", "open", "Where the provider sends people back to",
                             {{"state", "as it was sent"},
                              {"code", "of the grant"},
                              {"error", "why there is none"},
                              {"iss", "RFC 9207"}})});
    router.add({"POST", "/api/calendar/connect/confirm", open_to_all(context, confirm),
                describe("connections", "open", "The answer on the confirmation page")});
}

}  // namespace calhost::api
