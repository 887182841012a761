#include "contract/steps.h"

#include <algorithm>

#include "calendar/recurrence.h"

namespace calhost::contract {
namespace {

constexpr int kMostPages = 10'000;

/// What comes back of a text: line ends are the service's own affair.
std::string plain(std::string_view text) {
    std::string result;
    for (const char c : text)
        if (c != '\r') result += c;
    while (result.ends_with('\n')) result.pop_back();
    return result;
}

std::string told(const EventTime& time) {
    return time.is_date ? calendar::format_date(time.date) : format_rfc3339(time.instant);
}

Happenings mine(const Subject& subject, std::vector<Event> events, int pages) {
    Happenings found{.pages = pages};
    for (auto& event : events) {
        if (!event.title.starts_with(tag(subject))) continue;
        found.lines.push_back(line_of(subject, event));
        found.events.push_back(std::move(event));
    }
    std::ranges::sort(found.lines);
    return found;
}

}  // namespace

Finding trouble(std::string_view doing, const Error& error, std::optional<ErrorCode> expected) {
    const auto why =
        fmt::format("{} gave {}{}: {}", doing, calhost::to_string(error.code),
                    expected ? fmt::format(" in place of {}", calhost::to_string(*expected)) : "",
                    error.message);
    if (error.code == ErrorCode::unsupported) return lacking(why);
    return {Verdict::failed, why};
}

std::optional<Finding> without(const Subject& subject, std::string_view function,
                               std::string_view consequence) {
    if (subject.provider.offers(function)) return std::nullopt;
    return wrong("there is no function {}, and without it {}", function, consequence);
}

bool can(const Subject& subject, std::string_view name) {
    const auto* value = subject.provider.info().can.if_contains(name);
    return value != nullptr && value->is_bool() && value->as_bool();
}

std::int64_t can_number(const Subject& subject, std::string_view name) {
    const auto* value = subject.provider.info().can.if_contains(name);
    return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

std::chrono::local_days day(const Subject& subject, int days) {
    using namespace std::chrono;
    const local_days earliest{floor<std::chrono::days>(subject.clock.now()).time_since_epoch() +
                              std::chrono::days{28}};
    const auto after = Monday - weekday{earliest};
    return earliest + after + std::chrono::days{days};
}

EventTime at(std::chrono::local_days day, int hour, std::string_view zone, int minute) {
    const auto time = calendar::make_local(
        day + std::chrono::hours{hour} + std::chrono::minutes{minute}, std::string(zone));
    return time.value_or(EventTime{});
}

EventTime whole(std::chrono::local_days day) { return calendar::make_date(calendar::Date{day}); }

Window around(std::chrono::local_days first, std::chrono::local_days last) {
    using std::chrono::days;
    return {Timestamp{first.time_since_epoch() - days{1}},
            Timestamp{last.time_since_epoch() + days{2}}};
}

std::string tag(const Subject& subject) { return "calhost check " + subject.run; }

Event hour(const Subject& subject, std::string_view title, int days) {
    Event event{.title = fmt::format("{} {}", tag(subject), title)};
    event.start = at(day(subject, days), 9);
    event.finish = at(day(subject, days), 10);
    return event;
}

std::string next_key(Subject& subject) {
    return fmt::format("check-{}-{}", subject.run, ++subject.count);
}

Task<Result<plugin::Written>> make(Subject& subject, Event event, std::string key) {
    if (key.empty()) key = next_key(subject);
    const bool is_override = event.is_override();
    auto written = co_await subject.provider.create_event(subject.access, subject.calendar_id,
                                                          std::move(event), std::move(key));
    // An override goes with its series.
    if (written && !is_override &&
        std::ranges::find(subject.made, written->event.id) == subject.made.end())
        subject.made.push_back(written->event.id);
    co_return written;
}

Task<Result<Event>> get(Subject& subject, std::string id) {
    co_return co_await subject.provider.get_event(subject.access, subject.calendar_id,
                                                  std::move(id));
}

Task<Result<plugin::Written>> change(Subject& subject, std::string id, Event event,
                                     std::string etag) {
    co_return co_await subject.provider.update_event(
        subject.access, subject.calendar_id, std::move(id), std::move(event), std::move(etag));
}

Task<Result<void>> drop(Subject& subject, std::string id, std::string etag) {
    co_return co_await subject.provider.delete_event(subject.access, subject.calendar_id,
                                                     std::move(id), std::move(etag));
}

Task<Result<Feed>> pull(Subject& subject, plugin::Provider& provider,
                        std::optional<std::string> cursor) {
    const auto now = subject.clock.now();
    const Window window{now - std::chrono::days{30}, now + std::chrono::days{366}};
    Feed feed;
    std::optional<std::string> page;
    do {
        auto part = co_await provider.list_changes(subject.access, subject.calendar_id, cursor,
                                                   page, window);
        if (!part) co_return fail(part.error());
        if (part->unreadable > 0)
            co_return fail(ErrorCode::invalid_response, "events of the feed make no sense");
        std::ranges::move(part->events, std::back_inserter(feed.events));
        std::ranges::move(part->deleted, std::back_inserter(feed.deleted));
        if (!part->time_zone.empty()) feed.zone = part->time_zone;
        page = std::move(part->page);
        if (!page && !part->cursor)
            co_return fail(ErrorCode::invalid_response, "the last page has no cursor");
        if (!page) feed.cursor = *part->cursor;
        if (++feed.pages > kMostPages)
            co_return fail(ErrorCode::invalid_response, "the pages have no end");
    } while (page);
    co_return feed;
}

std::string line_of(const Subject& subject, const Event& event) {
    return told(event.start) + event.title.substr(tag(subject).size());
}

Task<Result<Happenings>> list(Subject& subject, plugin::Provider& provider, Window window) {
    std::vector<Event> events;
    std::optional<std::string> page;
    int pages = 0;
    do {
        auto part =
            co_await provider.list_events(subject.access, subject.calendar_id, window, page);
        if (!part) co_return fail(part.error());
        std::ranges::move(part->events, std::back_inserter(events));
        page = std::move(part->page);
        if (++pages > kMostPages)
            co_return fail(ErrorCode::invalid_response, "the pages have no end");
    } while (page);
    co_return mine(subject, std::move(events), pages);
}

Task<Result<Happenings>> expand_feed(Subject& subject, Window window) {
    auto feed = co_await pull(subject, subject.provider);
    if (!feed) co_return fail(feed.error());
    const std::string zone = feed->zone.empty() ? "Etc/UTC" : feed->zone;
    co_return mine(subject, calendar::expand(std::move(feed->events), window, zone).events,
                   feed->pages);
}

Task<std::optional<Finding>> compare(Subject& subject, Window window,
                                     std::vector<std::string> wanted) {
    std::ranges::sort(wanted);
    auto listed = co_await list(subject, subject.provider, window);
    if (!listed) co_return trouble("listing the window", listed.error());
    if (listed->lines != wanted)
        co_return wrong("the window has [{}] in place of [{}]", fmt::join(listed->lines, "; "),
                        fmt::join(wanted, "; "));
    auto fed = co_await expand_feed(subject, window);
    if (!fed) co_return trouble("reading the feed", fed.error());
    if (fed->lines != wanted)
        co_return wrong("the feed has [{}] in place of [{}]", fmt::join(fed->lines, "; "),
                        fmt::join(wanted, "; "));
    co_return std::nullopt;
}

std::optional<std::string> difference(const Event& wanted, const Event& there) {
    const auto differs = [](std::string_view field, std::string_view a, std::string_view b) {
        return fmt::format("{} is '{}' in place of '{}'", field, b.substr(0, 200),
                           a.substr(0, 200));
    };
    for (const auto& [field, a, b] :
         {std::tuple{"title", wanted.title, there.title},
          {"description", plain(wanted.description), plain(there.description)},
          {"location", wanted.location, there.location},
          {"start", told(wanted.start), told(there.start)},
          {"finish", told(wanted.finish), told(there.finish)},
          {"busy", wanted.busy, there.busy},
          {"visibility", wanted.visibility, there.visibility}})
        if (a != b) return differs(field, a, b);
    for (const auto& [name, value] : wanted.marks) {
        const auto mark = there.marks.find(name);
        if (mark == there.marks.end()) return fmt::format("the mark {} is not there", name);
        if (mark->second != value) return differs("mark " + name, value, mark->second);
    }
    return std::nullopt;
}

Task<std::optional<Finding>> read_back(Subject& subject, Event wanted,
                                       const plugin::Written& written) {
    if (const auto problem = difference(wanted, written.event))
        co_return wrong("the answer to the write: {}", *problem);
    const auto there = co_await get(subject, written.event.id);
    if (!there) co_return trouble("reading what was written", there.error());
    if (there->id != written.event.id)
        co_return wrong("the event {} comes back as {}", written.event.id, there->id);
    if (there->etag != written.event.etag)
        co_return wrong("the etag of the write is not the one that is read");
    if (const auto problem = difference(wanted, *there))
        co_return wrong("what was written and is read: {}", *problem);
    co_return std::nullopt;
}

}  // namespace calhost::contract
