#include "app/host.h"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "api/operations.h"
#include "api/problem.h"
#include "app/check.h"
#include "app/control_socket.h"
#include "app/jobs_command.h"
#include "app/key_setup.h"
#include "app/loop.h"
#include "app/people_command.h"
#include "app/plan_command.h"
#include "app/provider_command.h"
#include "app/recovery.h"
#include "app/rotate.h"
#include "app/sandbox_mount.h"
#include "base/json.h"
#include "base/log.h"

namespace calhost::app {
namespace {

namespace asio = boost::asio;

/// Kills the process at the point that CALHOST_CRASH_AT names, for tests of what survives.
class EnvironmentCrashPoints final : public CrashPoints {
  public:
    EnvironmentCrashPoints() {
        if (const char* name = std::getenv("CALHOST_CRASH_AT")) name_ = name;
    }
    Task<> reach(std::string_view name) override {
        if (!name_.empty() && name == name_) raise(SIGKILL);
        co_return;
    }

  private:
    std::string name_;
};

net::Response server_problem(int status, const std::string& code, const std::string& detail,
                             const std::string& request_id) {
    auto response = api::problem(status, code, detail, request_id);
    if (status == 503) response.headers.set("Retry-After", "1");
    return response;
}

/// A worker's thread with what only it uses.
struct Station {
    // The rooms outlive the io_context: coroutines that it still holds at the end refer to them.
    // What has sockets goes before it.
    SystemClock clock;
    SystemTimers timers;
    crypto::SystemRandom random;
    std::unique_ptr<Worker> worker;
    asio::io_context context{1};
    std::unique_ptr<net::Transport> transport;
    std::unique_ptr<net::Server> server;
};

net::ServerOptions server_options(const config::Server& settings, const net::Endpoint& listen) {
    net::ServerOptions options{
        .listen = listen,
        .trusted_proxies = settings.trusted_proxies,
        .secret_behind = {std::string(api::kLinks), std::string(api::kFeeds)}};
    if (!settings.tls_certificate.empty())
        options.tls = net::TlsFiles{settings.tls_certificate, settings.tls_key};
    return options;
}

std::unique_ptr<net::Mailer> make_mailer(const config::Mail& settings, const Clock& clock) {
    const auto from = parse_mail_address(settings.from);
    if (settings.url.empty() || !from) return nullptr;
    return net::make_smtp_mailer({.url = settings.url,
                                  .username = settings.username,
                                  .password = settings.password,
                                  .from = *from},
                                 clock);
}

int worker_count(const config::Settings& settings) {
    if (settings.server.workers > 0) return settings.server.workers;
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace

struct Host::Impl {
    HostOptions options;
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<crypto::Keys> keys;
    plugin::Installed installed;
    std::unique_ptr<accounts::Hasher> hasher = accounts::make_thread_hasher();
    SystemClock clock;
    std::unique_ptr<net::Mailer> mailer;  ///< null: no mail server
    accounts::Throttle throttle{clock};
    api::Metrics metrics;
    EnvironmentCrashPoints crash_points;
    std::shared_ptr<net::ServerCounts> counts = net::make_server_counts();
    std::unique_ptr<Shared> shared;
    sync::Homes homes;
    std::vector<std::unique_ptr<Station>> stations;
    std::unique_ptr<SandboxMount> sandbox;
    std::unique_ptr<jobs::Runner> runner;
    std::unique_ptr<net::Server> operations;
    std::unique_ptr<ControlSocket> control;
    std::vector<std::thread> threads;
    std::atomic<bool> is_stopping = false;
    std::atomic<int> running = 0;  ///< servers and the job runner

    Result<void> start();
    Result<void> listen();
    Result<void> build_workers();
    Result<void> open_operations();
    void add_commands();
    Task<Result<json::object>> check_account(CheckQuestion question);
    Result<void> plan_work();
    void run();
    Task<> shut_down_on_signal();
    Task<> shut_down();
    void ended();
    void end_loops();
    void close_threads();
    void leave();
    ~Impl() { close_threads(); }
    Station& first() { return *stations.front(); }
};

Result<void> Host::Impl::start() {
    const auto url = storage::parse_storage_url(options.settings.storage_url, options.data_folder);
    if (!url) return fail(url.error());
    auto opened = storage::Store::open(*url);
    if (!opened) return fail(opened.error());
    store = std::move(*opened);
    if (auto done = listen(); !done) return done;
    if (options.is_sandbox) {
        sandbox = std::make_unique<SandboxMount>(options, first().context.get_executor(),
                                                 first().clock, first().timers, first().random);
        point_providers_at_sandbox(options.settings);
    }
    auto ring = make_key_ring(options.settings.keys);
    if (!ring) return fail(ring.error());
    if (auto needed = check_retired_keys(*store, *ring); !needed) return needed;
    keys = std::make_unique<crypto::Keys>(std::move(*ring));
    installed = plugin::discover(options.settings, first().clock);
    for (const auto& complaint : installed.complaints) {
        if (complaint.is_error) return fail(ErrorCode::misconfigured, complaint.to_string());
        log::warning("The configuration has a doubtful place.",
                     {{"complaint", complaint.to_string()}});
    }
    mailer = make_mailer(options.settings.mail, clock);
    if (auto done = build_workers(); !done) return done;
    if (auto done = open_operations(); !done) return done;
    if (auto done = plan_work(); !done) return done;
    control = std::make_unique<ControlSocket>(first().context.get_executor(),
                                              options.data_folder / "control.sock");
    add_commands();
    return control->open();
}

/// Binds before anything else is built: with port 0 the addresses in the settings depend on it.
Result<void> Host::Impl::listen() {
    auto& settings = options.settings.server;
    auto endpoint = net::Endpoint::parse(settings.listen);
    if (!endpoint) return fail(endpoint.error());
    const auto asked_port = endpoint->port;
    if (auto unused = net::check_unused(*endpoint); !unused) return unused;
    if (const auto doubt = check_certificate(settings, clock.now()))
        log::warning("The TLS certificate needs attention.", {{"certificate", doubt->message}});
    const int count = worker_count(options.settings);
    for (int i = 0; i < count; ++i) {
        auto station = std::make_unique<Station>();
        auto* raw = station.get();
        const auto handle = [raw](net::Request& request) { return raw->worker->handle(request); };
        station->server = std::make_unique<net::Server>(
            station->context.get_executor(), server_options(settings, *endpoint), handle,
            server_problem, station->clock, station->timers, station->random, counts);
        if (auto opened = station->server->open(); !opened) return opened;
        endpoint->port = station->server->port();
        stations.push_back(std::move(station));
    }
    const auto replace_port = [&](std::string& url) {
        if (asked_port == 0 && url.ends_with(":0"))
            url.replace(url.size() - 1, 1, std::to_string(endpoint->port));
    };
    replace_port(settings.public_url);
    replace_port(settings.frontend_url);
    return {};
}

Result<void> Host::Impl::build_workers() {
    shared = std::make_unique<Shared>(Shared{options.settings, *store, *keys, installed, *hasher,
                                             throttle, metrics, std::string(kVersion)});
    for (auto& station : stations) {
        const auto executor = station->context.get_executor();
        station->transport = net::make_http_client(
            executor, {.allow_private = options.settings.allow_private},
            net::make_system_resolver(executor), station->clock, station->timers);
        auto worker = Worker::create(executor, *shared,
                                     {*station->transport, station->clock, station->timers,
                                      station->random, crash_points, mailer.get()},
                                     homes);
        if (!worker) return fail(worker.error());
        station->worker = std::move(*worker);
        homes.add(station->worker->home());
        if (sandbox) sandbox->mount(station->worker->router(), station->worker->context());
    }
    auto& chief = *first().worker;
    runner = std::make_unique<jobs::Runner>(chief.database(), first().clock, first().timers,
                                            first().random, runner_options(options.settings));
    chief.run_jobs_with(*runner);
    for (auto& station : stations)
        station->worker->set_wake(
            [this] { asio::post(first().context, [this] { runner->wake(); }); });
    return {};
}

void Host::Impl::add_commands() {
    auto& services = first().worker->services();
    control->on("keys.rotate",
                [this, &services](const json::object&) { return rotate_keys(options, services); });
    control->on("keys.list", [&services](const json::object&) -> Task<Result<json::object>> {
        co_return count_keys(services.database.reader(), *services.keys.current());
    });
    for (const char* command : {"jobs.list", "jobs.retry", "jobs.drop"})
        control->on(command, [&services](const json::object& arguments) {
            return answer_jobs(services, JobsQuestion::from_json(arguments));
        });
    control->on("plan.bookings", [this, &services](const json::object& arguments) {
        const auto* limit = arguments.if_contains("limit");
        return plan_bookings(options, services,
                             limit != nullptr && limit->is_int64() ? int(limit->get_int64()) : 100);
    });
    for (const auto command : kPeopleCommands)
        control->on(std::string(command), [&services](const json::object& arguments) {
            return answer_people(services, PeopleQuestion::from_json(arguments));
        });
    control->on("provider.check", [this](const json::object& arguments) {
        return check_account(CheckQuestion::from_json(arguments));
    });
}

/// On the connection's home worker, whose keeper refreshes its tokens.
Task<Result<json::object>> Host::Impl::check_account(CheckQuestion question) {
    auto connection = find_account(first().worker->services(), question);
    if (!connection) co_return fail(connection.error());
    const std::string id = connection->id;
    co_return co_await homes.run<Result<json::object>>(id, [&](const sync::Home& home) {
        return check_provider(options, *home.services, *home.keeper, *connection, question);
    });
}

Result<void> Host::Impl::open_operations() {
    const auto& address = options.settings.server.ops_listen;
    if (address.empty()) return {};
    auto endpoint = net::Endpoint::parse(address);
    if (!endpoint) return fail(endpoint.error());
    if (auto unused = net::check_unused(*endpoint); !unused) return unused;
    auto handler = api::operations_handler(first().worker->context(), metrics);
    operations = std::make_unique<net::Server>(
        first().context.get_executor(), net::ServerOptions{.listen = *endpoint}, std::move(handler),
        server_problem, first().clock, first().timers, first().random, net::make_server_counts());
    return operations->open();
}

/// Before the threads begin, on this one.
Result<void> Host::Impl::plan_work() {
    return run_alone(first().context, [](Impl& host) -> Task<Result<void>> {
        auto& chief = *host.first().worker;
        auto recovered = co_await recover(chief, host.options.settings);
        if (!recovered || !host.sandbox) co_return recovered;
        co_return co_await host.sandbox->prepare(chief.accounts(), chief.database());
    }(*this));
}

Task<> Host::Impl::shut_down_on_signal() {
    asio::basic_signal_set<Executor> signals(first().context.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(use_task);
    log::info("shutting down");
    co_await shut_down();
}

Task<> Host::Impl::shut_down() {
    if (is_stopping.exchange(true)) co_return;
    runner->stop();
    control->close();
    if (operations) operations->stop();
    for (auto& station : stations)
        asio::post(station->context, [&server = *station->server] { server.stop(); });
    // What still runs may finish for as long as the servers give their requests; then it is cut.
    co_await first().timers.sleep(net::ServerLimits{}.shutdown_time);
    end_loops();
}

/// Loops end together: one worker's work may wait for another's.
void Host::Impl::ended() {
    if (--running == 0) end_loops();
}

void Host::Impl::end_loops() {
    for (auto& station : stations) station->context.stop();
}

void Host::Impl::run() {
    const auto counted = [](Impl& host, Task<> task) -> Task<> {
        co_await std::move(task);
        host.ended();
    };
    running = static_cast<int>(stations.size()) + 1;
    for (auto& station : stations)
        spawn(station->context, counted(*this, station->server->serve()));
    spawn(first().context, counted(*this, runner->run()));
    spawn(first().context, control->serve());
    spawn(first().context, shut_down_on_signal());
    if (operations) spawn(first().context, operations->serve());
    for (std::size_t i = 1; i < stations.size(); ++i)
        threads.emplace_back([&station = *stations[i]] { station.context.run(); });
    run_for_good(first().context);
    for (auto& thread : threads) thread.join();
    close_threads();
    leave();
}

/// The writer and the hasher still let go of a loop after their answer has arrived there.
void Host::Impl::close_threads() {
    if (store) store->close();
    hasher->close();
    if (mailer) mailer->close();
}

/// What has ended waits in the loops to be taken down, and may refer from one to another, so that
/// happens while all of them are there. What was cut after its 10 s cannot be taken down at all.
void Host::Impl::leave() {
    if (running > 0) std::_Exit(0);
    for (bool is_busy = true; is_busy;) {
        is_busy = false;
        for (auto& station : stations) {
            station->context.restart();
            is_busy = station->context.poll() > 0 || is_busy;
        }
    }
}

Host::Host(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::start(HostOptions options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    try {
        if (auto started = impl->start(); !started) return fail(started.error());
    } catch (const std::exception& error) {
        return fail(ErrorCode::unavailable,
                    fmt::format("The host cannot start: {}.", error.what()));
    }
    return std::unique_ptr<Host>(new Host(std::move(impl)));
}

void Host::run() { impl_->run(); }

std::string Host::welcome() const {
    if (impl_->sandbox) return impl_->sandbox->welcome();
    return fmt::format("calhost {} serves on {}\n", kVersion,
                       impl_->options.settings.server.public_url);
}

std::uint16_t Host::port() const { return impl_->first().server->port(); }

void Host::stop() {
    asio::post(impl_->first().context,
               [this] { spawn(impl_->first().context, impl_->shut_down()); });
}

}  // namespace calhost::app
