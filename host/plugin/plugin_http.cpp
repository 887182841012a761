// `ctx.http` of a plugin: one attempt, no credentials of the host's, to the hosts that the operator
// named. A hook that fails runs again as a whole, so nothing is repeated here.
#include <fmt/format.h>

#include "net/url.h"
#include "plugin/http_object.h"
#include "plugin/http_options.h"
#include "plugin/plugin_context.h"

namespace calhost::plugin {
namespace {

constexpr milliseconds kPluginTimeout{10'000};

struct Way {
    Environment environment;
    std::string plugin;
    std::set<std::string> origins;
};

Task<Result<lua::Push>> refuse(Error error) { co_return fail(std::move(error)); }

Task<Result<lua::Push>> run(std::shared_ptr<const Way> way, net::ClientRequest request) {
    auto answer = co_await way->environment.transport.send(std::move(request));
    if (!answer) co_return fail(answer.error());
    co_return push_http_answer(std::move(*answer), way->environment.clock.now());
}

/// Reads the arguments while they are there, then waits.
Task<Result<lua::Push>> begin(std::shared_ptr<const Way> way, std::string method,
                              std::string_view address, const lua::Reader& options) {
    const auto url = net::Url::parse(address);
    if (!url)
        return refuse(
            {ErrorCode::invalid, fmt::format("plugin {} asked for something that is no URL; write "
                                             "ctx.http:get(\"https://…\"), with a colon",
                                             way->plugin)});
    if (!way->origins.contains(url->origin()))
        return refuse({ErrorCode::forbidden,
                       fmt::format("plugin {} may not call {}; the operator can name it under "
                                   "plugins.{}.hosts",
                                   way->plugin, url->authority(), way->plugin)});
    net::ClientRequest request;
    request.method = std::move(method);
    request.url = address;
    request.timeout = kPluginTimeout;
    if (auto read = read_options(options, request); !read) return refuse(read.error());
    return run(std::move(way), std::move(request));
}

}  // namespace

lua::Ref make_plugin_http(lua::State& state, Environment environment, std::string plugin,
                          std::set<std::string> origins) {
    const auto way =
        std::make_shared<const Way>(Way{environment, std::move(plugin), std::move(origins)});
    return state.make_table([&](lua::Table& table) {
        for (const auto& [name, method] : kHttpVerbs)
            table.waiting(name, [way, verb = std::string(method)](lua::Call& call) {
                check_options(call, 3, HttpCallForm::verb);
                return begin(way, verb, call.argument(2).string(), call.argument(3));
            });
        table.waiting("request", [way](lua::Call& call) {
            check_options(call, 2, HttpCallForm::request);
            const auto options = call.argument(2);
            return begin(way, std::string(options.string_field("method")),
                         options.string_field("url"), options);
        });
    });
}

}  // namespace calhost::plugin
