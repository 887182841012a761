#include <algorithm>

#include "contract/steps.h"

namespace calhost::contract {
namespace {

Task<Finding> life(Subject& s) {
    auto event = hour(s, "life", 0);
    event.description = "First words";
    event.location = "Room 1";
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    event.title += " later";
    event.location = "Room 2";
    event.start = at(day(s, 1), 14);
    event.finish = at(day(s, 1), 15, kZone, 30);
    const auto changed = co_await change(s, made->event.id, event, made->event.etag);
    if (!changed) co_return trouble("update_event", changed.error());
    if (changed->event.id != made->event.id)
        co_return wrong("an update gives the event another id");
    if (auto problem = co_await read_back(s, event, *changed)) co_return *problem;
    if (auto gone = co_await drop(s, made->event.id, changed->event.etag); !gone)
        co_return trouble("delete_event", gone.error());
    if (const auto there = co_await get(s, made->event.id); there)
        co_return wrong("the event is there after its deletion");
    co_return Finding{};
}

Task<Finding> delete_again(Subject& s) {
    const auto made = co_await make(s, hour(s, "twice gone", 0));
    if (!made) co_return trouble("create_event", made.error());
    for (const std::string& etag : {made->event.etag, made->event.etag, std::string()})
        if (auto gone = co_await drop(s, made->event.id, etag); !gone)
            co_return trouble("delete_event of a deleted event", gone.error());
    co_return Finding{};
}

Task<Finding> update_deleted(Subject& s) {
    const auto event = hour(s, "gone", 0);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    if (auto gone = co_await drop(s, made->event.id); !gone)
        co_return trouble("delete_event", gone.error());
    for (const std::string& etag : {made->event.etag, std::string()}) {
        const auto changed = co_await change(s, made->event.id, event, etag);
        if (changed) co_return wrong("an update brings a deleted event back");
        if (changed.error().code != ErrorCode::not_found)
            co_return trouble("update_event of a deleted event", changed.error(),
                              ErrorCode::not_found);
    }
    co_return Finding{};
}

/// The events that a window has, by title; each must be there once.
Task<Finding> is_once(Subject& s, std::string_view title) {
    const auto there = co_await list(s, s.provider, around(day(s, 0), day(s, 1)));
    if (!there) co_return trouble("list_events", there.error());
    const auto count = std::ranges::count_if(
        there->lines, [&](const auto& line) { return line.ends_with(title); });
    if (count == 1) co_return Finding{};
    co_return wrong("the event is in the calendar {} times", count);
}

Task<Finding> same_key(Subject& s) {
    const auto event = hour(s, "once", 0);
    const auto key = next_key(s);
    const auto first = co_await make(s, event, key);
    if (!first) co_return trouble("create_event", first.error());
    const auto second = co_await make(s, event, key);
    if (!second) co_return trouble("create_event with the same key", second.error());
    if (first->event.id != second->event.id)
        co_return wrong("the same key gives {} and then {}", first->event.id, second->event.id);
    co_return co_await is_once(s, " once");
}

Task<Finding> key_comes_back(Subject& s) {
    const auto event = hour(s, "revived", 0);
    const auto key = next_key(s);
    const auto first = co_await make(s, event, key);
    if (!first) co_return trouble("create_event", first.error());
    for (int round = 0; round < 2; ++round) {
        if (auto gone = co_await drop(s, s.made.back()); !gone)
            co_return trouble("delete_event", gone.error());
        const auto again = co_await make(s, event, key);
        if (!again)
            co_return trouble("create_event under the key of a deleted event", again.error());
        if (auto problem = co_await read_back(s, event, *again)) co_return *problem;
        if (auto once = co_await is_once(s, " revived"); once.verdict != Verdict::ok)
            co_return once;
    }
    co_return Finding{};
}

Task<Finding> lost_creation(Subject& s) {
    const auto event = hour(s, "lost", 0);
    const auto key = next_key(s);
    s.front.lose_next_reply();
    // Some find out by themselves that the event is there.
    const auto first = co_await make(s, event, key);
    s.front.be_quiet();
    const auto second = co_await make(s, event, key);
    if (!second) co_return trouble("create_event after a lost reply", second.error());
    if (first && first->event.id != second->event.id)
        co_return wrong("the repeated creation gives another event");
    if (auto problem = co_await read_back(s, event, *second)) co_return *problem;
    co_return co_await is_once(s, " lost");
}

Task<Finding> lost_change(Subject& s) {
    auto event = hour(s, "unheard", 0);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    event.title += " change";
    s.front.lose_next_reply();
    const auto first = co_await change(s, made->event.id, event, made->event.etag);
    s.front.be_quiet();
    if (!first) {
        // The change may have come through: then the etag is an old one.
        const auto second = co_await change(s, made->event.id, event, made->event.etag);
        if (!second && second.error().code != ErrorCode::conflict)
            co_return trouble("update_event after a lost reply", second.error(),
                              ErrorCode::conflict);
    }
    if (auto once = co_await is_once(s, " change"); once.verdict != Verdict::ok) co_return once;
    s.front.lose_next_reply();
    auto gone = co_await drop(s, made->event.id);
    s.front.be_quiet();
    if (!gone) gone = co_await drop(s, made->event.id);
    if (!gone) co_return trouble("delete_event after a lost reply", gone.error());
    if (co_await get(s, made->event.id)) co_return wrong("the event is there after its deletion");
    co_return Finding{};
}

Task<Finding> conflict(Subject& s) {
    if (!can(s, "conditional_writes"))
        co_return lacking("The service compares no etags: can.conditional_writes is not true.");
    auto event = hour(s, "mine", 0);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    auto foreign = event;
    foreign.title = fmt::format("{} theirs", tag(s));
    const auto theirs = co_await change(s, made->event.id, foreign, "");
    if (!theirs) co_return trouble("update_event without an etag", theirs.error());
    if (theirs->event.etag == made->event.etag)
        co_return wrong("a change leaves the etag as it is");
    event.location = "Somewhere";
    const auto late = co_await change(s, made->event.id, event, made->event.etag);
    if (late) co_return wrong("an update with an old etag overwrites a newer change");
    if (late.error().code != ErrorCode::conflict)
        co_return trouble("update_event with an old etag", late.error(), ErrorCode::conflict);
    const auto gone = co_await drop(s, made->event.id, made->event.etag);
    if (gone) co_return wrong("a deletion with an old etag takes a newer change away");
    if (gone.error().code != ErrorCode::conflict)
        co_return trouble("delete_event with an old etag", gone.error(), ErrorCode::conflict);
    const auto there = co_await get(s, made->event.id);
    if (!there) co_return trouble("get_event", there.error());
    if (const auto problem = difference(foreign, *there)) co_return wrong("{}", *problem);
    co_return Finding{};
}

/// A service that writes to guests whatever it is told: what has guests stays as it is.
Task<Finding> guests_left_alone(Subject& s, std::string id, Event event) {
    const auto before = s.stage.count_mails();
    const auto changed = co_await change(s, id, std::move(event), "");
    const auto gone = co_await drop(s, id);
    const auto mails = s.stage.count_mails() - before;
    s.made.clear();
    s.stage.remove_event(id);
    if (changed || gone)
        co_return wrong("what has guests is written, and {} mails went out", mails);
    if (changed.error().code != ErrorCode::unsupported)
        co_return trouble("update_event of an event with guests", changed.error(),
                          ErrorCode::unsupported);
    if (gone.error().code != ErrorCode::unsupported)
        co_return trouble("delete_event of an event with guests", gone.error(),
                          ErrorCode::unsupported);
    if (mails != 0) co_return wrong("{} mails went out", mails);
    co_return Finding{};
}

Task<Finding> no_mail(Subject& s) {
    if (!s.stage.count_mails || !s.stage.invite_guest || !s.stage.remove_event)
        co_return lacking("Only a simulated service counts the mail that it sends.");
    auto event = hour(s, "guests", 0);
    event.attendees = {{.email = "guest@elsewhere.example"}};
    const auto before = s.stage.count_mails();
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    if (!made->event.attendees.empty()) co_return wrong("the host's attendees are written");
    s.stage.invite_guest(made->event.id);
    event.title += " moved";
    event.start = at(day(s, 1), 9);
    event.finish = at(day(s, 1), 10);
    if (!can(s, "quiet_attendees"))
        co_return co_await guests_left_alone(s, made->event.id, std::move(event));
    const auto changed = co_await change(s, made->event.id, event, "");
    if (!changed) co_return trouble("update_event", changed.error());
    const auto there = co_await get(s, made->event.id);
    if (!there) co_return trouble("get_event", there.error());
    if (there->attendees.empty()) co_return wrong("an update takes the guests away");
    if (auto gone = co_await drop(s, made->event.id); !gone)
        co_return trouble("delete_event", gone.error());
    if (const auto mails = s.stage.count_mails() - before; mails != 0)
        co_return wrong("{} mails went out", mails);
    co_return Finding{};
}

}  // namespace

std::vector<Check> write_checks() {
    return {{"an event is created, read, changed and deleted", life},
            {"deleting again is a success", delete_again},
            {"a deleted event cannot be changed", update_deleted},
            {"the same key gives the same event", same_key},
            {"the key of a deleted event brings it back, once", key_comes_back},
            {"a creation whose answer was lost doubles nothing", lost_creation},
            {"a change and a deletion whose answers were lost can be repeated", lost_change},
            {"a write that is based on an old etag is a conflict", conflict},
            {"nobody gets mail, and guests stay", no_mail}};
}

}  // namespace calhost::contract
