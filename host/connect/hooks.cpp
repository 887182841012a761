#include "connect/hooks.h"

#include <fmt/format.h>

#include "base/json.h"

namespace calhost::connect {

std::vector<storage::Job> hook_jobs(Services& services, std::string_view hook,
                                    const storage::Connection& connection,
                                    const boost::json::object& about) {
    if (services.plugins == nullptr) return {};
    auto event = about;
    event["connection"] = json::object{{"id", connection.id},
                                       {"provider", connection.provider},
                                       {"account", connection.account},
                                       {"purpose", connection.purpose}};
    const auto subject =
        hook.starts_with("connection.")
            ? fmt::format("{}/{}/{}", connection.user_id, connection.provider, connection.account)
            : connection.id;
    return services.plugins->hook_jobs(hook, subject, connection.user_id, event);
}

Result<void> enqueue_all(storage::Sql& sql, const std::vector<storage::Job>& jobs) {
    for (const auto& job : jobs)
        if (auto queued = storage::enqueue_job(sql, job); !queued) return queued;
    return {};
}

}  // namespace calhost::connect
