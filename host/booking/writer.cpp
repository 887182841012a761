#include "booking/writer.h"

#include "base/log.h"
#include "booking/decision.h"
#include "booking/shapes.h"
#include "calendar/event_record.h"
#include "connect/choice.h"
#include "connect/hooks.h"

namespace calhost::booking {
namespace {

using calendar::Event;

/// How often an event that changes under the host's hands is read and written again at once.
constexpr int kMostConflicts = 3;

bool is_same_content(const Event& a, const Event& b) {
    return calendar::content_hash(a) == calendar::content_hash(b);
}

/// Records have a name; until the provider gives one it is the intent.
std::string record_of(Event event, const std::string& intent) {
    event.id = intent;
    return calendar::to_record(event);
}

bool is_for_later(ErrorCode code) {
    return is_transient(code) || code == ErrorCode::needs_reauth || code == ErrorCode::cancelled;
}

/// Something changed while the run was on its way, as another account under the same label: the
/// next run begins from what is there then. A token that is refused although the provider has just
/// given it is no answer to the booking either.
Error as_seen_by_job(Error error) {
    if (error.code == ErrorCode::conflict || error.code == ErrorCode::unauthorized)
        error.code = ErrorCode::unavailable;
    return error;
}

/// What services say of a calendar that they do not have.
bool is_unknown_calendar(const Error& error) {
    return error.code == ErrorCode::not_found || error.code == ErrorCode::invalid;
}

}  // namespace

/// What one run works with.
struct Writer::Scene {
    View view;
    storage::Connection connection;
    plugin::Provider* provider;
    connect::ConnectionAccess access;
    Row row;  ///< state is empty: nothing was begun
    bool takes_part;
    Event wanted{};
};

Result<std::unique_ptr<Writer::Scene>> Writer::read(const storage::Job& job) {
    auto& sql = services_->database.reader();
    const auto target = parse_target(job.target);
    if (!target) return fail(target.error());
    auto connection = storage::find_connection(sql, job.user_id, target->connection_id);
    if (!connection) return fail(connection.error());
    auto booking = storage::find_booking_for_job(sql, target->booking);
    if (!booking) return fail(booking.error());
    auto user = storage::find_user(sql, job.user_id);
    if (!user) return fail(user.error());
    auto row =
        storage::find_booking_event(sql, target->booking, target->connection_id, job.user_id);
    if (!row) return fail(row.error());
    if (!*connection || !*booking || !*user) return nullptr;
    auto* provider = services_->providers.find((*connection)->provider);
    if (provider == nullptr)
        return fail(ErrorCode::misconfigured, "The provider is not installed any more.");
    auto view = view_of(sql, **booking, **user);
    if (!view) return fail(view.error());
    const bool takes_part = view->has_value();
    return std::make_unique<Scene>(
        Scene{takes_part ? std::move(**view) : View{std::move(**booking), {}, {}, **user},
              **connection,
              provider,
              {*keeper_, **connection},
              row->value_or(Row{}),
              takes_part});
}

Task<Result<void>> Writer::run(const storage::Job& job) {
    auto scene = read(job);
    if (!scene) co_return fail(std::move(scene.error()));
    if (!*scene) co_return Result<void>{};
    auto settled = co_await settle(**scene);
    if (!settled) settled = fail(as_seen_by_job(std::move(settled.error())));
    if (!settled && !is_for_later(settled.error().code))
        co_return co_await record_failure(**scene, settled.error());
    co_return settled;
}

Task<Result<void>> Writer::settle(Scene& scene) {
    const bool is_wanted =
        scene.takes_part &&
        belongs(scripts_, scene.view, scene.connection, scene.row, services_->clock.now()).answer;
    return is_wanted ? bring(scene) : remove(scene);
}

Task<Result<void>> Writer::bring(Scene& scene) {
    auto& row = scene.row;
    if (row.state == "given_up") co_return Result<void>{};
    auto composed = compose(scripts_, scene.view);
    if (!composed) co_return fail(std::move(composed.error()));
    scene.wanted = std::move(composed->event);
    if (row.state == "written" && row.calendar_id == scene.connection.calendar_id) {
        Event base;
        if (auto read = calendar::read_record(base, row.written); !read) co_return read;
        if (!is_same_content(base, scene.wanted)) co_return co_await update(scene);
        if (row.version == scene.view.booking.version) co_return Result<void>{};
        row.version = scene.view.booking.version;
        co_return co_await save(scene);
    }
    if (row.state == "missing" && row.calendar_id == scene.connection.calendar_id)
        co_return co_await update(scene);
    if (may_be_there(row) && row.calendar_id != scene.connection.calendar_id)
        if (auto removed = co_await remove(scene); !removed) co_return removed;
    if (!row.external_id.empty()) co_return co_await update(scene);
    co_return co_await create(scene);
}

Task<Result<void>> Writer::create(Scene& scene) {
    if (scene.connection.state != "active")
        co_return fail(ErrorCode::needs_reauth, "The calendar waits for its person.");
    auto& row = scene.row;
    const bool is_repeated = may_be_there(row);
    if (!is_repeated) row.intent = new_id(services_->random);
    row.booking = scene.view.booking.number;
    row.user_id = scene.connection.user_id;
    row.provider = scene.connection.provider;
    row.account_id = scene.connection.external_id;
    row.connection_id = scene.connection.id;
    row.role = scene.view.person.role;
    row.calendar_id = scene.connection.calendar_id;
    row.state = "writing";
    row.version = scene.view.booking.version;
    row.written = record_of(scene.wanted, row.intent);
    if (auto saved = co_await save(scene); !saved) co_return saved;
    co_await services_->crash_points.reach("booking.intent");
    auto written = co_await scene.provider->create_event(scene.access, row.calendar_id,
                                                         scene.wanted, row.intent);
    if (!written && is_unknown_calendar(written.error())) {
        const auto named = co_await connect::name_calendar(*services_, *keeper_, scene.connection);
        if (named && *named)
            co_return fail(ErrorCode::unavailable, "The calendar was looked up; again.");
    }
    if (!written) co_return fail(std::move(written.error()));
    co_await services_->crash_points.reach("booking.created");
    // An earlier run may have made it, from what was wanted then.
    if (is_repeated && !is_same_content(merge({}, scene.wanted, written->event), written->event)) {
        row.external_id = written->event.id;
        co_return co_await write_over(scene, {});
    }
    co_return co_await store_written(scene, *written);
}

Task<Result<void>> Writer::update(Scene& scene) {
    if (scene.connection.state != "active")
        co_return fail(ErrorCode::needs_reauth, "The calendar waits for its person.");
    auto& row = scene.row;
    // What an update that ended in the middle has written, nobody knows: then all of it counts as
    // changed.
    Event base;
    if (row.state == "written" || row.state == "missing")
        if (auto read = calendar::read_record(base, row.written); !read) co_return read;
    row.state = "writing";
    row.version = scene.view.booking.version;
    if (auto saved = co_await save(scene); !saved) co_return saved;
    co_await services_->crash_points.reach("booking.update");
    co_return co_await write_over(scene, base);
}

Task<Result<void>> Writer::write_over(Scene& scene, const Event& base) {
    auto& row = scene.row;
    auto& provider = *scene.provider;
    for (int i = 0; i < kMostConflicts; ++i) {
        auto there = co_await provider.get_event(scene.access, row.calendar_id, row.external_id);
        if (!there && there.error().code == ErrorCode::not_found)
            co_return co_await deleted_by_person(scene);
        if (!there) co_return fail(std::move(there.error()));
        const auto etag = there->etag;
        auto merged = merge(base, scene.wanted, *there);
        if (is_same_content(merged, *there))
            co_return co_await store_written(scene, {std::move(*there), {}});
        auto written = co_await provider.update_event(scene.access, row.calendar_id,
                                                      row.external_id, std::move(merged), etag);
        if (written) {
            co_await services_->crash_points.reach("booking.updated");
            co_return co_await store_written(scene, *written);
        }
        if (written.error().code != ErrorCode::conflict &&
            written.error().code != ErrorCode::not_found)
            co_return fail(std::move(written.error()));
    }
    co_return fail(ErrorCode::unavailable, "The event changes faster than it can be written.");
}

Task<Result<void>> Writer::deleted_by_person(Scene& scene) {
    auto& row = scene.row;
    row.external_id.clear();
    row.etag.clear();
    if (when_deleted(scripts_, scene.view).answer == plugin::WhenDeleted::restore)
        co_return co_await create(scene);
    row.state = "given_up";
    row.written.clear();
    co_return co_await save(scene);
}

Task<Result<void>> Writer::remove(Scene& scene) {
    auto& row = scene.row;
    if (row.state.empty() || row.state == "removed") co_return Result<void>{};
    if (may_be_there(row)) {
        if (scene.connection.state != "active")
            co_return fail(ErrorCode::needs_reauth, "The calendar waits for its person.");
        if (row.external_id.empty()) {
            // The same intent again finds what an earlier run made, or makes what goes at once.
            Event event;
            if (auto read = calendar::read_record(event, row.written); !read) co_return read;
            auto found = co_await scene.provider->create_event(scene.access, row.calendar_id,
                                                               std::move(event), row.intent);
            if (!found && is_for_later(found.error().code)) co_return fail(found.error());
            if (found) row.external_id = found->event.id;
        }
        if (!row.external_id.empty()) {
            auto deleted = co_await scene.provider->delete_event(scene.access, row.calendar_id,
                                                                 row.external_id, {});
            if (!deleted) co_return deleted;
            co_await services_->crash_points.reach("booking.deleted");
        }
    }
    row = {.number = row.number,
           .booking = row.booking,
           .user_id = row.user_id,
           .provider = row.provider,
           .account_id = row.account_id,
           .connection_id = row.connection_id,
           .role = row.role,
           .state = "removed",
           .version = scene.view.booking.version};
    co_return co_await save(scene);
}

Task<Result<void>> Writer::store_written(Scene& scene, const plugin::Written& written) {
    auto& row = scene.row;
    row.external_id = written.event.id;
    row.etag = written.event.etag;
    row.state = "written";
    row.written = record_of(scene.wanted, row.intent);
    row.error.clear();
    co_return co_await save_and_tell(scene, "booking.synced");
}

Task<Result<void>> Writer::save(Scene& scene) { return store_row(scene, {}); }

Task<Result<void>> Writer::store_row(Scene& scene, std::vector<storage::Job> hooks) {
    scene.row.updated_at = services_->clock.now();
    auto number = co_await services_->database.write_for<std::int64_t>(
        [&](storage::Sql& sql) -> Result<std::int64_t> {
            auto saved = storage::save_booking_event(sql, scene.row);
            if (!saved) return saved;
            if (auto told = connect::enqueue_all(sql, hooks); !told) return fail(told.error());
            return saved;
        });
    if (!number) co_return fail(std::move(number.error()));
    scene.row.number = *number;
    co_return Result<void>{};
}

Task<Result<void>> Writer::save_and_tell(Scene& scene, std::string_view hook) {
    const auto& row = scene.row;
    const auto& booking = scene.view.booking;
    std::vector<storage::Job> hooks;
    if (services_->plugins != nullptr)
        hooks = services_->plugins->hook_jobs(hook, target_of(row.connection_id, booking.number),
                                              row.user_id,
                                              {{"booking", booking_shape(booking)},
                                               {"role", row.role},
                                               {"connection_id", row.connection_id},
                                               {"provider", scene.connection.provider},
                                               {"external_event_id", row.external_id},
                                               {"state", row.state},
                                               {"error", row.error}});
    return store_row(scene, std::move(hooks));
}

/// Only a person can go on: the row says so too, since jobs are for operators.
Task<Result<void>> Writer::record_failure(Scene& scene, const Error& error) {
    auto& row = scene.row;
    log::warning("a booking did not reach a calendar", {{"connection_id", scene.connection.id},
                                                        {"provider", scene.connection.provider},
                                                        {"booking", scene.view.booking.number},
                                                        {"code", to_string(error.code)},
                                                        {"reason", error.message}});
    if (!row.state.empty()) {
        row.state = "failed";
        row.error = error.message;
        if (auto saved = co_await save_and_tell(scene, "booking.failed"); !saved) co_return saved;
    }
    co_return fail(error);
}

Task<Result<void>> run_booking_job(connect::Services& services, connect::TokenKeeper& keeper,
                                   storage::Job job) {
    Writer writer(services, keeper);
    co_return co_await writer.run(job);
}

}  // namespace calhost::booking
