#include "booking/accept.h"

#include "base/json.h"
#include "booking/jobs.h"
#include "storage/audit.h"

namespace calhost::booking {
namespace {

using storage::Outcome;
using storage::StoredBooking;

/// A message counts as a repetition for longer than its signature is good.
constexpr std::chrono::minutes kMessageMemory{15};

std::string_view action_of(const StoredBooking& stored) {
    if (stored.booking.status == "cancelled") return "booking.cancelled";
    return stored.outcome == Outcome::created ? "booking.created" : "booking.updated";
}

/// Its people may read about it in their own logs, so each who is known has an entry; when nobody
/// is, there is one of nobody.
Result<void> write_entries(storage::Sql& sql, const StoredBooking& stored, const Sender& sender,
                           Timestamp now) {
    const auto details = json::serialize(
        json::object{{"version", stored.booking.version}, {"status", stored.booking.status}});
    std::vector<std::string> concerned;
    for (const auto& person : stored.booking.people)
        if (person.user_id) concerned.push_back(*person.user_id);
    if (concerned.empty()) concerned.emplace_back();
    for (const auto& user_id : concerned) {
        auto done = storage::write_audit(sql, {.at = now,
                                               .action = std::string(action_of(stored)),
                                               .actor = sender.actor,
                                               .user_id = user_id,
                                               .subject = stored.booking.id,
                                               .details = details,
                                               .request_id = sender.request_id});
        if (!done) return done;
    }
    return {};
}

Result<StoredBooking> store(storage::Sql& sql, const storage::Booking& booking,
                            const Sender& sender) {
    auto stored = storage::store_booking(sql, booking);
    if (!stored) return stored;
    if (stored->outcome != Outcome::created && stored->outcome != Outcome::updated) return stored;
    const auto now = booking.updated_at;
    if (auto queued = enqueue_booking_jobs(sql, stored->booking.number, now); !queued)
        return fail(std::move(queued.error()));
    if (auto written = write_entries(sql, *stored, sender, now); !written)
        return fail(std::move(written.error()));
    return stored;
}

}  // namespace

Task<Result<StoredBooking>> accept(connect::Services& services, storage::Booking booking,
                                   Sender sender) {
    booking.updated_at = services.clock.now();
    auto stored = co_await services.database.write_for<StoredBooking>(
        [&](storage::Sql& sql) { return store(sql, booking, sender); });
    co_await services.crash_points.reach("booking.stored");
    co_return stored;
}

Task<Result<std::optional<StoredBooking>>> accept_message(connect::Services& services,
                                                          storage::Booking booking, Sender sender,
                                                          std::string message_id) {
    using Stored = std::optional<StoredBooking>;
    const auto now = services.clock.now();
    booking.updated_at = now;
    auto stored =
        co_await services.database.write_for<Stored>([&](storage::Sql& sql) -> Result<Stored> {
            auto is_new = storage::remember_message(sql, booking.application_id, message_id, now,
                                                    now + kMessageMemory);
            if (!is_new) return fail(std::move(is_new.error()));
            if (!*is_new) return Stored();
            auto done = store(sql, booking, sender);
            if (!done) return fail(std::move(done.error()));
            return Stored(std::move(*done));
        });
    co_await services.crash_points.reach("booking.stored");
    co_return stored;
}

}  // namespace calhost::booking
