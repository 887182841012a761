#include "connect/jobs.h"

#include <fmt/format.h>

#include "base/json.h"

namespace calhost::connect {

storage::Job sync_job(Services& services, const storage::Connection& connection,
                      std::string_view trigger) {
    const auto now = services.clock.now();
    return {.id = new_id(services.random),
            .kind = std::string(kSyncJob),
            .target = connection.id,
            .user_id = connection.user_id,
            .payload = json::serialize(json::object{{"trigger", trigger}}),
            .lane = connection.provider,
            .run_at = now,
            .created_at = now};
}

Result<void> enqueue_bookings(storage::Sql& sql, std::string_view user_id, Timestamp now) {
    return storage::enqueue_job(sql, {.id = fmt::format("{}/{}", kBookingsJob, user_id),
                                      .kind = std::string(kBookingsJob),
                                      .target = std::string(user_id),
                                      .user_id = std::string(user_id),
                                      .payload = "{}",
                                      .run_at = now,
                                      .created_at = now});
}

}  // namespace calhost::connect
