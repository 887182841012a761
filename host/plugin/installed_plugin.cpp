#include "plugin/installed_plugin.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/values.h"
#include "net/url.h"

namespace calhost::plugin {
namespace {

using Complaints = std::vector<config::Complaint>;

std::string prefix_of(const InstalledPlugin& plugin) { return "plugins." + plugin.source.name; }

config::Complaint complaint_about(const InstalledPlugin& plugin, const std::string& key,
                                  std::string message, bool is_error = true) {
    const auto& section = plugin.section;
    const auto line = section.lines.find(key);
    return {.file = section.file,
            .line = line == section.lines.end() ? section.line : line->second,
            .key = fmt::format("{}.{}", prefix_of(plugin), key),
            .message = std::move(message),
            .is_error = is_error};
}

/// Calls `use` with each text of the section's list `key`, and its own key.
template <class Use>
void each_text(const InstalledPlugin& plugin, const std::string& key, Complaints& complaints,
               Use use) {
    const auto* list = plugin.section.values.if_contains(key);
    if (list == nullptr || list->is_null()) return;
    if (!list->is_array())
        return complaints.push_back(complaint_about(plugin, key, "must be a list, such as [a, b]"));
    int index = 0;
    for (const auto& item : list->get_array()) {
        const auto place = fmt::format("{}[{}]", key, index++);
        if (item.is_string())
            use(place, std::string_view(item.get_string()));
        else
            complaints.push_back(complaint_about(plugin, place, "must be a text"));
    }
}

void read_grants(InstalledPlugin& plugin, Complaints& complaints) {
    each_text(plugin, "grant", complaints, [&](const std::string& place, std::string_view word) {
        if (std::ranges::find(kGrants, word) != kGrants.end())
            plugin.grants.emplace(word);
        else
            complaints.push_back(complaint_about(plugin, place,
                                                 fmt::format("is nothing that can be granted; {}",
                                                             config::suggestion(word, kGrants))));
    });
}

/// "api.example.com", "localhost:8080"; https, unless it says http:// itself.
void read_hosts(InstalledPlugin& plugin, Complaints& complaints) {
    each_text(plugin, "hosts", complaints, [&](const std::string& place, std::string_view host) {
        const auto url = net::Url::parse(host.contains("://") ? std::string(host)
                                                              : fmt::format("https://{}", host));
        if (url && url->target == "/")
            plugin.origins.insert(url->origin());
        else
            complaints.push_back(complaint_about(
                plugin, place, "must be the name of a host, such as api.example.com"));
    });
}

/// "digest: 1h", or "digest: off".
void read_schedules(InstalledPlugin& plugin, Complaints& complaints) {
    const auto* section = plugin.section.values.if_contains("schedules");
    if (section == nullptr || section->is_null()) return;
    if (!section->is_object())
        return complaints.push_back(
            complaint_about(plugin, "schedules", "must be a map, such as {digest: 1h}"));
    for (const auto& [name, value] : section->get_object()) {
        const std::string_view text = value.is_string() ? value.get_string() : std::string_view();
        const auto every = config::parse_duration(text, kOftenestSchedule, kRarestSchedule);
        if (every || text == "off")
            plugin.schedules.emplace(name,
                                     every ? std::optional<milliseconds>(*every) : std::nullopt);
        else
            complaints.push_back(complaint_about(plugin, fmt::format("schedules.{}", name),
                                                 every.error().message + ", or off"));
    }
}

void check_grants(const InstalledPlugin& plugin, const PluginInfo& info, Complaints& complaints) {
    for (const auto& word : info.needs)
        if (!plugin.grants.contains(word))
            complaints.push_back(complaint_about(
                plugin, "grant",
                fmt::format("the plugin needs {}; write {} here if you let it", word, word)));
    for (const auto& word : plugin.grants)
        if (!info.needs.contains(word))
            complaints.push_back(complaint_about(
                plugin, "grant", fmt::format("the plugin needs no {}; take it out", word), false));
}

void check_schedules(const InstalledPlugin& plugin, const PluginInfo& info,
                     Complaints& complaints) {
    std::vector<std::string_view> names;
    for (const auto& [name, every] : info.schedules) names.emplace_back(name);
    for (const auto& [name, every] : plugin.schedules)
        if (!info.schedules.contains(name))
            complaints.push_back(complaint_about(
                plugin, fmt::format("schedules.{}", name),
                names.empty()
                    ? "the plugin has no schedules"
                    : fmt::format("there is no such one; {}", config::suggestion(name, names))));
}

}  // namespace

InstalledPlugin install_plugin(PluginSource source, Schema schema, const config::Section& section,
                               Complaints& complaints) {
    InstalledPlugin plugin{.source = std::move(source), .schema = std::move(schema)};
    plugin.section = section;
    read_grants(plugin, complaints);
    read_hosts(plugin, complaints);
    read_schedules(plugin, complaints);
    auto own = section;
    for (const auto key : {"grant", "hosts", "schedules"}) own.values.erase(key);
    auto checked = check_section(plugin.schema, own, prefix_of(plugin));
    for (auto& complaint : checked.complaints) {
        if (complaint.line == 0) complaint.line = section.line;
        complaints.push_back(std::move(complaint));
    }
    plugin.values = std::move(checked.values);
    plugin.origins.merge(origins_in(plugin.schema, plugin.values));
    return plugin;
}

Complaints check_against_script(const InstalledPlugin& plugin, const PluginInfo& info) {
    Complaints complaints;
    check_grants(plugin, info, complaints);
    check_schedules(plugin, info, complaints);
    return complaints;
}

}  // namespace calhost::plugin
