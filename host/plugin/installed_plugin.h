/// A plugin that the operator named, with its part of the configuration.
#pragma once

#include <optional>

#include "plugin/plugin_info.h"
#include "plugin/schema.h"

namespace calhost::plugin {

struct InstalledPlugin {
    PluginSource source;
    Schema schema;
    boost::json::object values;  ///< its section, checked, defaults put in
    /// What the operator lets it do: `grant` of its section.
    std::set<std::string, std::less<>> grants;
    /// Where it may send requests ("https://api.example:443"): the addresses in its section, and
    /// its `hosts`.
    std::set<std::string> origins;
    /// How often its schedules are to run, where the operator says so; nothing: not at all.
    std::map<std::string, std::optional<milliseconds>, std::less<>> schedules;
    config::Section section;  ///< as it was written, for complaints
};

/// A section's `grant`, `hosts` and `schedules` are the host's; the others are the plugin's own,
/// and `schema` knows them. Complaints name file, line and key.
InstalledPlugin install_plugin(PluginSource source, Schema schema, const config::Section& section,
                               std::vector<config::Complaint>& complaints);

/// What the script needs and was not granted, and schedules that it does not have; as a warning,
/// what was granted in vain.
std::vector<config::Complaint> check_against_script(const InstalledPlugin& plugin,
                                                    const PluginInfo& info);

}  // namespace calhost::plugin
