/// What the simulated provider holds: accounts, their calendars, and events with a log of changes
/// that sync tokens point into.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "calendar/event.h"

namespace calhost::sandbox {

/// One event, series or override, as the provider keeps it.
struct Row {
    boost::json::object body;    ///< every member; times in the calendar's zone
    calendar::Event event;       ///< the same, as far as expansion and search need it
    std::uint64_t position = 0;  ///< in the log of changes
    Timestamp updated;
    std::optional<Timestamp> finish;  ///< of the last occurrence; none: without end
    // What it ever covered: a sync token's time filter must still report what moved away.
    Timestamp earliest;
    std::optional<Timestamp> latest;

    [[nodiscard]] bool is_cancelled() const { return event.status == "cancelled"; }
    /// The text of `body` in a list, made once.
    [[nodiscard]] const std::string& text() const;

  private:
    friend class EventStore;
    mutable std::string text_;
};

/// The events of one calendar. *Thread*: one.
class EventStore {
  public:
    [[nodiscard]] const Row* find(const std::string& id) const;
    /// Inserts or replaces, and moves the event to the end of the log. `zone` places all-day
    /// events.
    const Row& put(boost::json::object body, calendar::Event event, Timestamp updated,
                   std::string_view zone);
    /// Moves the time of its last change, and nothing else.
    void touch(const std::string& id, Timestamp updated);
    /// Forgets an event as if it had never been there.
    void erase(const std::string& id);
    /// Overrides of a series, cancelled ones too.
    [[nodiscard]] std::vector<const Row*> overrides_of(const std::string& series_id) const;
    /// Rows by their last change, oldest first.
    [[nodiscard]] const std::map<std::uint64_t, const Row*>& log() const { return log_; }
    [[nodiscard]] std::uint64_t last_position() const { return last_position_; }
    /// The ETag that the next `put` gives, in Google's shape.
    [[nodiscard]] std::string next_etag() const;
    [[nodiscard]] std::size_t live() const { return live_; }

  private:
    std::unordered_map<std::string, Row> rows_;
    std::unordered_map<std::string, std::set<std::string>> overrides_;
    std::map<std::uint64_t, const Row*> log_;
    std::uint64_t last_position_ = 0;
    std::size_t live_ = 0;
};

struct Calendar {
    std::string id;
    std::string summary;
    std::string zone;
    std::string color_id = "14";
    std::string access_role = "owner";
    bool is_primary = false;
    bool is_deleted = false;
    std::uint64_t position = 0;  ///< of its entry in the account's calendar list
    /// Sync and page tokens of an older generation are gone.
    std::uint64_t generation = 1;
    EventStore events;
};

struct Account {
    std::string email;
    std::string name;
    std::string subject;  ///< the identity that never changes
    std::string zone;
    std::string tenant;              ///< Microsoft's directory
    bool needs_interaction = false;  ///< refreshing is refused until the person signs in again
    std::map<std::string, std::unique_ptr<Calendar>> calendars;  ///< by id
    std::uint64_t list_position = 0;
    std::uint64_t list_generation = 1;

    /// By id, or "primary". Null for one that is not there or was deleted.
    Calendar* find_calendar(std::string_view id);
    Calendar& add_calendar(std::string id, std::string summary, bool is_primary);
};

}  // namespace calhost::sandbox
