/// One worker: a thread's worth of rooms on its own io_context.
#pragma once

#include <functional>
#include <memory>

#include "accounts/accounts.h"
#include "api/context.h"
#include "api/metrics.h"
#include "app/plugin_powers.h"
#include "config/settings.h"
#include "connect/token_keeper.h"
#include "crypto/keys.h"
#include "jobs/schedule.h"
#include "net/client.h"
#include "net/mail.h"
#include "net/server.h"
#include "plugin/discovery.h"
#include "storage/store.h"
#include "sync/homes.h"

namespace calhost::app {

/// What the workers of one host share. *Thread*: its members are safe to share.
struct Shared {
    config::Settings settings;
    storage::Store& store;
    crypto::Keys& keys;
    const plugin::Installed& installed;
    accounts::Hasher& hasher;
    accounts::Throttle& throttle;
    api::Metrics& metrics;
    std::string version;
};

/// Where the rooms' outside comes from; the simulation gives its own.
struct Outside {
    net::Transport& transport;
    const Clock& clock;
    Timers& timers;
    Random& random;
    CrashPoints& crash_points;
    net::Mailer* mailer = nullptr;  ///< null: no mail server
};

/// *Thread*: its own; built on the main thread before that runs.
/// Clean-up: the io_context is stopped or drained first, so that no coroutine is inside.
class Worker {
  public:
    /// *Errors*: misconfigured: a provider, a rule or the token secret cannot be loaded.
    static Result<std::unique_ptr<Worker>> create(Executor executor, const Shared& shared,
                                                  Outside outside, sync::Homes& homes);

    /// Serves one request of the API.
    Task<net::Response> handle(net::Request& request);
    net::Router& router() { return api_->router(); }
    [[nodiscard]] sync::Home home();
    /// Registers what jobs and schedules do. Called for the worker that runs them.
    void run_jobs_with(jobs::Runner& runner);
    /// What happens again and again; after `run_jobs_with`.
    jobs::Schedules& schedules() { return *schedules_; }
    void set_wake(std::function<void()> wake) { context_->wake_jobs = std::move(wake); }

    connect::Services& services() { return *services_; }
    connect::TokenKeeper& keeper() { return *keeper_; }
    sync::Puller& puller() { return *puller_; }
    connect::OauthFlow& flow() { return *flow_; }
    accounts::Accounts& accounts() { return *accounts_; }
    storage::Database& database() { return *database_; }
    api::Context& context() { return *context_; }

  private:
    Worker(Executor executor, const Shared& shared, sync::Homes& homes)
        : executor_(executor), shared_(&shared), homes_(&homes) {}
    Result<void> build(Outside outside);
    void listen_to_changes();
    void add_schedules();

    Executor executor_;
    const Shared* shared_;
    sync::Homes* homes_;
    std::unique_ptr<storage::Database> database_;
    plugin::Providers providers_;
    std::unique_ptr<plugin::Rules> rules_;
    std::unique_ptr<PluginPowers> powers_;
    std::unique_ptr<plugin::Plugins> plugins_;
    std::unique_ptr<connect::Services> services_;
    std::unique_ptr<connect::TokenKeeper> keeper_;
    std::unique_ptr<sync::Puller> puller_;
    std::unique_ptr<accounts::Accounts> accounts_;
    std::unique_ptr<connect::OauthFlow> flow_;
    std::unique_ptr<api::Context> context_;
    std::unique_ptr<api::Api> api_;
    std::unique_ptr<jobs::Schedules> schedules_;
};

/// The sync options that the settings mean.
sync::SyncOptions sync_options(const config::Settings& settings);
/// How the settings want jobs to be run.
jobs::RunnerOptions runner_options(const config::Settings& settings);

}  // namespace calhost::app
