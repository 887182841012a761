/// The neutral event: what every provider's event becomes, and what is stored, compared and
/// answered.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace calhost::calendar {

using Date = std::chrono::year_month_day;

/// When an event starts or ends. Dates are their own kind: they have no zone and are never made by
/// converting a moment (RFC 5545 section 3.3.4).
/// A timed value keeps the wall-clock time with its zone, which is what recurs, and the moment that
/// it means, which is what is searched and compared.
struct EventTime {
    bool is_date = false;
    Date date{};                         ///< only if is_date
    std::chrono::local_seconds local{};  ///< wall clock; only if !is_date
    std::string zone;                    ///< IANA name; "Etc/UTC" for a plain moment
    Timestamp instant{};  ///< UTC; for a date, its midnight in UTC (for searching only)

    friend bool operator==(const EventTime&, const EventTime&) = default;
};

struct Reminder {
    std::string method;  ///< "popup" or "email"
    int minutes = 0;     ///< before the start
    friend bool operator==(const Reminder&, const Reminder&) = default;
};

struct Attendee {
    std::string email;
    std::string name;
    std::string role;      ///< "required", "optional", "resource"
    std::string response;  ///< "needs_action", "declined", "tentative", "accepted"
    bool is_self = false;
    friend bool operator==(const Attendee&, const Attendee&) = default;
};

/// A series' rule. RFC 5545 sections 3.8.5.1 to 3.8.5.3, without the property names.
struct Recurrence {
    std::string rrule;  ///< "FREQ=WEEKLY;COUNT=4", or empty when only dates recur
    std::vector<EventTime> rdate;
    std::vector<EventTime> exdate;
    friend bool operator==(const Recurrence&, const Recurrence&) = default;
};

/// One event, a series, or an override of one occurrence of a series.
struct Event {
    std::string id;    ///< the provider's id, unique in its calendar
    std::string etag;  ///< the provider's version, opaque
    std::string uid;   ///< iCalendar UID
    std::string title;
    std::string description;
    std::string description_format = "text";  ///< "text" or "html"
    std::string location;
    std::string url;
    EventTime start;
    EventTime finish;                    ///< exclusive
    std::string busy = "busy";           ///< busy free tentative oof elsewhere
    std::string status = "confirmed";    ///< confirmed tentative cancelled
    std::string visibility = "default";  ///< default public private confidential
    std::vector<std::string> categories;
    std::string color;                               ///< "#rrggbb" or empty
    std::optional<std::vector<Reminder>> reminders;  ///< none: the calendar's default
    std::optional<Recurrence> recurrence;            ///< a series
    std::string series_id;                           ///< an override: the series' id
    std::optional<EventTime> recurrence_id;          ///< an override: the original start
    bool is_this_and_future = false;  ///< an override: every later occurrence moves and looks like
                                      ///< it too, until the next such one (RFC 5545 section 3.2.13)
    std::vector<Attendee> attendees;  ///< read-only, unless a writer says `sets_attendees`
    bool sets_attendees = false;      ///< to be written as they are here; else they stay
    std::string organizer;            ///< e-mail, read-only
    bool is_organizer = true;
    std::int64_t sequence = 0;
    std::optional<Timestamp> created;
    std::optional<Timestamp> updated;
    std::map<std::string, std::string> marks;  ///< the host's own properties on the event
    boost::json::value extra;  ///< what the provider sent and we do not model, kept as it is

    friend bool operator==(const Event&, const Event&) = default;

    [[nodiscard]] bool is_all_day() const { return start.is_date; }
    [[nodiscard]] bool is_series() const { return recurrence.has_value(); }
    [[nodiscard]] bool is_override() const { return recurrence_id.has_value(); }
};

/// Half open: an event is inside when it starts before `finish` and ends after `start`.
struct Window {
    Timestamp start;
    Timestamp finish;
};

/// Refuses what no calendar can hold: end before start, mixed dates and times, an unknown word, a
/// year past 9999. *Errors*: invalid, naming the field.
Result<void> check_event(const Event& event);

/// Stable 128-bit fingerprint (hex) of what the event says: equal content gives an equal hash on
/// every host. Left out are names and bookkeeping (id, etag, uid, series_id, sequence, created,
/// updated, marks, extra) and the zone in which a single event's moment is told.
std::string content_hash(const Event& event);

/// As JSON, and back (the stored form is calendar/event_record.h). Members at their defaults are
/// left out.
std::string to_json_text(const Event& event);
Result<Event> from_json_text(std::string_view text);
/// Puts the members that the text has over those of `into`; on an error `into` is not to be used.
Result<void> read_json_text(Event& into, std::string_view text);

}  // namespace calhost::calendar
