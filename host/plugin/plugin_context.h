/// `ctx`: what a hook, a schedule and a route of a plugin work with.
#pragma once

#include "lua/state.h"
#include "plugin/environment.h"
#include "plugin/installed_plugin.h"
#include "plugin/powers.h"
#include "storage/database.h"

namespace calhost::plugin {

/// The members of one plugin's `ctx`, made once. *Ownership*: refers to what outlives the state.
class PluginContext {
  public:
    PluginContext(lua::State& state, const InstalledPlugin& installed, Environment environment,
                  storage::Database& database, Powers& powers);

    /// The argument itself.
    [[nodiscard]] lua::Push push() const;

  private:
    lua::State& state_;
    boost::json::object config_;
    std::vector<std::pair<std::string, lua::Ref>> members_;
};

// --- for the members' own files --------------------------------------------------------------
// The functions are methods: argument 1 is the object itself.

lua::Ref make_plugin_http(lua::State& state, Environment environment, std::string plugin,
                          std::set<std::string> origins);
lua::Ref make_plugin_store(lua::State& state, std::string plugin, Environment environment,
                           storage::Database& database);

}  // namespace calhost::plugin
