#include "app/worker.h"

#include <fmt/format.h>

#include "booking/writer.h"
#include "connect/revocation.h"
#include "storage/expired.h"
#include "sync/polls.h"

namespace calhost::app {
namespace {

constexpr std::chrono::hours kCleanUp{1};

api::ApiOptions api_options(const Shared& shared) {
    const auto& server = shared.settings.server;
    auto origins = server.allowed_origins;
    // The frontend's origin: its address without a path.
    const auto scheme = server.frontend_url.find("://");
    if (scheme != std::string::npos)
        origins.push_back(server.frontend_url.substr(0, server.frontend_url.find('/', scheme + 3)));
    return {.version = shared.version,
            .public_url = server.public_url,
            .frontend_url = server.frontend_url,
            .allowed_origins = std::move(origins),
            .requests_per_second = server.requests_per_second};
}

}  // namespace

sync::SyncOptions sync_options(const config::Settings& settings) {
    sync::SyncOptions options{.interval = settings.sync.interval};
    // Availability is asked for up to a year ahead, however little of it is copied.
    options.lookahead =
        std::max(options.lookahead, std::chrono::days{settings.sync.lookahead_days});
    return options;
}

jobs::RunnerOptions runner_options(const config::Settings& settings) {
    jobs::RunnerOptions options;
    for (const auto& [provider, pace] : settings.pace) {
        const jobs::Pace lane{pace.per_second, pace.burst};
        const jobs::Pace connection{pace.connection_per_second, pace.connection_burst};
        if (provider == config::kDefaultPace) {
            options.pace.lane = lane;
            options.pace.connection = connection;
        } else {
            options.pace.lanes[provider] = lane;
            options.pace.connections_of_lane[provider] = connection;
        }
    }
    return options;
}

Result<std::unique_ptr<Worker>> Worker::create(Executor executor, const Shared& shared,
                                               Outside outside, sync::Homes& homes) {
    std::unique_ptr<Worker> worker(new Worker(executor, shared, homes));
    if (auto built = worker->build(outside); !built) return fail(built.error());
    return worker;
}

Result<void> Worker::build(Outside outside) {
    const auto& settings = shared_->settings;
    database_ = shared_->store.database(executor_);
    const plugin::Environment environment{outside.transport, outside.clock, outside.timers,
                                          outside.random};
    auto providers = plugin::Providers::load(shared_->installed, environment);
    if (!providers) return fail(providers.error());
    providers_ = std::move(*providers);
    auto rules = plugin::Rules::load(shared_->installed.rules, outside.clock);
    if (!rules) return fail(rules.error());
    rules_ = std::move(*rules);
    powers_ = std::make_unique<PluginPowers>(*database_, *homes_, outside.mailer);
    auto plugins =
        plugin::Plugins::load(shared_->installed.plugins, environment, *database_, *powers_);
    if (!plugins) return fail(plugins.error());
    plugins_ = std::move(*plugins);
    services_ = std::make_unique<connect::Services>(
        connect::Services{*database_, outside.transport, providers_, shared_->keys, outside.clock,
                          outside.timers, outside.random, outside.crash_points, plugins_.get()});
    services_->rules = rules_.get();
    keeper_ = std::make_unique<connect::TokenKeeper>(*services_);
    auto syncing = sync_options(settings);
    syncing.on_finished = [&metrics = shared_->metrics](bool is_good) {
        metrics.count_sync(is_good);
    };
    syncing.on_gone = [&clock = outside.clock](storage::Sql& sql,
                                               const storage::Connection& connection,
                                               const std::vector<std::string>& ids,
                                               const std::optional<calendar::Window>& whole) {
        return booking::note_gone(sql, connection, ids, whole, clock.now());
    };
    puller_ = std::make_unique<sync::Puller>(*services_, *keeper_, std::move(syncing));
    auto signer = crypto::TokenSigner::create(settings.auth.jwt_secret);
    if (!signer) return fail(signer.error());
    accounts_ = std::make_unique<accounts::Accounts>(
        *database_, shared_->hasher, shared_->throttle, std::move(*signer), outside.clock,
        outside.random,
        accounts::AccountOptions{.issuer = settings.server.public_url,
                                 .registration = settings.auth.registration,
                                 .self_service_roles = settings.auth.self_service_roles});
    flow_ = std::make_unique<connect::OauthFlow>(
        *services_, connect::FlowOptions{settings.server.public_url, settings.connect_unbound});
    powers_->use(*services_, *flow_);
    auto options = api_options(*shared_);
    const double rate = options.requests_per_second;
    context_ = std::make_unique<api::Context>(api::Context{*services_,
                                                           *accounts_,
                                                           *flow_,
                                                           *rules_,
                                                           *homes_,
                                                           shared_->throttle,
                                                           std::move(options),
                                                           api::Limits(rate, outside.clock),
                                                           [] {},
                                                           {}});
    api_ = std::make_unique<api::Api>(*context_);
    if (auto added = api_->add_plugins(); !added) return added;
    listen_to_changes();
    return {};
}

void Worker::listen_to_changes() {
    database_->on_change([this](const storage::Change& change) {
        api_->on_change(change);
        if (change.table == "connections") keeper_->forget(change.id);
    });
}

Task<net::Response> Worker::handle(net::Request& request) {
    auto response = co_await api_->handle(request);
    shared_->metrics.count_request(response.status);
    co_return response;
}

sync::Home Worker::home() { return {executor_, services_.get(), keeper_.get(), puller_.get()}; }

void Worker::run_jobs_with(jobs::Runner& runner) {
    runner.on(std::string(connect::kSyncJob), [this](const storage::Job& job) {
        return homes_->run<Result<void>>(job.target, [job](const sync::Home& home) {
            return sync::run_sync_job(*home.puller, job);
        });
    });
    runner.on(std::string(booking::kBookingJob),
              [this](const storage::Job& job) {
                  return homes_->run<Result<void>>(
                      job.connection_id, [job](const sync::Home& home) {
                          return booking::run_booking_job(*home.services, *home.keeper, job);
                      });
              },
              {.is_paced = true});
    runner.on(std::string(connect::kBookingsJob), [this](const storage::Job& job) {
        return booking::run_bookings_job(*services_, job.target);
    });
    runner.on(std::string(connect::kRevokeJob),
              [this](const storage::Job& job) { return connect::run_revocation(*services_, job); });
    runner.on(std::string(plugin::kHookJob),
              [this](const storage::Job& job) { return plugins_->run_hook(job); });
    runner.on(std::string(connect::kPendingGrantJob),
              [this](const storage::Job& job) { return flow_->revoke_pending(job.target); });
    schedules_ =
        std::make_unique<jobs::Schedules>(runner, *database_, services_->clock, services_->random);
    add_schedules();
}

void Worker::add_schedules() {
    const auto polls = sync_options(shared_->settings);
    if (polls.interval.count() > 0)
        schedules_->add("polls", polls.interval,
                        [this, polls] { return sync::plan_missing_polls(*services_, polls); });
    schedules_->add("clean_up", kCleanUp, [this]() -> Task<Result<void>> {
        const auto now = services_->clock.now();
        auto deleted = co_await database_->write_for<std::int64_t>(
            [now](storage::Sql& sql) { return storage::delete_expired(sql, now); });
        co_return deleted ? Result<void>() : fail(deleted.error());
    });
    for (const auto& [plugin, loaded] : plugins_->all())
        for (const auto& [name, every] : loaded->info().schedules)
            schedules_->add(fmt::format("plugins/{}/{}", plugin, name), every,
                            [this, plugin, name] { return plugins_->run_schedule(plugin, name); });
}

}  // namespace calhost::app
