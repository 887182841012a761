#include "app/offline.h"

#include "app/key_setup.h"

namespace calhost::app {

Result<boost::json::object> with_store(
    const HostOptions& options,
    const std::function<Task<Result<boost::json::object>>(connect::Services&)>& work) {
    auto place = storage::parse_storage_url(options.settings.storage_url, options.data_folder);
    if (!place) return fail(place.error());
    place->is_inline = true;
    auto store = storage::Store::open(*place);
    if (!store) return fail(store.error());
    auto ring = make_key_ring(options.settings.keys);
    if (!ring) return fail(ring.error());
    crypto::Keys keys(std::move(*ring));
    boost::asio::io_context context;
    const auto database = (*store)->database(context.get_executor());
    NoTransport transport;
    const plugin::Providers providers;
    const SystemClock clock;
    SystemTimers timers;
    crypto::SystemRandom random;
    NoCrashPoints crash_points;
    connect::Services services{*database, transport, providers, keys,
                               clock,     timers,    random,    crash_points};
    Result<boost::json::object> result = fail(ErrorCode::cancelled, "The command did not run.");
    boost::asio::co_spawn(
        context, [&]() -> Task<> { result = co_await work(services); },
        [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
    context.run();
    return result;
}

}  // namespace calhost::app
