// What anyone may read: liveness, the contract, the providers on offer.
#include "api/context.h"
#include "api/describe.h"
#include "api/pages.h"
#include "api/shapes.h"
#include "base/json.h"
#include "net/openapi.h"

namespace calhost::api {
namespace {

Task<net::Response> list_providers(Context& context, net::Request& /*request*/) {
    json::array list;
    for (const auto& [name, provider] : context.services.providers.all())
        list.push_back(provider_shape(provider->info()));
    co_return net::Response::json(200, {{"providers", std::move(list)}});
}

Task<net::Response> alive(net::Request& /*request*/) {
    co_return net::Response::json(200, {{"status", "ok"}});
}

Task<net::Response> answer_with(std::string text) {
    co_return net::Response::json_text(std::move(text));
}

/// Built at the first question, when every route is there, and kept: anyone may ask for it.
net::Handler contract(Context& context, const net::Router& router) {
    return [&context, &router, text = std::string()](net::Request&) mutable {
        if (text.empty())
            text = json::serialize(net::build_openapi(router, "calhost", context.options.version));
        return answer_with(text);
    };
}

Task<net::Response> landing(net::Request& request) { co_return landing_page(request); }

}  // namespace

void add_open_routes(net::Router& router, Context& context) {
    router.add({"GET", "/api/providers", open_to_all(context, list_providers),
                describe("connections", "open", "The providers on offer")});
    router.add({"GET", "/healthz", alive, describe("operation", "open", "Is the host alive")});
    router.add({"GET", "/openapi.json", open_to_all(context, contract(context, router)),
                describe("operation", "open", "This contract")});
    if (context.options.frontend_url != context.options.public_url) return;
    // Without a frontend the default redirects lead here.
    for (const auto* path : {"/", "/dashboard", "/dashboard/mentor", "/calls"})
        router.add({"GET", path, open_to_all(context, landing),
                    describe("pages", "open", "Where people land after connecting")});
}

}  // namespace calhost::api
