// Any file, read; what it holds, expanded; what is written, read again.
#include "calendar/icalendar.h"

#include "calendar/recurrence.h"
#include "fuzz/check.h"

using namespace calhost;
using namespace calhost::calendar;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    const auto calendar = read_icalendar(fuzz::to_text(bytes, size));
    if (!calendar) return 0;
    const Window window{parse_rfc3339("2026-01-01T00:00:00Z").value(),
                        parse_rfc3339("2027-01-01T00:00:00Z").value()};
    (void)expand(calendar->events, window, "Europe/Berlin");
    for (const auto& event : calendar->events) {
        fuzz::promise(check_event(event).has_value(), "an event that is read makes sense");
        const auto kept = from_json_text(to_json_text(event));
        fuzz::promise(kept && content_hash(*kept) == content_hash(event),
                      "an event is stored as it is");
    }
    const auto again = read_icalendar(write_icalendar(*calendar));
    fuzz::promise(again.has_value(), "what is written can be read");
    fuzz::promise(again->events.size() == calendar->events.size(), "no event is lost by writing");
    return 0;
}
