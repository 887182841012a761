#include "plugin/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "plugin/plugin.h"
#include "plugin/provider_check.h"
#include "plugin/script_files.h"

namespace calhost::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMissing =
    "cannot be read; the folder of a provider holds provider.lua and schema.lua";

void complain(Installed& installed, std::string file, std::string key, std::string message) {
    installed.complaints.push_back({.file = std::move(file),
                                    .line = 0,
                                    .key = std::move(key),
                                    .message = std::move(message),
                                    .is_error = true});
}

/// The schema has the field, and neither the section nor a complaint gives it a value.
bool is_unset(const Schema& schema, const CheckedSection& checked, std::string_view prefix,
              std::string_view name) {
    const auto key = fmt::format("{}.{}", prefix, name);
    return std::ranges::find(schema.fields, name, &SchemaField::name) != schema.fields.end() &&
           !checked.values.contains(name) &&
           std::ranges::find(checked.complaints, key, &config::Complaint::key) ==
               checked.complaints.end();
}

/// Without its client the host starts, and answers `provider_not_configured`: said here before.
void warn_without_client(const config::Section& section, const Schema& schema,
                         CheckedSection& checked, const std::string& prefix) {
    if (section.file.empty()) return;
    const auto warn = [&](const std::string& name, std::string message) {
        const auto line = section.lines.find(name);
        checked.complaints.push_back({.file = section.file,
                                      .line = line == section.lines.end() ? 0 : line->second,
                                      .key = fmt::format("{}.{}", prefix, name),
                                      .message = std::move(message),
                                      .is_error = false});
    };
    if (is_unset(schema, checked, prefix, "client_id"))
        warn("client_id",
             "is not set, so nobody can connect here. Register this host at the provider and set "
             "client_id and client_secret, or try it with --sandbox");
    else if (section.values.contains("client_secret") &&
             is_unset(schema, checked, prefix, "client_secret"))
        warn("client_secret", "is empty: people cannot connect this provider until it is set");
}

/// Where a file or folder of that name is: with the operator, else with the host.
fs::path place_of(const config::Paths& paths, const fs::path& own, std::string_view kind,
                  std::string_view name) {
    std::error_code ignored;  // what cannot be looked at is complained of when it is read
    if (paths.shipped.empty() || fs::exists(own / name, ignored)) return own / name;
    const auto shipped = paths.shipped / kind / name;
    return fs::exists(shipped, ignored) ? shipped : own / name;
}

/// The folders of `root` by name.
std::vector<fs::path> folders(const fs::path& root) {
    std::vector<fs::path> found;
    std::error_code ignored;  // no folder: nothing is installed
    for (const auto& entry : fs::directory_iterator(root, ignored))
        if (entry.is_directory()) found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
}

/// Each provider once: the operator's own takes the place of the host's of that name.
std::vector<fs::path> provider_folders(const config::Paths& paths) {
    auto found = folders(paths.providers);
    if (paths.shipped.empty()) return found;
    for (auto& shipped : folders(paths.shipped / "providers"))
        if (std::ranges::find(found, shipped.filename(), &fs::path::filename) == found.end())
            found.push_back(std::move(shipped));
    std::ranges::sort(found, {}, &fs::path::filename);
    return found;
}

void read_provider(const fs::path& folder, const config::Settings& settings, const Clock& clock,
                   Installed& installed) {
    const auto name = folder.filename().string();
    const auto prefix = "providers." + name;
    const auto chunk = fmt::format("providers/{}/provider.lua", name);
    const auto code = read_file(folder / "provider.lua");
    if (!code) return complain(installed, chunk, prefix, std::string(kMissing));
    const auto schema_name = fmt::format("providers/{}/schema.lua", name);
    const auto schema_code = read_file(folder / "schema.lua");
    if (!schema_code) return complain(installed, schema_name, prefix, std::string(kMissing));
    auto schema = read_schema(schema_name, *schema_code, clock);
    if (!schema) return complain(installed, schema_name, prefix, schema.error().message);
    const auto found = settings.providers.find(name);
    const auto section = found == settings.providers.end() ? config::Section{} : found->second;
    auto checked = check_section(*schema, section, prefix);
    warn_without_client(section, *schema, checked, prefix);
    installed.complaints.insert(installed.complaints.end(), checked.complaints.begin(),
                                checked.complaints.end());
    installed.providers.push_back({.source = {.name = name, .chunk_name = chunk, .code = *code},
                                   .schema = std::move(*schema),
                                   .values = std::move(checked.values)});
}

void check_sections_have_providers(const config::Settings& settings, Installed& installed) {
    for (const auto& [name, section] : settings.providers) {
        const bool known = std::ranges::any_of(
            installed.providers,
            [&, &wanted = name](const auto& provider) { return provider.source.name == wanted; });
        if (!known)
            complain(installed, section.file, "providers." + name,
                     fmt::format("there is no provider '{}' in {}", name,
                                 settings.paths.providers.string()));
    }
}

/// A plugin is active when its section is there, empty or not.
void read_plugin(const std::string& name, const config::Section& section,
                 const config::Settings& settings, const Clock& clock, Installed& installed) {
    const auto folder = place_of(settings.paths, settings.paths.plugins, "plugins", name);
    const auto place = [&](std::string_view file) {
        return fmt::format("plugins/{}/{}", name, file);
    };
    const auto code = read_file(folder / "plugin.lua");
    if (!code) {
        installed.complaints.push_back(
            {.file = section.file,
             .line = section.line,
             .key = "plugins." + name,
             .message = fmt::format("there is no plugin '{}' in {}", name,
                                    settings.paths.plugins.string())});
        return;
    }
    const auto schema_code = read_file(folder / "schema.lua");
    if (!schema_code)
        return complain(installed, place("schema.lua"), "plugins." + name,
                        "cannot be read; the folder of a plugin holds plugin.lua and schema.lua");
    auto schema = read_schema(place("schema.lua"), *schema_code, clock);
    if (!schema)
        return complain(installed, place("schema.lua"), "plugins." + name, schema.error().message);
    installed.plugins.push_back(install_plugin({name, place("plugin.lua"), *code},
                                               std::move(*schema), section, installed.complaints));
}

/// Such a plugin's mails would fail one by one: said here before.
void warn_without_mail(const config::Settings& settings, Installed& installed) {
    if (!settings.mail.url.empty()) return;
    for (const auto& plugin : installed.plugins)
        if (plugin.grants.contains("mail"))
            installed.complaints.push_back(
                {.file = plugin.section.file,
                 .line = plugin.section.line,
                 .key = fmt::format("plugins.{}", plugin.source.name),
                 .message = "sends mail, and there is no mail server; set mail.url and mail.from",
                 .is_error = false});
}

void read_rules(const config::Settings& settings, Installed& installed) {
    for (const auto& name : settings.rules) {
        const auto file = place_of(settings.paths, settings.paths.scripts, "scripts", name);
        if (const auto code = read_file(file))
            installed.rules.push_back({name, *code});
        else
            complain(installed, file.string(), "rules", "cannot be read");
    }
}

}  // namespace

Installed discover(const config::Settings& settings, const Clock& clock) {
    Installed installed;
    for (const auto& folder : provider_folders(settings.paths))
        read_provider(folder, settings, clock, installed);
    check_sections_have_providers(settings, installed);
    for (const auto& [name, section] : settings.plugins)
        read_plugin(name, section, settings, clock, installed);
    warn_without_mail(settings, installed);
    read_rules(settings, installed);
    return installed;
}

std::vector<config::Complaint> check_scripts(const Installed& installed, Environment environment) {
    std::vector<config::Complaint> complaints;
    for (const auto& [source, schema, values] : installed.providers) {
        auto found = check_provider(source, environment.clock);
        const bool is_told = std::ranges::any_of(found, &config::Complaint::is_error);
        std::ranges::move(found, std::back_inserter(complaints));
        if (is_told) continue;
        if (const auto loaded = Provider::load(source, environment); !loaded)
            complaints.push_back(
                script_complaint(source.chunk_name, source.chunk_name, loaded.error()));
    }
    for (const auto& plugin : installed.plugins)
        std::ranges::move(check_plugin(plugin, environment), std::back_inserter(complaints));
    for (const auto& rule : installed.rules)
        if (const auto loaded = Rules::load({rule}, environment.clock); !loaded)
            complaints.push_back(
                script_complaint("scripts/" + rule.name, rule.name, loaded.error()));
    return complaints;
}

Result<Providers> Providers::load(const Installed& installed, Environment environment) {
    Providers providers;
    for (const auto& entry : installed.providers) {
        auto provider = Provider::load(entry.source, environment);
        if (!provider) return fail(provider.error());
        if (const auto& id = (*provider)->info().id; id != entry.source.name)
            return fail(ErrorCode::misconfigured,
                        fmt::format("{}: id is \"{}\", but the folder is {}; name both alike.",
                                    entry.source.chunk_name, id, entry.source.name));
        apply_section((*provider)->info(), entry.values,
                      without_secrets(entry.schema, entry.values));
        providers.providers_.emplace(entry.source.name, std::move(*provider));
    }
    return providers;
}

Provider* Providers::find(std::string_view name) const {
    const auto found = providers_.find(name);
    return found == providers_.end() ? nullptr : found->second.get();
}

}  // namespace calhost::plugin
