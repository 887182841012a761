/// The plugins of one worker: what they render, and who of them is told what.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin/plugin.h"
#include "storage/jobs.h"

namespace calhost::plugin {

/// The kind of the jobs that tell plugins.
inline constexpr std::string_view kHookJob = "hook";

/// *Thread*: one worker's.
class Plugins {
  public:
    /// *Errors*: misconfigured, as Plugin::load.
    static Result<std::unique_ptr<Plugins>> load(const std::vector<InstalledPlugin>& installed,
                                                 Environment environment,
                                                 storage::Database& database, Powers& powers);

    /// The first plugin, by name, that has the template and gives an answer decides. *Errors*:
    /// those of its template, with the script's line; logged already.
    [[nodiscard]] Result<std::optional<boost::json::object>> render(
        std::string_view name, const std::vector<boost::json::object>& arguments) const;

    /// One job for each plugin that has the hook ("connection.created"), to be enqueued in the
    /// transaction of the change. Of the jobs about one subject and topic the newest waits, so that
    /// a deletion takes the place of a creation that was not told yet, and one runs at a time.
    /// `event` holds no secret and no mail address; it becomes what the hook is given, with `hook`,
    /// `at` and `user_id` beside it. Deleting the user or the connection leaves the jobs.
    [[nodiscard]] std::vector<storage::Job> hook_jobs(std::string_view hook,
                                                      std::string_view subject_id,
                                                      std::string_view user_id,
                                                      const boost::json::object& event) const;

    /// Runs a job of kind kHookJob. *Errors*: misconfigured, for a plugin that is not active any
    /// more; those of Plugin::run_hook.
    [[nodiscard]] Task<Result<void>> run_hook(storage::Job job) const;

    /// Lets a plugin do what it does again and again. *Errors*: those of Plugin::run_schedule.
    [[nodiscard]] Task<Result<void>> run_schedule(std::string plugin, std::string name) const;

    /// Null for a name that is not active.
    [[nodiscard]] Plugin* find(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, std::unique_ptr<Plugin>, std::less<>>& all() const {
        return plugins_;
    }

  private:
    explicit Plugins(Environment environment) : environment_(environment) {}

    Environment environment_;
    std::map<std::string, std::unique_ptr<Plugin>, std::less<>> plugins_;
};

}  // namespace calhost::plugin
