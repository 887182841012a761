#include "calendar/ical_alarm.h"

#include "calendar/ical_values.h"

namespace calhost::calendar {

using namespace std::chrono;

std::optional<Reminder> reminder_of(const Component& alarm, const EventTime& start) {
    const auto* trigger = alarm.find("TRIGGER");
    const auto action = alarm.text("ACTION");
    const bool is_email = action == "EMAIL";
    if (trigger == nullptr || (!is_email && action != "DISPLAY" && action != "AUDIO"))
        return std::nullopt;
    if (trigger->parameter("RELATED") == "END") return std::nullopt;
    auto before = parse_duration(trigger->value);
    if (before) before = -*before;
    if (const auto at = parse_basic(trigger->value); !before && at)
        before =
            duration_cast<seconds>(start.instant.time_since_epoch()) - at->local.time_since_epoch();
    if (!before || *before < seconds(0) || *before > years(1)) return std::nullopt;
    return Reminder{is_email ? "email" : "popup",
                    static_cast<int>(duration_cast<minutes>(*before).count())};
}

}  // namespace calhost::calendar
