/// What libical itself says happens in a calendar, without any of our code: to compare with.
#pragma once

#include <fmt/format.h>
#include <libical/ical.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "calendar/zone.h"

namespace calhost::calendar::test {

/// The text without the zones that the system knows better: some programs write only the changes of
/// clocks around the day of writing.
inline std::string without_short_zones(std::string text) {
    for (auto at = text.find("BEGIN:VTIMEZONE"); at != text.npos;) {
        const auto end = text.find("END:VTIMEZONE", at) + 13;
        const auto zone = text.substr(at, end - at);
        const auto name = zone.substr(zone.find("TZID:") + 5);
        const bool is_short =
            is_zone(name.substr(0, name.find_first_of("\r\n"))) && !zone.contains("RRULE:");
        if (is_short) text.erase(at, text.find_first_not_of("\r\n", end) - at);
        at = text.find("BEGIN:VTIMEZONE", is_short ? at : end);
    }
    return text;
}

/// "uid start finish" of each occurrence in a window, moments in seconds; a date is its midnight in
/// UTC. Overrides that change all later occurrences are read as changes of one.
class Reference {
  public:
    Reference(const std::string& text, Window window)
        : from_(window.start.time_since_epoch() / std::chrono::seconds(1)),
          to_(window.finish.time_since_epoch() / std::chrono::seconds(1)),
          file_(icalparser_parse_string(without_short_zones(text).c_str()), &icalcomponent_free) {
        if (!file_) return;
        each_event([&](icalcomponent* event) { note_override(event); });
        each_event([&](icalcomponent* event) { add(event); });
    }

    [[nodiscard]] const std::set<std::string>& occurrences() const { return found_; }

    static std::string line(std::string_view uid, std::int64_t start, std::int64_t finish) {
        return fmt::format("{} {} {}", uid, start, finish);
    }

  private:
    static constexpr std::int64_t kDay = 86'400;

    struct Walk {
        Reference* to;
        std::string uid;
        std::int64_t length;
        std::set<std::int64_t> moved;
    };

    template <class Use>
    void each_event(const Use& use) const {
        for (auto* event = icalcomponent_get_first_component(file_.get(), ICAL_VEVENT_COMPONENT);
             event != nullptr;
             event = icalcomponent_get_next_component(file_.get(), ICAL_VEVENT_COMPONENT))
            use(event);
    }

    static std::string uid_of(icalcomponent* event) {
        const char* uid = icalcomponent_get_uid(event);
        return uid != nullptr ? uid : "";
    }

    static std::int64_t moment(const icaltimetype& time) {
        return icaltime_as_timet_with_zone(time, time.zone);
    }

    /// In its zone, which libical's own getters of some properties leave out.
    static icaltimetype time_of(icalcomponent* event, icalproperty_kind kind) {
        auto* property = icalcomponent_get_first_property(event, kind);
        return property != nullptr ? icalproperty_get_datetime_with_component(property, event)
                                   : icaltime_null_time();
    }

    static std::int64_t length_of(icalcomponent* event, std::int64_t start) {
        const auto end = time_of(event, ICAL_DTEND_PROPERTY);
        return moment(icaltime_is_null_time(end) == 0 ? end : icalcomponent_get_dtend(event)) -
               start;
    }

    static icaltimetype slot_of(icalcomponent* event) {
        return time_of(event, ICAL_RECURRENCEID_PROPERTY);
    }

    void note_override(icalcomponent* event) {
        const auto slot = slot_of(event);
        if (icaltime_is_null_time(slot) == 0) moved_[uid_of(event)].insert(moment(slot));
    }

    void add(icalcomponent* event) {
        if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED) return;
        const bool is_override = icaltime_is_null_time(slot_of(event)) == 0;
        const auto uid = uid_of(event);
        const auto start = moment(icalcomponent_get_dtstart(event));
        const auto length = length_of(event, start);
        if (is_override) return add_span(uid, start, start + length);
        Walk walk{this, uid, length, moved_[uid]};
        take_dates(event, walk);
        icalcomponent_foreach_recurrence(
            event, icaltime_from_timet_with_zone(from_ - 400 * kDay, 0, nullptr),
            icaltime_from_timet_with_zone(to_ + 2 * kDay, 0, nullptr),
            [](icalcomponent*, icaltime_span* span, void* data) {
                const auto& walking = *static_cast<Walk*>(data);
                if (!walking.moved.contains(span->start))
                    walking.to->add_span(walking.uid, span->start, span->start + walking.length);
            },
            &walk);
    }

    /// libical reads added dates without their zone.
    void take_dates(icalcomponent* event, const Walk& walk) {
        while (auto* date = icalcomponent_get_first_property(event, ICAL_RDATE_PROPERTY)) {
            const auto period = icalproperty_get_rdate(date).period;
            const auto start = moment(icaltime_is_null_time(period.start) == 0
                                          ? period.start
                                          : icalproperty_get_datetime_with_component(date, event));
            if (!walk.moved.contains(start)) add_span(walk.uid, start, start + walk.length);
            icalcomponent_remove_property(event, date);
            icalproperty_free(date);
        }
    }

    void add_span(const std::string& uid, std::int64_t start, std::int64_t finish) {
        if (start >= to_ || finish < from_ || (finish == from_ && start != finish)) return;
        found_.insert(line(uid, start, finish));
    }

    std::int64_t from_, to_;
    std::unique_ptr<icalcomponent, decltype(&icalcomponent_free)> file_;
    std::map<std::string, std::set<std::int64_t>> moved_{};
    std::set<std::string> found_{};
};

/// Our own expansion in the same form.
inline std::set<std::string> lines_of(const std::vector<Event>& occurrences) {
    std::set<std::string> lines;
    for (const auto& event : occurrences)
        lines.insert(Reference::line(
            event.uid, event.start.instant.time_since_epoch() / std::chrono::seconds(1),
            event.finish.instant.time_since_epoch() / std::chrono::seconds(1)));
    return lines;
}

/// What one has and the other lacks, for a message.
inline std::string difference_of(const std::set<std::string>& ours,
                                 const std::set<std::string>& theirs) {
    std::string text;
    for (const auto& line : ours)
        if (!theirs.contains(line)) text += "\n+ " + line;
    for (const auto& line : theirs)
        if (!ours.contains(line)) text += "\n- " + line;
    return text.substr(0, 2000);
}

}  // namespace calhost::calendar::test
