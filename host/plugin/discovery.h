/// Finds providers, plugins, their schemas and the operator's rules on disk, once, at start.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/settings.h"
#include "plugin/installed_plugin.h"
#include "plugin/provider.h"
#include "plugin/rules.h"
#include "plugin/schema.h"

namespace calhost::plugin {

/// A provider with its part of the configuration, ready to be loaded into workers.
struct InstalledProvider {
    ProviderSource source;
    Schema schema;
    boost::json::object values;  ///< its section, checked, defaults put in
};

struct Installed {
    std::vector<InstalledProvider> providers;  ///< by name
    std::vector<InstalledPlugin> plugins;      ///< those that the YAML names, by name
    std::vector<RuleSource> rules;             ///< in the order of the YAML
    std::vector<config::Complaint> complaints;
};

/// Reads everything; what is wrong becomes complaints, so that `calhost check` shows all at once.
Installed discover(const config::Settings& settings, const Clock& clock);

/// Holds each provider's and plugin's table against the author API, loads each script as a worker
/// does at its start, and complains about every mistake with its line. Nothing of it stays.
std::vector<config::Complaint> check_scripts(const Installed& installed, Environment environment);

/// One worker's providers. *Errors*: misconfigured, as Provider::load, and for an id that is not
/// the folder's name.
class Providers {
  public:
    static Result<Providers> load(const Installed& installed, Environment environment);
    /// Null for a name that is not installed.
    [[nodiscard]] Provider* find(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, std::unique_ptr<Provider>, std::less<>>& all() const {
        return providers_;
    }

  private:
    std::map<std::string, std::unique_ptr<Provider>, std::less<>> providers_;
};

}  // namespace calhost::plugin
