// What a person changes of a connection: a grant that is stored, what was chosen, its end; and what
// else has to follow in the same transaction.
#include "storage/booking_events.h"
#include "storage/changed.h"
#include "storage/connection_rows.h"
#include "storage/jobs.h"

namespace calhost::storage {
namespace {

/// What was read from one account says nothing about another.
Result<void> forget_account(Sql& sql, std::string_view connection_id) {
    if (auto done = detach_booking_events(sql, connection_id); !done) return done;
    for (const std::string_view statement : {"DELETE FROM event_calendars WHERE connection_id = $1",
                                             "DELETE FROM cursors WHERE connection_id = $1",
                                             "DELETE FROM calendars WHERE connection_id = $1"}) {
        auto done = sql.execute(statement, {connection_id});
        if (!done) return fail(std::move(done.error()));
    }
    return {};
}

/// The cursor that covers events goes with them.
Result<void> forget_calendar(Sql& sql, std::string_view connection_id,
                             std::string_view calendar_id) {
    for (const std::string_view statement :
         {"DELETE FROM event_calendars WHERE connection_id = $1 AND calendar_id = $2",
          "DELETE FROM cursors WHERE connection_id = $1 AND calendar_id = $2"}) {
        auto done = sql.execute(statement, {connection_id, calendar_id});
        if (!done) return fail(std::move(done.error()));
    }
    return {};
}

/// The new grant in the place of the old one.
Result<Connection> replace_grant(Sql& sql, const Connection& grant, const Connection& old) {
    Connection row = grant;
    row.id = old.id;
    row.generation = old.generation + 1;
    row.takes_bookings = old.takes_bookings && row.purpose == "full";
    if (row.external_id == old.external_id) {
        row.calendar_id = old.calendar_id;
        row.busy_calendars = old.busy_calendars;
        row.sync_enabled = old.sync_enabled;
        if (!row.sync_enabled) row.state = "paused";
        row.sync_mode = old.sync_mode;
        row.last_synced_at = old.last_synced_at;
    } else {
        row.last_synced_at.reset();
        auto done = forget_account(sql, row.id);
        if (!done) return fail(std::move(done.error()));
    }
    auto done = update_connection(sql, row);
    if (!done) return fail(std::move(done.error()));
    return row;
}

/// Somebody's bookings go somewhere: to the oldest connection that can be written to, if none takes
/// them.
Result<void> place_bookings(Sql& sql, std::string_view user_id) {
    return to_void(sql.execute(
        "UPDATE connections SET takes_bookings = 1 WHERE id = (SELECT id FROM connections "
        "WHERE user_id = $1 AND purpose = 'full' ORDER BY connected_at, id LIMIT 1) "
        "AND NOT EXISTS (SELECT 1 FROM connections WHERE user_id = $1 AND takes_bookings = 1)",
        {user_id}));
}

}  // namespace

Result<Connection> store_grant(Sql& sql, const Connection& connection) {
    auto old = find_connection(sql, connection.user_id, connection.provider, connection.account);
    if (!old) return fail(std::move(old.error()));
    Result<Connection> stored = connection;
    if (*old) {
        stored = replace_grant(sql, connection, **old);
    } else {
        stored->generation = 1;
        auto done = insert_connection(sql, *stored);
        if (!done) return fail(std::move(done.error()));
    }
    if (!stored) return stored;
    if (auto placed = place_bookings(sql, stored->user_id); !placed) return fail(placed.error());
    if (auto known = attach_booking_events(sql, stored->id); !known) return fail(known.error());
    sql.notify({"connections", stored->id, stored->user_id});
    if (auto followed = follow_connection(sql, stored->id); !followed)
        return fail(followed.error());
    auto row = find_connection(sql, stored->user_id, stored->id);
    if (!row) return fail(std::move(row.error()));
    return std::move(**row);
}

Result<std::optional<Connection>> choose(Sql& sql, std::string_view id, std::string_view user_id,
                                         const ConnectionChoice& choice, Timestamp now) {
    auto old = find_connection(sql, user_id, id);
    if (!old || !*old) return old;
    Connection row = std::move(**old);
    if (choice.calendar_id && *choice.calendar_id != row.calendar_id) {
        if (auto done = forget_calendar(sql, id, row.calendar_id); !done) return fail(done.error());
        row.calendar_id = *choice.calendar_id;
        row.last_synced_at.reset();
    }
    if (choice.busy_calendars) row.busy_calendars = choice.busy_calendars;
    if (choice.takes_bookings.value_or(false)) {
        auto others =
            sql.execute("UPDATE connections SET takes_bookings = 0 WHERE user_id = $1", {user_id});
        if (!others) return fail(std::move(others.error()));
    }
    row.takes_bookings = choice.takes_bookings.value_or(row.takes_bookings);
    row.sync_enabled = choice.sync_enabled.value_or(row.sync_enabled);
    if (row.state == "active" && !row.sync_enabled) row.state = "paused";
    if (row.state == "paused" && row.sync_enabled) row.state = "active";
    row.updated_at = now;
    if (auto done = update_connection(sql, row); !done) return fail(done.error());
    sql.notify({"connections", row.id, row.user_id});
    if (auto followed = follow_connection(sql, row.id); !followed) return fail(followed.error());
    return row;
}

Result<bool> delete_connection(Sql& sql, std::string_view user_id, std::string_view id) {
    auto jobs =
        sql.execute("DELETE FROM jobs WHERE user_id = $1 AND target = $2 AND status <> 'running'",
                    {user_id, id});
    if (!jobs) return fail(std::move(jobs.error()));
    if (auto gone = delete_jobs_of(sql, id); !gone) return fail(std::move(gone.error()));
    auto done =
        sql.execute("DELETE FROM connections WHERE id = $1 AND user_id = $2", {id, user_id});
    if (done && *done > 0)
        if (auto left = detach_booking_events(sql, id); !left) return fail(left.error());
    if (auto placed = place_bookings(sql, user_id); !placed) return fail(placed.error());
    return notify_if_changed(sql, std::move(done),
                             {"connections", std::string(id), std::string(user_id)});
}

}  // namespace calhost::storage
