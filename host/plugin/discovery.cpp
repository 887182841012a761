#include "plugin/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "plugin/provider_check.h"
#include "plugin/provider_parts.h"

namespace calhost::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMissing =
    "cannot be read; the folder of a provider holds provider.lua and schema.lua";

std::optional<std::string> read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

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

/// The folders of `root` by name.
std::vector<fs::path> folders(const fs::path& root) {
    std::vector<fs::path> found;
    std::error_code ignored;  // no folder: nothing is installed
    for (const auto& entry : fs::directory_iterator(root, ignored))
        if (entry.is_directory()) found.push_back(entry.path());
    std::ranges::sort(found);
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

/// "x.lua does not load: x.lua:3: why" and a traceback become the complaint "why" about line 3.
config::Complaint script_complaint(std::string file, std::string_view chunk, const Error& error) {
    const std::string_view details = error.message;
    const int line = line_in(details, chunk);
    auto reason = details.substr(0, details.find('\n'));
    const auto place = line > 0 ? fmt::format("{}:{}: ", chunk, line) : fmt::format("{}: ", file);
    if (const auto at = reason.find(place); at != reason.npos)
        reason.remove_prefix(at + place.size());
    return {.file = std::move(file), .line = line, .key = {}, .message = std::string(reason)};
}

void read_rules(const config::Settings& settings, Installed& installed) {
    for (const auto& name : settings.rules) {
        const auto code = read_file(settings.paths.scripts / name);
        if (code)
            installed.rules.push_back({name, *code});
        else
            complain(installed, (settings.paths.scripts / name).string(), "rules",
                     "cannot be read");
    }
}

}  // namespace

Installed discover(const config::Settings& settings, const Clock& clock) {
    Installed installed;
    for (const auto& folder : folders(settings.paths.providers))
        read_provider(folder, settings, clock, installed);
    check_sections_have_providers(settings, installed);
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
