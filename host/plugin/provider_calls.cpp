#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/log.h"
#include "calendar/busy.h"
#include "calendar/recurrence.h"
#include "calendar/zone.h"
#include "plugin/event_table.h"
#include "plugin/provider.h"
#include "plugin/provider_parts.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Type;
using lua::Writer;

// What a server says of an account is stored, and shown in every status: it has an end.
constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kMostAccountData = 16U << 10U;  ///< bytes as JSON
constexpr std::int64_t kMostCalendars = 1000;
constexpr int kMostPages =
    10'000;  // of a calendar: a feed that has no end is one that makes no sense

constexpr std::array kIdentity{AnswerMember{"id", Type::string},
                               AnswerMember{"email", Type::string},
                               AnswerMember{"name", Type::string}};

constexpr std::array kCalendar{
    AnswerMember{"id", Type::string},       AnswerMember{"name", Type::string},
    AnswerMember{"primary", Type::boolean}, AnswerMember{"read_only", Type::boolean},
    AnswerMember{"color", Type::string},    AnswerMember{"time_zone", Type::string}};

constexpr std::array kChanges{
    AnswerMember{"events", Type::table}, AnswerMember{"page", Type::string},
    AnswerMember{"cursor", Type::string}, AnswerMember{"time_zone", Type::string}};

/// Once a call, by the first: it may be in every event.
void doubt_zone(std::string zone, std::string_view provider, Changes& changes) {
    warn_of_zone(provider, zone);
    changes.unknown_zone = std::move(zone);
}

/// One item of `events`, read where it will stay: events are big, and there are thousands. One that
/// makes no sense must not keep the others from the person.
void take_change(const Reader& item, std::string_view provider, Changes& changes) {
    const auto read = read_change(item, changes.events.emplace_back());
    if (read && *read == ChangeKind::event) {
        if (changes.unknown_zone.empty())
            doubt_zone(unknown_zone(item, changes.events.back()), provider, changes);
        return;
    }
    changes.events.pop_back();
    if (read) {
        auto& ids = *read == ChangeKind::deletion       ? changes.deleted
                    : *read == ChangeKind::whole_series ? changes.whole
                                                        : changes.out_of_window;
        ids.emplace_back(item.string_field("id"));
        return;
    }
    ++changes.unreadable;
    log::warning("event left out", {{"provider", provider},
                                    {"reason", read.error().message},
                                    {"event_id", item.string_field("id")}});
}

/// `ctx.changes`: takes a change over at once, so that a big page is never all there as tables.
lua::Ref make_changes_object(lua::State& state, const std::shared_ptr<Changes>& changes) {
    const std::weak_ptr<Changes> weak = changes;
    return state.make_table([&](lua::Table& table) {
        table.function("add", [weak, provider = state.name()](lua::Call& call) {
            const auto into = weak.lock();
            if (into == nullptr) call.refuse(1, "ctx.changes belongs to a call that is over");
            if (!call.argument(2).is_table()) call.refuse(2, "an event is expected");
            take_change(call.argument(2), provider, *into);
        });
    });
}

Result<void> read_changes(const Reader& table, std::string_view provider, Changes& changes) {
    if (!table.is_table()) return wrong_result("no table of changes");
    if (table.size() > 0) return wrong_result("a list; `{ events = list }` is expected");
    if (auto checked = check_members(table, kChanges); !checked) return checked;
    table.with_field("events", [&](const Reader& list) {
        if (!list.is_table()) return;
        changes.events.reserve(changes.events.size() + static_cast<std::size_t>(list.size()));
        list.each_item(
            [&](std::int64_t, const Reader& item) { take_change(item, provider, changes); });
    });
    changes.page = maybe_text(table, "page");
    changes.cursor = maybe_text(table, "cursor");
    const auto zone = table.string_field("time_zone");
    if (calendar::is_zone(zone))
        changes.time_zone = zone;
    else if (changes.unknown_zone.empty())
        doubt_zone(std::string(zone), provider, changes);
    return {};
}

std::string_view zone_of(std::string_view zone) { return zone.empty() ? "Etc/UTC" : zone; }

/// As changes, of which only what happens counts. A provider that cannot expand gives series.
Occurrences occurrences_of(Changes changes, calendar::Window window) {
    auto expanded = calendar::expand(std::move(changes.events), window, zone_of(changes.time_zone));
    return {.events = std::move(expanded.events),
            .page = std::move(changes.page),
            .time_zone = std::move(changes.time_zone),
            .unreadable = changes.unreadable};
}

bool is_sound(const CalendarInfo& calendar) {
    return !calendar.id.empty() &&
           std::max({calendar.id.size(), calendar.name.size(), calendar.color.size(),
                     calendar.time_zone.size()}) <= kLongestText;
}

Result<std::vector<calendar::Window>> read_windows(const Reader& list) {
    if (!list.is_table()) return wrong_result("no list of busy times");
    std::vector<calendar::Window> times;
    bool is_good = true;
    list.each_item([&](std::int64_t, const Reader& item) {
        const auto start = parse_rfc3339(item.string_field("start"));
        const auto finish = parse_rfc3339(item.string_field("finish"));
        is_good = is_good && start && finish && *start <= *finish;
        if (is_good) times.push_back({*start, *finish});
    });
    if (!is_good) return wrong_result("a busy time that is none");
    return times;
}

}  // namespace

Task<Result<boost::json::object>> Provider::discover(Access& access) {
    boost::json::object data;
    auto done = co_await call("discover", access, {}, [&](const Reader& table) -> Result<void> {
        auto value = table.json();
        if (!value) return fail(value.error());
        if (!value->is_object()) return wrong_result("no table of the account's data");
        if (json::serialize(*value).size() > kMostAccountData)
            return wrong_result("more than 16 KiB of the account's data");
        data = std::move(value->get_object());
        return {};
    });
    if (!done) co_return fail(done.error());
    co_return data;
}

Task<Result<Identity>> Provider::identity(Access& access) {
    Identity identity;
    auto done = co_await call("identity", access, {}, [&](const Reader& table) -> Result<void> {
        if (!table.is_table()) return wrong_result("no table of an account");
        if (auto checked = check_types(table, kIdentity); !checked) return checked;
        identity = {.id = std::string(table.string_field("id")),
                    .email = std::string(table.string_field("email")),
                    .name = std::string(table.string_field("name"))};
        if (identity.id.empty()) return wrong_result("no id of the account");
        if (std::max({identity.id.size(), identity.email.size(), identity.name.size()}) >
            kLongestText)
            return wrong_result(
                "an account with an id, an e-mail address or a name that is too long");
        return {};
    });
    if (!done) co_return fail(done.error());
    co_return identity;
}

Task<Result<std::vector<CalendarInfo>>> Provider::list_calendars(Access& access) {
    std::vector<CalendarInfo> calendars;
    auto done =
        co_await call("list_calendars", access, {}, [&](const Reader& list) -> Result<void> {
            if (!list.is_table()) return wrong_result("no list of calendars");
            if (list.size() > kMostCalendars) return wrong_result("more than 1000 calendars");
            Result<void> outcome;
            list.each_item([&](std::int64_t, const Reader& item) {
                if (!outcome) return;
                outcome = item.is_table() ? check_types(item, kCalendar)
                                          : wrong_result("a calendar that is no table");
                calendars.push_back({.id = std::string(item.string_field("id")),
                                     .name = std::string(item.string_field("name")),
                                     .is_primary = item.boolean_field("primary"),
                                     .is_read_only = item.boolean_field("read_only"),
                                     .color = std::string(item.string_field("color")),
                                     .time_zone = std::string(item.string_field("time_zone"))});
            });
            if (!outcome) return outcome;
            if (!std::ranges::all_of(calendars, is_sound))
                return wrong_result("a calendar without an id, or with a text that is too long");
            return {};
        });
    if (!done) co_return fail(done.error());
    co_return calendars;
}

Task<Result<Changes>> Provider::list_changes(Access& access, std::string calendar_id,
                                             std::optional<std::string> cursor,
                                             std::optional<std::string> page,
                                             calendar::Window window) {
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_maybe(std::move(cursor)), push_maybe(page),
                                     push_window(window)};
    // The Lua object holds it weakly: `ctx.changes` ends with this call.
    const auto changes = std::make_shared<Changes>();
    auto done = co_await call(
        "list_changes", access, std::move(arguments),
        [&](const Reader& table) { return read_changes(table, source_.name, *changes); },
        make_changes_object(*state_, changes));
    if (!done) co_return fail(done.error());
    if (changes->page && changes->page == page) co_return wrong_result("the same page again");
    co_return std::move(*changes);
}

Task<Result<Occurrences>> Provider::list_events(Access& access, std::string calendar_id,
                                                calendar::Window window,
                                                std::optional<std::string> page) {
    if (!offers("list_events"))
        co_return co_await expand_changes(access, std::move(calendar_id), window);
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)), push_window(window),
                                     push_maybe(page)};
    const auto changes = std::make_shared<Changes>();
    auto done = co_await call(
        "list_events", access, std::move(arguments),
        [&](const Reader& table) { return read_changes(table, source_.name, *changes); },
        make_changes_object(*state_, changes));
    if (!done) co_return fail(done.error());
    if (changes->page && changes->page == page) co_return wrong_result("the same page again");
    co_return occurrences_of(std::move(*changes), window);
}

Task<Result<Occurrences>> Provider::expand_changes(Access& access, std::string calendar_id,
                                                   calendar::Window window) {
    Occurrences all;
    std::vector<calendar::Event> rows;
    int pages = 0;
    do {
        if (++pages > kMostPages) co_return wrong_result("pages without end");
        auto part = co_await list_changes(access, calendar_id, std::nullopt, all.page, window);
        if (!part) co_return fail(part.error());
        std::ranges::move(part->events, std::back_inserter(rows));
        all.page = std::move(part->page);
        all.unreadable += part->unreadable;
        if (!part->time_zone.empty()) all.time_zone = std::move(part->time_zone);
    } while (all.page);
    all.events = calendar::expand(std::move(rows), window, zone_of(all.time_zone)).events;
    co_return all;
}

Task<Result<std::vector<calendar::Window>>> Provider::busy(Access& access,
                                                           std::vector<std::string> calendar_ids,
                                                           calendar::Window window) {
    if (!offers("busy"))
        co_return co_await busy_from_events(access, std::move(calendar_ids), window);
    std::vector<lua::Push> arguments;
    arguments.emplace_back([ids = std::move(calendar_ids)](Writer& writer) {
        writer.begin_table(static_cast<int>(ids.size()));
        for (std::size_t i = 0; i < ids.size(); ++i) {
            push_calendar(ids[i])(writer);
            writer.set_item(static_cast<std::int64_t>(i) + 1);
        }
    });
    arguments.push_back(push_window(window));
    std::vector<calendar::Window> times;
    auto done = co_await call("busy", access, std::move(arguments),
                              [&](const Reader& list) -> Result<void> {
                                  auto read = read_windows(list);
                                  if (!read) return fail(read.error());
                                  times = std::move(*read);
                                  return {};
                              });
    if (!done) co_return fail(done.error());
    co_return calendar::join_windows(std::move(times), window);
}

Task<Result<std::vector<calendar::Window>>> Provider::busy_from_events(Access& access,
                                                                       std::vector<std::string> ids,
                                                                       calendar::Window window) {
    std::vector<calendar::Window> times;
    for (const auto& id : ids) {
        std::optional<std::string> page;
        int pages = 0;
        do {
            if (++pages > kMostPages) co_return wrong_result("pages without end");
            auto part = co_await list_events(access, id, window, page);
            if (!part) co_return fail(part.error());
            std::ranges::move(
                calendar::busy_windows(part->events, window, zone_of(part->time_zone)),
                std::back_inserter(times));
            page = std::move(part->page);
        } while (page);
    }
    co_return calendar::join_windows(std::move(times), window);
}

Task<Result<calendar::Event>> Provider::get_event(Access& access, std::string calendar_id,
                                                  std::string id) {
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_text(std::move(id))};
    calendar::Event event;
    auto done = co_await call("get_event", access, std::move(arguments),
                              [&](const Reader& table) -> Result<void> {
                                  auto read = read_event(table);
                                  if (!read) return fail(read.error());
                                  event = std::move(*read);
                                  warn_of_zone(source_.name, unknown_zone(table, event));
                                  return {};
                              });
    if (!done) co_return fail(done.error());
    co_return event;
}

}  // namespace calhost::plugin
