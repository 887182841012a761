/// One plugin in one worker: its Lua functions as C++ calls.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lua/state.h"
#include "plugin/breaker.h"
#include "plugin/environment.h"
#include "plugin/installed_plugin.h"
#include "plugin/plugin_context.h"

namespace calhost::plugin {

/// *Thread*: one worker's.
class Plugin {
  public:
    /// Loads the script. *Errors*: misconfigured, with file, line and reason; the operator's
    /// `grant` must have what the script needs.
    static Result<std::unique_ptr<Plugin>> load(const InstalledPlugin& installed,
                                                Environment environment,
                                                storage::Database& database, Powers& powers);

    [[nodiscard]] const PluginInfo& info() const { return info_; }

    /// What the script's template of that name makes of the arguments: texts by name, or nothing.
    /// Pure and at once. *Errors*: invalid_response, with the script's line; unavailable, while the
    /// plugin is in back-off.
    Result<std::optional<boost::json::object>> render(
        std::string_view name, const std::vector<boost::json::object>& arguments);

    /// Tells the script what happened. Waits for it. *Errors*: what it returned; with `retry_after`
    /// a transient one, so that the job runs again; invalid for a bug.
    Task<Result<void>> run_hook(std::string hook, boost::json::object event);

    /// Lets the script do what it does again and again. *Errors*: those of run_hook.
    Task<Result<void>> run_schedule(std::string name);

    /// Answers a request to one of `info().routes`; the body limit was held. `principal` is who
    /// calls: empty, `{user_id, role}` or `{application_id}`. Waits for the script. *Errors*: what
    /// it returned, and those of run_hook.
    Task<Result<net::Response>> serve(const PluginRoute& route, const net::Request& request,
                                      boost::json::object principal);

  private:
    Plugin(const InstalledPlugin& installed, Environment environment);
    Result<void> load_script(const InstalledPlugin& installed, storage::Database& database,
                             Powers& powers);
    /// A function in a table of the script, such as `hooks`.
    lua::Ref function(std::string_view table, std::string_view name);
    lua::Ref handler(const PluginRoute& route);
    /// What hooks and schedules have in common; `name` is for the log.
    Task<Result<void>> run(std::string name, lua::Ref function, std::vector<lua::Push> arguments);
    /// For the log. Gives the error that callers see.
    Error report(const lua::Failure& failure, std::string_view function);

    PluginSource source_;
    Environment environment_;
    PluginInfo info_;
    Breaker breaker_;
    std::unique_ptr<lua::State> state_;
    std::unique_ptr<PluginContext> context_;
    lua::Ref table_;
};

/// What is wrong with the script and with what the operator grants it. Nothing of it stays.
std::vector<config::Complaint> check_plugin(const InstalledPlugin& installed,
                                            Environment environment);

}  // namespace calhost::plugin
