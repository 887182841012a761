/// Tables `calendars`, `cursors` and `events`: what the last sync saw.
#pragma once

#include "calendar/event.h"
#include "storage/sql.h"

namespace calhost::storage {

struct CalendarRow {
    std::string connection_id;
    std::string id;  ///< the provider's
    std::string name;
    bool is_primary = false;
    bool is_read_only = false;
    std::string color;
    std::string time_zone;
};
/// The connection's calendars become exactly these.
Result<void> replace_calendars(Sql& sql, std::string_view connection_id, std::string_view user_id,
                               const std::vector<CalendarRow>& calendars);
Result<std::vector<CalendarRow>> list_calendars(Sql& sql, std::string_view connection_id,
                                                std::string_view user_id);

/// Saved with the batch that it covers, never before.
Result<std::optional<std::string>> find_cursor(Sql& sql, std::string_view connection_id,
                                               std::string_view calendar_id);
/// `window_finish`: the end of the window that the cursor belongs to; none keeps the one before.
Result<void> save_cursor(Sql& sql, std::string_view connection_id, std::string_view calendar_id,
                         std::string_view cursor, Timestamp now,
                         std::optional<Timestamp> window_finish = {});
/// None where the cursor covers the whole calendar.
Result<std::optional<Timestamp>> find_window_finish(Sql& sql, std::string_view connection_id,
                                                    std::string_view calendar_id);
Result<void> delete_cursor(Sql& sql, std::string_view connection_id, std::string_view calendar_id);

/// What a batch did.
struct BatchCounts {
    std::int64_t created = 0, updated = 0, deleted = 0;
};
/// Upserts by (connection, calendar, event id). Counts only real changes (content hash); an
/// unchanged row is not written, but is marked as seen by `run`.
/// Series are found by `ends_at` null or late: see find_events.
Result<BatchCounts> save_events(Sql& sql, std::string_view connection_id,
                                std::string_view calendar_id, std::string_view user_id,
                                const std::vector<calendar::Event>& events,
                                std::string_view run_id);
/// Deletes by id; a series takes its overrides along. Unknown ids are no error.
Result<std::int64_t> delete_events(Sql& sql, std::string_view connection_id,
                                   std::string_view calendar_id,
                                   const std::vector<std::string>& ids);
/// What `kept` holds of each series in `ids` is all of it: other rows of that id or of that series
/// go. Gives how many.
Result<std::int64_t> delete_other_events(Sql& sql, std::string_view connection_id,
                                         std::string_view calendar_id,
                                         const std::vector<std::string>& ids,
                                         const std::vector<calendar::Event>& kept);
/// After a complete full pull: what `run` did not see is gone. Gives how many. Where the pull was
/// of a window, what lies outside of it leaves too, and does not count.
Result<std::int64_t> delete_unseen_events(Sql& sql, std::string_view connection_id,
                                          std::string_view calendar_id, std::string_view run_id,
                                          std::optional<calendar::Window> window = {});
/// Single events, series and overrides that may have an occurrence in the window, as
/// calendar::expand wants them (a series with all its overrides).
Result<std::vector<calendar::Event>> find_events(Sql& sql, std::string_view connection_id,
                                                 std::string_view calendar_id,
                                                 calendar::Window window);
Result<std::int64_t> count_events(Sql& sql, std::string_view connection_id);

}  // namespace calhost::storage
