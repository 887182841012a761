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

Task<net::Response> contract(Context& context, const net::Router& router) {
    co_return net::Response::json(200,
                                  net::build_openapi(router, "calhost", context.options.version));
}

Task<net::Response> landing(net::Request& request) { co_return landing_page(request); }

}  // namespace

void add_open_routes(net::Router& router, Context& context) {
    router.add({"GET", "/api/providers",
                open_to_all(
                    context,
                    [&context](net::Request& request) { return list_providers(context, request); }),
                describe("connections", "open", "The providers on offer")});
    router.add({"GET", "/healthz", alive, describe("operation", "open", "Is the host alive")});
    router.add({"GET", "/openapi.json",
                open_to_all(context, [&context, &router](
                                         net::Request&) { return contract(context, router); }),
                describe("operation", "open", "This contract")});
    if (context.options.frontend_url != context.options.public_url) return;
    // Without a frontend the default redirects lead here.
    for (const auto* path : {"/", "/dashboard", "/dashboard/mentor", "/calls"})
        router.add({"GET", path, open_to_all(context, landing),
                    describe("pages", "open", "Where people land after connecting")});
}

}  // namespace calhost::api
