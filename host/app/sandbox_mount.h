/// The simulated providers inside the program: `calhost serve --sandbox`.
#pragma once

#include <filesystem>
#include <memory>

#include "app/host.h"
#include "sandbox/google.h"
#include "sandbox/graph.h"

namespace calhost::app {

/// Gives the providers the sandbox's endpoints, below `server.public_url`, and its client.
void point_providers_at_sandbox(config::Settings& settings);

/// Lives on the first worker; requests of other workers hop there.
class SandboxMount {
  public:
    SandboxMount(const HostOptions& options, Executor executor, const Clock& clock, Timers& timers,
                 Random& random);
    ~SandboxMount();

    /// Serves /sandbox/google, /sandbox/outlook, their control below /sandbox/control, and the demo
    /// page.
    void mount(net::Router& router, api::Context& context);
    /// The demo user and the demo account with its calendar. *Errors*: an unreadable calendar file.
    Task<Result<void>> prepare(accounts::Accounts& accounts, storage::Database& database);
    /// What to click and what to paste.
    [[nodiscard]] std::string welcome() const;

  private:
    Task<net::Response> demo_page(api::Context& context, net::Request& request) const;
    Task<net::Response> demo_connect(api::Context& context, net::Request& request) const;
    [[nodiscard]] Result<int> fill_calendar();
    /// A simulated provider and what was last written of its grants.
    struct Memory {
        std::string file;
        std::string saved;
    };
    /// Runs `serve` on the sandbox's worker for what comes below `prefix`.
    net::Handler below(std::string_view prefix, net::Handler serve);
    void serve_provider(net::Router& router, std::string_view prefix, sandbox::Provider& provider,
                        Memory& memory);
    void save(const sandbox::Provider& provider, Memory& memory) const;
    void restore(sandbox::Provider& provider, const Memory& memory) const;

    std::string base_url_;
    std::filesystem::path data_folder_;
    std::string calendar_file_;
    Executor executor_;
    std::unique_ptr<sandbox::Google> google_;
    std::unique_ptr<sandbox::Graph> graph_;
    std::string demo_user_id_;
    int events_ = 0;
    Memory google_memory_{"sandbox-google.json", {}};
    Memory graph_memory_{"sandbox-graph.json", {}};
};

}  // namespace calhost::app
