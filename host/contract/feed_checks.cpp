#include <algorithm>
#include <set>

#include "contract/steps.h"

namespace calhost::contract {
namespace {

const Event* find(const Feed& feed, std::string_view id) {
    const auto found = std::ranges::find(feed.events, id, &Event::id);
    return found == feed.events.end() ? nullptr : &*found;
}

bool tells_deletion(const Feed& feed, std::string_view id) {
    return std::ranges::find(feed.deleted, id) != feed.deleted.end();
}

Task<Finding> changes(Subject& s) {
    if (auto lack = without(s, "list_changes", "nothing is synced")) co_return *lack;
    if (!can(s, "incremental"))
        co_return lacking("The service has no change feed: can.incremental is not true.");
    auto event = hour(s, "first", 0);
    const auto first = co_await make(s, event);
    if (!first) co_return trouble("create_event", first.error());
    const auto start = co_await pull(s, s.provider);
    if (!start) co_return trouble("list_changes", start.error());
    if (find(*start, first->event.id) == nullptr)
        co_return wrong("the feed does not have an event that is there");

    const auto second = co_await make(s, hour(s, "second", 1));
    if (!second) co_return trouble("create_event", second.error());
    event.title += " changed";
    const auto changed = co_await change(s, first->event.id, event, "");
    if (!changed) co_return trouble("update_event", changed.error());
    const auto next = co_await pull(s, s.provider, start->cursor);
    if (!next) co_return trouble("list_changes with a cursor", next.error());
    const auto* told = find(*next, first->event.id);
    if (told == nullptr || find(*next, second->event.id) == nullptr)
        co_return wrong("the feed leaves out a change or a new event");
    if (const auto problem = difference(event, *told)) co_return wrong("the feed: {}", *problem);

    if (auto gone = co_await drop(s, first->event.id); !gone)
        co_return trouble("delete_event", gone.error());
    const auto last = co_await pull(s, s.provider, next->cursor);
    if (!last) co_return trouble("list_changes with a cursor", last.error());
    if (!tells_deletion(*last, first->event.id))
        co_return wrong("the feed does not tell the deletion");
    if (tells_deletion(*last, second->event.id))
        co_return wrong("the feed tells a deletion that was none");
    // The older cursor must still lead to the same end: a page may be read twice after a crash.
    const auto again = co_await pull(s, s.provider, start->cursor);
    if (!again) co_return trouble("list_changes with the same cursor again", again.error());
    if (!tells_deletion(*again, first->event.id) || find(*again, second->event.id) == nullptr)
        co_return wrong("the same cursor tells less than before");
    co_return Finding{};
}

/// One that the service never gave, but that looks like one.
std::string spoiled(std::string cursor) {
    const auto from = cursor.size() > 12 ? cursor.size() - 6 : cursor.size() / 2;
    for (auto i = from; i < cursor.size(); ++i)
        if (std::isalnum(static_cast<unsigned char>(cursor[i])) != 0)
            cursor[i] = cursor[i] == 'a' ? 'b' : 'a';
    return cursor;
}

Task<Finding> expired(Subject& s) {
    if (!can(s, "incremental"))
        co_return lacking("The service has no change feed: can.incremental is not true.");
    const auto made = co_await make(s, hour(s, "kept", 0));
    if (!made) co_return trouble("create_event", made.error());
    const auto start = co_await pull(s, s.provider);
    if (!start) co_return trouble("list_changes", start.error());
    auto cursor = start->cursor;
    if (s.stage.expire_cursors)
        s.stage.expire_cursors();
    else
        cursor = spoiled(cursor);
    const auto lost = co_await pull(s, s.provider, cursor);
    if (lost) co_return wrong("a cursor that is lost is taken");
    if (lost.error().code != ErrorCode::cursor_expired)
        co_return trouble("list_changes with a lost cursor", lost.error(),
                          ErrorCode::cursor_expired);
    const auto full = co_await pull(s, s.provider);
    if (!full) co_return trouble("list_changes after a lost cursor", full.error());
    if (find(*full, made->event.id) == nullptr)
        co_return wrong("the full feed does not have an event that is there");
    co_return Finding{};
}

Task<Finding> pages(Subject& s) {
    std::set<std::string> wanted;
    for (int i = 0; i < 2 * kSmallPage + 1; ++i) {
        const auto made = co_await make(s, hour(s, "page " + std::to_string(i), i));
        if (!made) co_return trouble("create_event", made.error());
        wanted.insert(made->event.id);
    }
    const auto feed = co_await pull(s, s.paging);
    if (!feed) co_return trouble("list_changes with small pages", feed.error());
    if (feed->pages < 3) co_return wrong("{} pages hold seven events or more", feed->pages);
    std::multiset<std::string> told;
    for (const auto& event : feed->events)
        if (wanted.contains(event.id)) told.insert(event.id);
    if (told.size() != wanted.size() || !std::ranges::equal(told, wanted))
        co_return wrong("the pages have {} of {} events", told.size(), wanted.size());
    const auto listed = co_await list(s, s.paging, around(day(s, 0), day(s, 2 * kSmallPage)));
    if (!listed) co_return trouble("list_events with small pages", listed.error());
    if (listed->lines.size() != wanted.size())
        co_return wrong("the pages of the window have {} of {} events", listed->lines.size(),
                        wanted.size());
    co_return Finding{};
}

}  // namespace

std::vector<Check> feed_checks() {
    return {{"changes and deletions come by cursor", changes},
            {"a lost cursor says so, and a full feed follows", expired},
            {"pages hold everything once", pages}};
}

}  // namespace calhost::contract
