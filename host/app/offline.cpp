#include "app/offline.h"

#include "app/key_setup.h"
#include "net/client.h"

namespace calhost::app {
namespace {

/// What is outside of the store: made for the loop on which the work runs.
struct Surroundings {
    SystemClock clock;
    SystemTimers timers;
    crypto::SystemRandom random;
    std::unique_ptr<net::Transport> transport = std::make_unique<NoTransport>();
    plugin::Providers providers;
};

Result<boost::json::object> run(const HostOptions& options, boost::asio::io_context& context,
                                Surroundings& around, const OfflineWork& work) {
    auto place = storage::parse_storage_url(options.settings.storage_url, options.data_folder);
    if (!place) return fail(place.error());
    place->is_inline = true;
    auto store = storage::Store::open(*place);
    if (!store) return fail(store.error());
    auto ring = make_key_ring(options.settings.keys);
    if (!ring) return fail(ring.error());
    crypto::Keys keys(std::move(*ring));
    const auto database = (*store)->database(context.get_executor());
    NoCrashPoints crash_points;
    connect::Services services{*database,    *around.transport, around.providers, keys,
                               around.clock, around.timers,     around.random,    crash_points};
    Result<boost::json::object> result = fail(ErrorCode::cancelled, "The command did not run.");
    boost::asio::co_spawn(
        context, [&]() -> Task<> { result = co_await work(services); },
        [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
    context.run();
    return result;
}

}  // namespace

Result<boost::json::object> with_store(const HostOptions& options, const OfflineWork& work) {
    boost::asio::io_context context;
    Surroundings around;
    return run(options, context, around, work);
}

Result<boost::json::object> with_providers(const HostOptions& options, const OfflineWork& work) {
    boost::asio::io_context context;
    Surroundings around;
    around.transport = net::make_http_client(
        context.get_executor(), {.allow_private = options.settings.allow_private},
        net::make_system_resolver(context.get_executor()), around.clock, around.timers);
    auto providers =
        plugin::Providers::load(plugin::discover(options.settings, around.clock),
                                {*around.transport, around.clock, around.timers, around.random});
    if (!providers) return fail(providers.error());
    around.providers = std::move(*providers);
    return run(options, context, around, work);
}

}  // namespace calhost::app
