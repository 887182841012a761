/// What a plugin says about itself, read once from the table that plugin.lua returns.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/settings.h"
#include "lua/value.h"

namespace calhost::plugin {

/// What plugins are told of. The word before the dot is the topic.
inline constexpr std::array<std::string_view, 8> kHooks{
    "connection.created", "connection.deleted", "connection.failed", "connection.refreshed",
    "sync.finished",      "sync.failed",        "booking.synced",    "booking.failed"};

/// What plugins may render.
inline constexpr std::array<std::string_view, 1> kTemplates{"booking"};

/// What a plugin may need and an operator may grant.
inline constexpr std::array<std::string_view, 5> kGrants{"tokens", "mail", "users", "connections",
                                                         "routes"};

/// How often a schedule may run.
inline constexpr std::chrono::seconds kOftenestSchedule = std::chrono::minutes{1};
inline constexpr std::chrono::seconds kRarestSchedule = std::chrono::days{30};

struct PluginSource {
    std::string name;        ///< its folder
    std::string chunk_name;  ///< "plugins/token-sync/plugin.lua"
    std::string code;
};

struct PluginRoute {
    int number = 0;      ///< its place in the script's list, from 1
    std::string method;  ///< "POST"
    std::string path;    ///< "/plugins/<name>/…"; any other with the grant `routes`
    std::string summary;
    std::string who;    ///< open user application admin
    std::string scope;  ///< that an application's key must have
    std::size_t body_limit = 64U << 10U;
};

struct PluginInfo {
    std::string id;
    std::string title;
    std::set<std::string, std::less<>> needs;
    std::set<std::string, std::less<>> hooks;
    std::set<std::string, std::less<>> templates;
    /// How often each of its schedules runs; the operator's section may say otherwise.
    std::map<std::string, milliseconds, std::less<>> schedules;
    std::vector<PluginRoute> routes;
};

/// The table, and every mistake in it with its line in the script.
struct ReadPlugin {
    PluginInfo info;
    std::vector<config::Complaint> complaints;
};
ReadPlugin read_plugin(const PluginSource& source, const lua::Reader& table);

}  // namespace calhost::plugin
