#include "app/sandbox_mount.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "api/begin.h"
#include "api/pages.h"
#include "api/problem.h"
#include "app/foreign_page.h"
#include "base/encoding.h"
#include "base/hop.h"
#include "storage/users.h"

namespace calhost::app {
namespace {

constexpr std::string_view kGoogle = "/sandbox/google";
constexpr std::string_view kGraph = "/sandbox/outlook";
constexpr std::string_view kGraphControl = "/sandbox/control/outlook";
constexpr std::string_view kControl = "/sandbox/control";

/// Runs `serve` where the sandbox lives, with the path behind the mount.
Task<net::Response> serve_below(std::string_view prefix, Executor executor,
                                const net::Handler& serve, net::Request& request) {
    const std::string path = request.path;
    request.path = path.size() > prefix.size() ? path.substr(prefix.size()) : "/";
    auto response = co_await hop<net::Response>(executor, [&] { return serve(request); });
    request.path = path;  // for the access log
    co_return response;
}

Task<net::Response> refuse_foreign(net::Request& request) {
    co_return api::problem(403, "foreign_page",
                           "This call came from another site's page. The sandbox takes it from its "
                           "own pages and from programs.",
                           request.request_id);
}

}  // namespace

void point_providers_at_sandbox(config::Settings& settings) {
    const sandbox::GoogleOptions app;
    const auto google = settings.server.public_url + std::string(kGoogle);
    auto& section = settings.providers["google"].values;
    section["client_id"] = app.client_id;
    section["client_secret"] = app.client_secret;
    section["endpoints"] = {{"authorize", google + "/o/oauth2/v2/auth"},
                            {"token", google + "/token"},
                            {"revoke", google + "/revoke"},
                            {"userinfo", google + "/v1/userinfo"},
                            {"api", google + "/calendar/v3"},
                            {"issuer", google}};
    const auto graph = settings.server.public_url + std::string(kGraph);
    auto& outlook = settings.providers["outlook"].values;
    outlook["client_id"] = app.client_id;
    outlook["client_secret"] = app.client_secret;
    outlook["endpoints"] = {{"authorize", graph + "/common/oauth2/v2.0/authorize"},
                            {"token", graph + "/common/oauth2/v2.0/token"},
                            {"userinfo", graph + "/oidc/userinfo"},
                            {"api", graph + "/v1.0"}};
}

SandboxMount::SandboxMount(const HostOptions& options, Executor executor, const Clock& clock,
                           Timers& timers, Random& random)
    : base_url_(options.settings.server.public_url),
      data_folder_(options.data_folder),
      calendar_file_(options.calendar_file),
      executor_(executor) {
    sandbox::GoogleOptions google;
    google.issuer = base_url_ + std::string(kGoogle);
    google.first_generation = static_cast<std::uint64_t>(to_millis(clock.now()));
    google_ = std::make_unique<sandbox::Google>(google, clock, timers, random);
    auto graph = google;
    graph.issuer = base_url_ + std::string(kGraph);
    graph_ = std::make_unique<sandbox::Graph>(graph, clock, timers, random);
}

SandboxMount::~SandboxMount() = default;

void SandboxMount::serve_provider(net::Router& router, std::string_view prefix,
                                  sandbox::Provider& provider, Memory& memory) {
    router.mount(
        std::string(prefix),
        below(prefix, [this, &provider, &memory](net::Request& request) -> Task<net::Response> {
            auto response = co_await provider.handle(request);
            save(provider, memory);
            co_return response;
        }));
}

/// What changes something is not for the pages of others: a browser sends their forms here too.
net::Handler SandboxMount::below(std::string_view prefix, net::Handler serve) {
    return [this, prefix, serve = std::move(serve)](net::Request& request) {
        const bool is_look = request.method == "GET" || request.method == "HEAD";
        if (!is_look && is_from_foreign_page(request, base_url_)) return refuse_foreign(request);
        return serve_below(prefix, executor_, serve, request);
    };
}

void SandboxMount::mount(net::Router& router, api::Context& context) {
    serve_provider(router, kGoogle, *google_, google_memory_);
    serve_provider(router, kGraph, *graph_, graph_memory_);
    router.mount(std::string(kControl), below(kControl, [this](net::Request& request) {
                     return google_->control(request);
                 }));
    router.mount(std::string(kGraphControl), below(kGraphControl, [this](net::Request& request) {
                     return graph_->control(request);
                 }));
    router.mount("/sandbox/connect", [this, &context](net::Request& request) {
        return demo_connect(context, request);
    });
    router.mount("/sandbox",
                 [this, &context](net::Request& request) { return demo_page(context, request); });
}

Task<Result<void>> SandboxMount::prepare(accounts::Accounts& accounts,
                                         storage::Database& database) {
    restore(*google_, google_memory_);
    restore(*graph_, graph_memory_);
    google_->add_account(std::string(kDemoAccount), "Demo Person", "Europe/Berlin");
    graph_->add_account(std::string(kDemoAccount), "Demo Person", "Europe/Berlin");
    graph_->add_demo_events(kDemoAccount);
    auto filled = fill_calendar();
    if (!filled) co_return fail(filled.error());
    events_ = *filled;
    auto existing = storage::find_user_by_email(database.reader(), kDemoEmail);
    if (!existing) co_return fail(existing.error());
    if (*existing) {
        demo_user_id_ = (*existing)->id;
        co_return Result<void>{};
    }
    auto user = co_await accounts.register_user({.email = std::string(kDemoEmail),
                                                 .password = Secret(std::string(kDemoPassword)),
                                                 .name = "Demo",
                                                 .role = "mentor"});
    if (!user) co_return fail(user.error());
    demo_user_id_ = user->id;
    co_return Result<void>{};
}

Result<int> SandboxMount::fill_calendar() {
    if (calendar_file_.empty()) {
        google_->add_demo_events(kDemoAccount);
        return 0;
    }
    std::ifstream file(calendar_file_, std::ios::binary);
    if (!file)
        return fail(ErrorCode::misconfigured, fmt::format("{} cannot be read.", calendar_file_));
    std::ostringstream text;
    text << file.rdbuf();
    auto loaded = google_->load_icalendar(kDemoAccount, text.str());
    if (!loaded)
        return fail(ErrorCode::misconfigured,
                    fmt::format("{}: {}", calendar_file_, loaded.error().message));
    return loaded;
}

/// Who granted what survives a restart, as it does at the real providers; the calendars are filled
/// anew.
void SandboxMount::save(const sandbox::Provider& provider, Memory& memory) const {
    auto grants = provider.save_grants();
    if (grants == memory.saved) return;
    const auto file = data_folder_ / memory.file;
    const auto fresh = file.string() + ".new";
    std::ofstream(fresh, std::ios::binary) << grants;
    std::error_code ignored;  // a sandbox that cannot remember asks for consent again
    std::filesystem::permissions(
        fresh, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
    std::filesystem::rename(fresh, file, ignored);
    memory.saved = std::move(grants);
}

void SandboxMount::restore(sandbox::Provider& provider, const Memory& memory) const {
    std::ifstream file(data_folder_ / memory.file, std::ios::binary);
    if (!file) return;
    std::ostringstream text;
    text << file.rdbuf();
    provider.restore_grants(text.str());
}

std::string SandboxMount::welcome() const {
    return fmt::format(
        "\n  calhost {0} with a SANDBOX Google{1}\n\n"
        "  Click     {2}/sandbox\n"
        "  Paste     curl -s {2}/api/calendar/status -H \"Authorization: Bearer $(curl -s "
        "{2}/auth/token "
        "-d username={3} -d password={4} | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\"\n"
        "  Contract  {2}/openapi.json\n"
        "  Stop      Ctrl-C\n\n",
        kVersion,
        events_ > 0 ? fmt::format(", filled with {} events of {}", events_, calendar_file_) : "",
        base_url_, kDemoEmail, kDemoPassword);
}

Task<net::Response> SandboxMount::demo_page(api::Context& context, net::Request& request) const {
    auto connections = connect::select(context.services, demo_user_id_, {});
    std::string state;
    if (connections)
        for (const auto& connection : *connections)
            state += fmt::format("<p>Connected to {}: <strong>{}</strong>, {}.</p>",
                                 html_escape(connection.provider), html_escape(connection.email),
                                 html_escape(connection.state));
    if (state.empty()) state = "<p>No calendar is connected yet.</p>";
    static_cast<void>(request);
    co_return api::plain_page(
        "SANDBOX: calhost",
        fmt::format("<p>Everything here is simulated. You are <strong>{}</strong>, a mentor.</p>{}"
                    "<p><a href=\"/sandbox/connect\">Connect the demo Google calendar</a></p>"
                    "<p><a href=\"/sandbox/connect?provider=outlook\">Connect the demo Outlook "
                    "calendar</a></p>",
                    kDemoEmail, state));
}

Task<net::Response> SandboxMount::demo_connect(api::Context& context, net::Request& request) const {
    const bool is_outlook = request.query.get("provider") == "outlook";
    return api::begin_as_redirect(context, request,
                                  {.user_id = demo_user_id_,
                                   .provider = is_outlook ? "outlook" : "google",
                                   .login_hint = std::string(kDemoAccount)});
}

}  // namespace calhost::app
