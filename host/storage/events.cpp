#include "storage/events.h"

#include <algorithm>
#include <set>

#include "calendar/event_record.h"
#include "calendar/recurrence.h"
#include "storage/changed.h"
#include "storage/ownership.h"

namespace calhost::storage {
namespace {

constexpr Timestamp kNever = from_millis(std::int64_t{1} << 53);
/// A date's instant is its midnight in UTC; in the reader's zone it may lie this much off.
constexpr std::chrono::hours kDateSlack{14};

struct Span {
    Timestamp starts_at;
    Timestamp ends_at;
};

/// When the row may matter; rather too wide than too narrow, since calendar::expand looks closely.
Span span_of(const calendar::Event& event) {
    const auto length = std::max(event.finish.instant - event.start.instant, milliseconds{1});
    Span span{event.start.instant, event.start.instant + length};
    if (event.is_series()) {
        for (const auto& date : event.recurrence->rdate)
            span.starts_at = std::min(span.starts_at, date.instant);
        const auto end = calendar::series_end(event);
        // A rule that cannot be read is shown as its first occurrence, wherever that is.
        const bool is_endless = !end || !*end;
        span.ends_at = is_endless ? kNever : std::max(span.ends_at, **end + length);
    }
    if (event.is_this_and_future) span.ends_at = kNever;  // it moves what comes later
    if (event.is_all_day()) {
        span.starts_at -= kDateSlack;
        if (span.ends_at != kNever) span.ends_at += kDateSlack;
    }
    return span;
}

std::int64_t read_number(const Row& row) { return row.integer(0); }

/// The number by which rows of `events` name their calendar; none as long as it has had no events.
Result<std::optional<std::int64_t>> find_number(Sql& sql, std::string_view connection_id,
                                                std::string_view calendar_id) {
    return sql.first(
        "SELECT number FROM event_calendars WHERE connection_id = $1 AND calendar_id = $2",
        {connection_id, calendar_id}, read_number);
}

Result<std::int64_t> find_or_make_number(Sql& sql, std::string_view connection_id,
                                         std::string_view calendar_id) {
    auto number = find_number(sql, connection_id, calendar_id);
    if (number && !*number)
        number = sql.first(
            "INSERT INTO event_calendars (connection_id, calendar_id) VALUES ($1, $2) "
            "RETURNING number",
            {connection_id, calendar_id}, read_number);
    if (!number) return fail(std::move(number.error()));
    return **number;
}

struct Version {
    std::string content_hash;
    std::string etag;
};
Version read_version(const Row& row) { return {row.string(0), row.string(1)}; }

/// One batch of one calendar, with what its statements share.
struct Batch {
    Sql& sql;
    std::int64_t calendar;
    std::string_view run_id;
    BatchCounts counts{};

    /// Most rows of a batch are new: inserting is tried first, one statement for each of them.
    Result<void> save(const calendar::Event& event) {
        const std::string hash = calendar::content_hash(event);
        auto inserted = insert(event, hash);
        if (!inserted) return fail(std::move(inserted.error()));
        if (*inserted == 0) return save_known(event, hash);
        ++counts.created;
        return {};
    }

    Result<std::int64_t> insert(const calendar::Event& event, const std::string& hash) {
        const auto [starts_at, ends_at] = span_of(event);
        const std::string data = calendar::to_record(event);
        return sql.execute(
            "INSERT INTO events (calendar, id, run_id, content_hash, etag, starts_at, ends_at, "
            "series_id, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
            "ON CONFLICT (calendar, id) DO NOTHING",
            {calendar, event.id, run_id, hash, event.etag, starts_at, ends_at, event.series_id,
             data});
    }

    Result<void> save_known(const calendar::Event& event, const std::string& hash) {
        auto stored =
            sql.first("SELECT content_hash, etag FROM events WHERE calendar = $1 AND id = $2",
                      {calendar, event.id}, read_version);
        if (!stored) return fail(std::move(stored.error()));
        const auto& [stored_hash, stored_etag] = **stored;
        if (stored_hash == hash && stored_etag == event.etag) return mark(event.id);
        if (stored_hash != hash) ++counts.updated;
        return update(event, hash);
    }

    Result<void> update(const calendar::Event& event, const std::string& hash) {
        const auto [starts_at, ends_at] = span_of(event);
        const std::string data = calendar::to_record(event);
        return to_void(sql.execute(
            "UPDATE events SET run_id = $3, content_hash = $4, etag = $5, starts_at = $6, "
            "ends_at = $7, series_id = $8, data = $9 WHERE calendar = $1 AND id = $2",
            {calendar, event.id, run_id, hash, event.etag, starts_at, ends_at, event.series_id,
             data}));
    }

    Result<void> mark(std::string_view id) {
        return to_void(sql.execute(
            "UPDATE events SET run_id = $3 WHERE calendar = $1 AND id = $2 AND run_id <> $3",
            {calendar, id, run_id}));
    }
};

/// Rows as events; a damaged one is remembered and the others are read.
struct EventReader {
    std::vector<calendar::Event> events{};
    std::optional<Error> damage{};

    void operator()(const Row& row) {
        auto read = calendar::read_record(events.emplace_back(), row.text(0));
        if (read) return;
        events.pop_back();
        if (!damage) damage = std::move(read.error());
    }
};

/// Series that end before the window, with an override that moves all later occurrences, perhaps
/// into it: such a series is needed whole.
Result<void> add_moved_series(Sql& sql, std::int64_t calendar, EventReader& found) {
    std::set<std::string> moved;
    std::set<std::string> known;
    for (const auto& event : found.events) {
        known.insert(event.id);
        if (event.is_this_and_future) moved.insert(event.series_id);
    }
    EventReader whole;
    for (const auto& id : moved) {
        if (known.contains(id)) continue;
        auto read = sql.query(
            "SELECT data FROM events WHERE calendar = $1 AND id = $2 UNION ALL "
            "SELECT data FROM events WHERE calendar = $1 AND series_id = $2 AND series_id <> ''",
            {calendar, id}, [&](const Row& row) { whole(row); });
        if (!read) return read;
    }
    for (auto& event : whole.events)
        if (known.insert(event.id).second) found.events.push_back(std::move(event));
    if (whole.damage) found.damage = std::move(whole.damage);
    return {};
}

}  // namespace

Result<BatchCounts> save_events(Sql& sql, std::string_view connection_id,
                                std::string_view calendar_id, std::string_view user_id,
                                const std::vector<calendar::Event>& events,
                                std::string_view run_id) {
    if (auto owned = require_owner(sql, connection_id, user_id); !owned)
        return fail(std::move(owned.error()));
    if (events.empty()) return BatchCounts{};
    const auto number = find_or_make_number(sql, connection_id, calendar_id);
    if (!number) return fail(number.error());
    Batch batch{sql, *number, run_id};
    for (const auto& event : events) {
        auto done = batch.save(event);
        if (!done) return fail(std::move(done.error()));
    }
    return batch.counts;
}

Result<std::int64_t> delete_events(Sql& sql, std::string_view connection_id,
                                   std::string_view calendar_id,
                                   const std::vector<std::string>& ids) {
    const auto number = find_number(sql, connection_id, calendar_id);
    if (!number) return fail(number.error());
    std::int64_t deleted = 0;
    if (!*number) return deleted;
    for (const auto& id : ids) {
        for (const std::string_view statement :
             {"DELETE FROM events WHERE calendar = $1 AND id = $2",
              "DELETE FROM events WHERE calendar = $1 AND series_id = $2 AND series_id <> ''"}) {
            auto done = sql.execute(statement, {**number, id});
            if (!done) return done;
            deleted += *done;
        }
    }
    return deleted;
}

Result<std::int64_t> delete_other_events(Sql& sql, std::string_view connection_id,
                                         std::string_view calendar_id,
                                         const std::vector<std::string>& ids,
                                         const std::vector<calendar::Event>& kept) {
    const auto number = find_number(sql, connection_id, calendar_id);
    if (!number) return fail(number.error());
    std::int64_t deleted = 0;
    if (!*number) return deleted;
    std::set<std::string_view> known;
    for (const auto& event : kept) known.insert(event.id);
    for (const auto& id : ids) {
        auto rows = sql.all(
            "SELECT id FROM events WHERE calendar = $1 AND id = $2 UNION ALL "
            "SELECT id FROM events WHERE calendar = $1 AND series_id = $2 AND series_id <> ''",
            {**number, id}, +[](const Row& row) { return row.string(0); });
        if (!rows) return fail(std::move(rows.error()));
        for (const auto& row : *rows) {
            if (known.contains(row)) continue;
            auto done =
                sql.execute("DELETE FROM events WHERE calendar = $1 AND id = $2", {**number, row});
            if (!done) return done;
            deleted += *done;
        }
    }
    return deleted;
}

Result<std::int64_t> delete_unseen_events(Sql& sql, std::string_view connection_id,
                                          std::string_view calendar_id, std::string_view run_id,
                                          std::optional<calendar::Window> window) {
    const auto number = find_number(sql, connection_id, calendar_id);
    if (!number) return fail(number.error());
    if (!*number) return 0;
    if (window)
        if (auto left = sql.execute("DELETE FROM events WHERE calendar = $1 AND run_id <> $2 "
                                    "AND NOT (ends_at > $3 AND starts_at < $4)",
                                    {**number, run_id, window->start, window->finish});
            !left)
            return left;
    return sql.execute("DELETE FROM events WHERE calendar = $1 AND run_id <> $2",
                       {**number, run_id});
}

Result<std::vector<calendar::Event>> find_events(Sql& sql, std::string_view connection_id,
                                                 std::string_view calendar_id,
                                                 calendar::Window window) {
    const auto number = find_number(sql, connection_id, calendar_id);
    if (!number) return fail(number.error());
    EventReader found;
    if (!*number) return std::move(found.events);
    // The second half: overrides that were moved out of the window while their series is in it. The
    // doubled condition on series_id makes SQLite begin with the few overrides.
    auto read = sql.query(
        "SELECT data FROM events WHERE calendar = $1 AND ends_at > $2 AND starts_at < $3 "
        "UNION ALL "
        "SELECT o.data FROM events o JOIN events s ON s.calendar = o.calendar "
        "AND s.id = o.series_id "
        "WHERE o.calendar = $1 AND o.series_id <> '' AND o.series_id > '' "
        "AND NOT (o.ends_at > $2 AND o.starts_at < $3) AND s.ends_at > $2 AND s.starts_at < $3",
        {**number, window.start, window.finish}, [&](const Row& row) { found(row); });
    if (read) read = add_moved_series(sql, **number, found);
    if (!read) return fail(std::move(read.error()));
    if (found.damage) return fail(std::move(*found.damage));
    return std::move(found.events);
}

Result<std::int64_t> count_events(Sql& sql, std::string_view connection_id) {
    std::int64_t count = 0;
    auto read = sql.query(
        "SELECT count(*) FROM events WHERE calendar IN "
        "(SELECT number FROM event_calendars WHERE connection_id = $1)",
        {connection_id}, [&](const Row& row) { count = row.integer(0); });
    if (!read) return fail(std::move(read.error()));
    return count;
}

}  // namespace calhost::storage
