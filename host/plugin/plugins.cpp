#include "plugin/plugins.h"

#include <fmt/format.h>

#include "base/json.h"

namespace calhost::plugin {

Result<std::unique_ptr<Plugins>> Plugins::load(const std::vector<InstalledPlugin>& installed,
                                               Environment environment, storage::Database& database,
                                               Powers& powers) {
    std::unique_ptr<Plugins> plugins(new Plugins(environment));
    for (const auto& one : installed) {
        auto plugin = Plugin::load(one, environment, database, powers);
        if (!plugin) return fail(plugin.error());
        plugins->plugins_.emplace(one.source.name, std::move(*plugin));
    }
    return plugins;
}

Result<std::optional<boost::json::object>> Plugins::render(
    std::string_view name, const std::vector<boost::json::object>& arguments) const {
    for (const auto& [plugin_name, plugin] : plugins_) {
        auto texts = plugin->render(name, arguments);
        if (!texts || *texts) return texts;
    }
    return std::nullopt;
}

std::vector<storage::Job> Plugins::hook_jobs(std::string_view hook, std::string_view subject_id,
                                             std::string_view user_id,
                                             const boost::json::object& event) const {
    std::vector<storage::Job> jobs;
    const auto now = environment_.clock.now();
    for (const auto& [name, plugin] : plugins_) {
        if (!plugin->info().hooks.contains(hook)) continue;
        auto told = event;
        told["hook"] = hook;
        told["at"] = format_rfc3339(now);
        told["user_id"] = user_id;
        // Nobody's: what must be told is told when the user is deleted, too.
        jobs.push_back(
            {.id = new_id(environment_.random),
             .kind = std::string(kHookJob),
             .target = fmt::format("{}/{}/{}", name, hook.substr(0, hook.find('.')), subject_id),
             .user_id = {},
             .payload = json::serialize(json::object{{"plugin", name}, {"event", std::move(told)}}),
             .lane = "plugins/" + name,
             .run_at = now,
             .created_at = now});
    }
    return jobs;
}

Task<Result<void>> Plugins::run_hook(storage::Job job) const {
    const auto payload = json::parse(job.payload);
    if (!payload) co_return fail(payload.error());
    const std::string name(json::text_of(*payload, "plugin"));
    auto* plugin = find(name);
    if (plugin == nullptr)
        co_return fail(ErrorCode::misconfigured,
                       fmt::format("The plugin {} is not active any more. Name it under `plugins:` "
                                   "and replay the job, or delete the job.",
                                   name));
    const auto* event = json::find(*payload, "event");
    if (event == nullptr || !event->is_object())
        co_return fail(ErrorCode::invalid, "The job of a hook has no event.");
    co_return co_await plugin->run_hook(std::string(json::text_of(*event, "hook")),
                                        event->get_object());
}

Task<Result<void>> Plugins::run_schedule(std::string plugin, std::string name) const {
    auto* found = find(plugin);
    if (found == nullptr) co_return Result<void>{};
    co_return co_await found->run_schedule(std::move(name));
}

Plugin* Plugins::find(std::string_view name) const {
    const auto found = plugins_.find(name);
    return found == plugins_.end() ? nullptr : found->second.get();
}

}  // namespace calhost::plugin
