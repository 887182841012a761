#include "app/commands.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <thread>

#include "app/check.h"
#include "app/control_socket.h"
#include "app/host.h"
#include "app/jobs_command.h"
#include "app/key_setup.h"
#include "app/offline.h"
#include "app/people_command.h"
#include "app/plan_command.h"
#include "app/provider_command.h"
#include "app/rotate.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/log.h"

namespace calhost::app {
namespace {

namespace fs = std::filesystem;

/// What the command line says.
struct Options {
    std::string config;
    std::string data = "var";
    std::string listen;
    std::string calendar;
    std::vector<std::string> set;
    bool is_sandbox = false;
    CheckQuestion question;
    JobsQuestion jobs;
    PeopleQuestion people;
    int limit = 100;  ///< of a plan
};

int failed(std::string_view sentence) {
    fmt::print(stderr, "calhost: {}\n", sentence);
    return 1;
}

/// The same for a start: what the operator must mend is told apart.
int not_started(const Error& error) {
    failed(error.message);
    return error.code == ErrorCode::misconfigured ? kBadConfiguration : 1;
}

/// The program's folder of scripts, plugins and providers: that of the installation, else the
/// source tree that it was built from.
fs::path default_root() {
    std::error_code ignored;
    const auto program = fs::read_symlink("/proc/self/exe", ignored);
    const auto installed = program.parent_path().parent_path() / "share/calhost";
    return fs::exists(installed / "providers", ignored) ? installed : fs::path(CALHOST_SOURCE_DIR);
}

config::LoadOptions load_options(const Options& options) {
    config::LoadOptions load;
    load.default_root = default_root();
    load.file = options.config;
    if (options.config.empty())
        load.file =
            load.default_root / "config" / (options.is_sandbox ? "sandbox.yaml" : "calhost.yaml");
    load.overrides = options.set;
    if (!options.listen.empty()) load.overrides.push_back("server.listen=" + options.listen);
    load.is_sandbox = options.is_sandbox;
    return load;
}

/// Every complaint, those of the plugins included, on standard error. True: the host can start.
bool show_complaints(std::vector<config::Complaint> complaints) {
    bool is_good = true;
    for (const auto& complaint : complaints) {
        fmt::print(stderr, "{} {}\n",
                   complaint.is_error ? "error:  " : "warning:", complaint.to_string());
        if (complaint.is_error) is_good = false;
    }
    return is_good;
}

Result<void> check_loopback(const std::string& listen) {
    const auto endpoint = net::Endpoint::parse(listen);
    if (!endpoint) return fail(endpoint.error());
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(endpoint->address, ec);
    if (!ec && address.is_loopback()) return {};
    return fail(
        ErrorCode::misconfigured,
        fmt::format(
            "The sandbox gives everybody everything, so it listens on loopback only, not on {}. "
            "Use --listen 127.0.0.1:8080.",
            listen));
}

Result<config::Settings> load_settings(const Options& options) {
    auto loaded = config::load(load_options(options));
    if (!loaded) return fail(loaded.error());
    if (!show_complaints(loaded->complaints))
        return fail(ErrorCode::misconfigured,
                    "The configuration has mistakes; nothing was started.");
    auto& settings = loaded->settings;
    if (!options.is_sandbox) return std::move(settings);
    if (auto loopback = check_loopback(settings.server.listen); !loopback)
        return fail(loopback.error());
    if (auto filled = fill_sandbox_secrets(settings, options.data); !filled)
        return fail(filled.error());
    return std::move(settings);
}

void configure_log(const config::Settings& settings, bool is_sandbox) {
    auto level = log::Level::info;
    log::parse_level(settings.log_level, level);
    const bool is_text = is_sandbox || settings.log_format == "text";
    log::configure(level, is_text ? log::Format::text : log::Format::json);
}

/// By default the allocator returns what a sync frees at once, and the kernel has to find and clear
/// each page anew for the next: a seventh of what a big sync cost. Before the first thread starts.
void keep_freed_memory() {
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
    ::mallopt(M_TOP_PAD, 256 << 10);
}

int serve(const Options& options) {
    ::umask(0077);
    // Two arenas are enough for a thread a core, and keep the idle host small.
    ::mallopt(M_ARENA_MAX, 2);
    keep_freed_memory();
    auto settings = load_settings(options);
    if (!settings) return not_started(settings.error());
    configure_log(*settings, options.is_sandbox);
    auto host = Host::start({.settings = std::move(*settings),
                             .data_folder = options.data,
                             .is_sandbox = options.is_sandbox,
                             .calendar_file = options.calendar,
                             .load = load_options(options)});
    if (!host) return not_started(host.error());
    fmt::print("{}", (*host)->welcome());
    std::fflush(stdout);
    (*host)->run();
    log::info("ended");
    return 0;
}

int check(const Options& options) {
    const auto load = load_options(options);
    auto loaded = config::load(load);
    if (!loaded) return failed(loaded.error().message);
    if (!show_complaints(check_installation(std::move(*loaded), load))) return 1;
    fmt::print("The configuration is good.\n");
    return 0;
}

int migrate(const Options& options) {
    auto settings = load_settings(options);
    if (!settings) return failed(settings.error().message);
    const auto url = storage::parse_storage_url(settings->storage_url, options.data);
    if (!url) return failed(url.error().message);
    auto store = storage::Store::open(*url);  // opening migrates
    if (!store) return failed(store.error().message);
    fmt::print("The store has schema version {}.\n", (*store)->schema_version());
    return 0;
}

int new_key() {
    crypto::SystemRandom random;
    fmt::print("{}\n", hex_encode(random_bytes(random, 32)));
    return 0;
}

using Work = std::function<Task<Result<json::object>>(const HostOptions&, connect::Services&)>;

HostOptions host_options(const Options& options, config::Settings settings) {
    return {.settings = std::move(settings),
            .data_folder = options.data,
            .is_sandbox = options.is_sandbox,
            .load = load_options(options)};
}

using Open = Result<json::object> (*)(const HostOptions&, const OfflineWork&);

/// The running host does it; with none running the store is opened here. One that is just starting
/// holds the store before it can be asked, so this waits a little for it.
Result<json::object> ask_or_do(const Options& options, const json::object& request,
                               const Work& work, Open open = with_store) {
    constexpr int kTries = 50;
    for (int i = 1;; ++i) {
        auto answer = ask_host(fs::path(options.data) / "control.sock", request);
        if (answer || answer.error().code != ErrorCode::not_found) return answer;
        auto settings = load_settings(options);
        if (!settings) return fail(settings.error());
        const auto host = host_options(options, std::move(*settings));
        bool is_begun = false;
        answer = open(host, [&](connect::Services& services) {
            is_begun = true;
            return work(host, services);
        });
        const bool is_held = !answer && !is_begun && answer.error().code == ErrorCode::unavailable;
        if (!is_held || i == kTries) return answer;
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
}

int list_keys(const Options& options) {
    const auto counts = ask_or_do(
        options, {{"command", "keys.list"}},
        [](const HostOptions&, connect::Services& services) -> Task<Result<json::object>> {
            co_return count_keys(services.database.reader(), *services.keys.current());
        });
    if (!counts) return failed(counts.error().message);
    for (const auto& member : *counts)
        fmt::print("{:<16} {}\n", std::string_view(member.key()),
                   boost::json::serialize(member.value()));
    return 0;
}

int rotate_host_keys(const Options& options) {
    const auto answer = ask_or_do(options, {{"command", "keys.rotate"}}, rotate_keys);
    if (!answer) return failed(answer.error().message);
    const json::value result = *answer;
    fmt::print("{} values are now under the key '{}'; {} could not be read.\n",
               boost::json::serialize(result.at("resealed")), json::text_of(result, "active"),
               boost::json::serialize(result.at("unreadable")));
    return 0;
}

int manage_jobs(Options& options, std::string_view command) {
    options.jobs.command = command;
    const auto answer = ask_or_do(options, options.jobs.to_json(),
                                  [&](const HostOptions&, connect::Services& services) {
                                      return answer_jobs(services, options.jobs);
                                  });
    if (!answer) return failed(answer.error().message);
    print_jobs(*answer);
    return 0;
}

/// At most this many bookings: a plan is for reading.
int plan(const Options& options) {
    const auto answer = ask_or_do(options, {{"command", "plan.bookings"}, {"limit", options.limit}},
                                  [&](const HostOptions& host, connect::Services& services) {
                                      return plan_bookings(host, services, options.limit);
                                  });
    if (!answer) return failed(answer.error().message);
    return print_plan(*answer);
}

int manage_people(Options& options, std::string_view command) {
    options.people.command = command;
    const auto answer = ask_or_do(options, options.people.to_json(),
                                  [&](const HostOptions&, connect::Services& services) {
                                      return answer_people(services, options.people);
                                  });
    if (!answer) return failed(answer.error().message);
    print_lines(*answer);
    return 0;
}

Task<Result<json::object>> check_alone(const HostOptions& host, connect::Services& services,
                                       CheckQuestion question) {
    auto connection = find_account(services, question);
    if (!connection) co_return fail(connection.error());
    connect::TokenKeeper keeper(services);
    co_return co_await check_provider(host, services, keeper, std::move(*connection),
                                      std::move(question));
}

/// The running host does it, because it alone may refresh its tokens; else it is done here.
int check_a_provider(const Options& options) {
    log::configure(log::Level::error, log::Format::text);
    const auto answer = ask_or_do(
        options, options.question.to_json(),
        [&](const HostOptions& host, connect::Services& services) {
            return check_alone(host, services, options.question);
        },
        with_providers);
    if (!answer) return failed(answer.error().message);
    return print_checks(*answer);
}

void add_common(CLI::App& command, Options& options) {
    command.add_option("--config", options.config, "The YAML file");
    command.add_option("--data", options.data, "The data folder")->capture_default_str();
    command.add_option("--set", options.set, "key=value over the file; may be repeated");
    command.add_flag("--sandbox", options.is_sandbox,
                     "A simulated Google; no account anywhere is needed");
}

using AddCommand = std::function<CLI::App*(CLI::App& parent, const char* name, const char* help,
                                           std::function<int()> run)>;

void add_application_commands(CLI::App& program, Options& options, const AddCommand& add) {
    auto* app = program.add_subcommand("app", "Programs that call this host with a key");
    app->require_subcommand(1);
    auto& people = options.people;
    const auto with_name = [&](const char* name, const char* help, std::string_view command) {
        auto* made =
            add(*app, name, help, [&options, command] { return manage_people(options, command); });
        made->add_option("name", people.name, "The application")->required();
        return made;
    };
    const auto with_key = [&](CLI::App* command) {
        command
            ->add_option("--scopes", people.scopes,
                         "What the key may: bookings:read, bookings:write, availability:read, "
                         "tokens:lease, tokens:receive, users:manage")
            ->delimiter(',')
            ->allow_extra_args(false);
        command
            ->add_option("--providers", people.providers,
                         "Whose tokens it may lease; all unless named")
            ->delimiter(',')
            ->allow_extra_args(false);
        return command;
    };
    with_key(with_name("add", "Add one; its key is the last line", "app.add"))
        ->get_option("--scopes")
        ->required();
    add(*app, "list", "Applications and their keys",
        [&options] { return manage_people(options, "app.list"); });
    with_name("remove", "Remove one with its keys and bookings", "app.remove");
    with_key(with_name("key", "Make another key; it is the last line", "app.key"));
    with_name("remove-key", "End a key", "app.remove-key")
        ->add_option("id", people.key_id, "Of the key, as `app list` shows it")
        ->required();
    with_name("secret", "A new secret for its webhooks; it is the last line", "app.secret");
    auto* users = with_name("users", "Whom it reaches", "app.users");
    users->add_option("action", people.action, "add, remove or list")->capture_default_str();
    users->add_option("email", people.email, "The user's address");
}

void add_user_commands(CLI::App& program, Options& options, const AddCommand& add) {
    auto* user = program.add_subcommand("user", "People with an account here");
    user->require_subcommand(1);
    auto& people = options.people;
    add(*user, "list", "All of them", [&options] { return manage_people(options, "user.list"); });
    auto* role = add(*user, "role", "Give a role, such as admin",
                     [&options] { return manage_people(options, "user.role"); });
    role->add_option("email", people.email, "The user's address")->required();
    role->add_option("role", people.role, "The role")->required();
    add(*user, "verify", "Say that the address is the user's own",
        [&options] { return manage_people(options, "user.verify"); })
        ->add_option("email", people.email, "The user's address")
        ->required();
}

}  // namespace

int run_program(int argc, char** argv) {
    CLI::App program{"calhost: a self-hosted calendar host"};
    program.set_version_flag("--version", std::string(kVersion));
    program.require_subcommand(1);
    Options options;
    int status = 0;
    const auto add = [&](CLI::App& parent, const char* name, const char* help,
                         std::function<int()> run) {
        auto* command = parent.add_subcommand(name, help);
        add_common(*command, options);
        command->callback([&status, run = std::move(run)] { status = run(); });
        return command;
    };
    auto* serving =
        add(program, "serve", "Serve until SIGINT or SIGTERM", [&] { return serve(options); });
    serving->add_option("--listen", options.listen, "Address and port, such as 127.0.0.1:8080");
    serving->add_option("--calendar", options.calendar,
                        "Fill the sandbox account from an iCalendar file");
    add(program, "check", "Explain every mistake in the configuration",
        [&] { return check(options); });
    add(program, "migrate", "Bring the store to this program's schema",
        [&] { return migrate(options); });
    auto* keys = program.add_subcommand("keys", "The keys that tokens are sealed with");
    keys->require_subcommand(1);
    add(*keys, "new", "Print a new key", [] { return new_key(); });
    add(*keys, "list", "How much each key seals", [&] { return list_keys(options); });
    add(*keys, "rotate", "Reseal everything under the active key",
        [&] { return rotate_host_keys(options); });
    auto* jobs = program.add_subcommand("jobs", "What the host has to do, and what it gave up");
    jobs->require_subcommand(1);
    add(*jobs, "list", "The newest jobs, with the reason of those that were set aside", [&] {
        return manage_jobs(options, "jobs.list");
    })->add_flag("--dead", options.jobs.is_dead, "Only those that were set aside");
    add(*jobs, "retry", "Run a job now, from its first try",
        [&] { return manage_jobs(options, "jobs.retry"); })
        ->add_option("id", options.jobs.id, "The job")
        ->required();
    add(*jobs, "drop", "Give a job up", [&] { return manage_jobs(options, "jobs.drop"); })
        ->add_option("id", options.jobs.id, "The job")
        ->required();
    auto* planning = program.add_subcommand("plan", "What would change, without changing it");
    planning->require_subcommand(1);
    add(*planning, "bookings",
        "Every booking to come as the scripts on disk would write it, and what would change",
        [&] { return plan(options); })
        ->add_option("--limit", options.limit, "At most so many bookings")
        ->capture_default_str();
    add_application_commands(program, options, add);
    add_user_commands(program, options, add);
    auto* provider = program.add_subcommand("provider", "Tools for those who write providers");
    provider->require_subcommand(1);
    auto* checking = add(*provider, "check", "Run the contract of every provider on an account",
                         [&] { return check_a_provider(options); });
    checking->add_option("name", options.question.provider, "The provider")->required();
    checking
        ->add_option("--account", options.question.account,
                     "Id of a connection, or user@example.com/label")
        ->required();
    checking->add_option("--only", options.question.only, "Checks whose name has these words");
    CLI11_PARSE(program, argc, argv);
    return status;
}

}  // namespace calhost::app
