#include "contract/steps.h"

namespace calhost::contract {
namespace {

std::string told(const std::vector<Window>& times) {
    std::string text;
    for (const auto& time : times)
        text += format_rfc3339(time.start) + "/" + format_rfc3339(time.finish) + " ";
    return text;
}

Event at_hour(const Subject& s, std::string_view title, int start) {
    auto event = hour(s, title, 0);
    event.start = at(day(s, 0), start);
    event.finish = at(day(s, 0), start + 1);
    return event;
}

/// What a person's own calendar had there before comes on top.
Task<Result<std::vector<Window>>> ask(Subject& s) {
    const Window window{at(day(s, 0), 3).instant, at(day(s, 0), 22).instant};
    co_return co_await s.provider.busy(s.access, {s.calendar_id}, window);
}

Task<Finding> blocks(Subject& s) {
    const auto before = co_await ask(s);
    if (!before) co_return trouble("busy", before.error());
    if (!before->empty())
        co_return lacking("The day that the check would use has appointments already.");
    auto free = at_hour(s, "free", 5);
    free.busy = "free";
    auto tentative = at_hour(s, "tentative", 7);
    tentative.busy = "tentative";
    const auto gone = at_hour(s, "gone", 9);
    auto series = at_hour(s, "series", 11);
    series.recurrence = {.rrule = "FREQ=WEEKLY;COUNT=2"};
    const auto busy = at_hour(s, "busy", 13);
    const auto touching = at_hour(s, "touching", 14);
    std::vector<std::string> ids;
    for (const auto& event : {free, tentative, gone, series, busy, touching}) {
        const auto made = co_await make(s, event);
        if (!made) co_return trouble("create_event", made.error());
        ids.push_back(made->event.id);
    }
    if (auto deleted = co_await drop(s, ids[2]); !deleted)
        co_return trouble("delete_event", deleted.error());
    if (s.stage.add_declined) s.stage.add_declined(at_hour(s, "declined", 17));

    const auto hours = [&](int from, int to) {
        return Window{at(day(s, 0), from).instant, at(day(s, 0), to).instant};
    };
    std::vector<Window> wanted{hours(7, 8), hours(11, 12), hours(13, 15)};
    auto times = co_await ask(s);
    if (!times) co_return trouble("busy", times.error());
    if (told(*times) != told(wanted))
        co_return wrong("busy are {}in place of {}", told(*times), told(wanted));

    Event slot = at_hour(s, "series", 11);
    slot.series_id = ids[3];
    slot.recurrence_id = slot.start;
    slot.status = "cancelled";
    if (auto written = co_await make(s, slot); !written)
        co_return trouble("create_event that takes a slot away", written.error());
    wanted.erase(wanted.begin() + 1);
    times = co_await ask(s);
    if (!times) co_return trouble("busy", times.error());
    if (told(*times) != told(wanted))
        co_return wrong("without the occurrence busy are {}in place of {}", told(*times),
                        told(wanted));
    co_return Finding{};
}

}  // namespace

std::vector<Check> busy_checks() {
    return {{"busy are those who are: not free, cancelled, deleted or declined", blocks}};
}

}  // namespace calhost::contract
