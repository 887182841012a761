// Writing, windows, busy times and channels: what a script is given, and what its answers become.
#include <map>

#include "base/log.h"
#include "calendar/zone.h"
#include "plugin/bench.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

using calendar::Event;

Event lesson() {
    Event event{.title = "Lesson"};
    event.start =
        calendar::make_local(calendar::parse_local("2026-11-21T09:00:00").value(), "Europe/Berlin")
            .value();
    event.finish =
        calendar::make_local(calendar::parse_local("2026-11-21T10:00:00").value(), "Europe/Berlin")
            .value();
    return event;
}

Timestamp moment(std::string_view text) { return parse_rfc3339(text).value(); }

const calendar::Window kWeek{moment("2026-11-20T00:00:00Z"), moment("2026-11-27T00:00:00Z")};

/// A script in which `event` comes back as it went in, with a name.
constexpr std::string_view kEcho = R"(
local function echo(raw) raw.id, raw.etag = raw.id or "new", "1" return { event = event.new(raw) } end
function M.create_event(ctx, calendar, raw, key) raw.marks = { key = key, calendar = calendar.id } return echo(raw) end
function M.update_event(ctx, calendar, id, raw, etag) raw.marks = { id = id, etag = etag } return echo(raw) end)";

TEST_CASE("provider: an event that is written comes back with every field as it was") {
    Bench bench(kEcho);
    auto event = lesson();
    event.description = "Zażółć 日本";
    event.description_format = "html";
    event.location = "Room 1";
    event.url = "https://x.example/";
    event.busy = "oof";
    event.status = "tentative";
    event.visibility = "private";
    event.categories = {"red", "blue"};
    event.color = "#a1b2c3";
    event.reminders = {{.method = "email", .minutes = 1440}};
    event.recurrence = {.rrule = "FREQ=DAILY;COUNT=3", .exdate = {event.start}};
    const auto written =
        bench.time.wait(bench.provider->create_event(bench.access, "cal", event, "k-1"));
    REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
    event.id = "new";
    event.etag = "1";
    event.marks = {{"key", "k-1"}, {"calendar", "cal"}};
    CHECK(calendar::to_json_text(written->event) == calendar::to_json_text(event));
    CHECK(written->lossy.empty());
}

TEST_CASE("provider: what is empty is told as empty, and what the host does not own is not told") {
    Bench bench(R"(function M.update_event(ctx, calendar, id, raw, etag)
        assert(raw.title == "" and raw.description == "" and raw.location == "" and raw.url == "")
        assert(raw.recurrence == false and raw.id == "e1" and etag == "")
        assert(raw.reminders == nil and raw.color == nil and raw.categories == nil)
        assert(raw.attendees == nil and raw.organizer == nil)
        return { event = event.new(raw), lossy = { "The e-mail reminder is left out." } }
      end)");
    auto event = lesson();
    event.title.clear();
    event.attendees = {{.email = "guest@x.example"}};
    event.organizer = "someone@x.example";
    const auto written =
        bench.time.wait(bench.provider->update_event(bench.access, "cal", "e1", event, ""));
    REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
    CHECK(written->event.id == "e1");
    CHECK(written->lossy == std::vector<std::string>{"The e-mail reminder is left out."});
}

TEST_CASE("provider: attendees are told when they are to be written, also that there are none") {
    Bench bench(R"(function M.update_event(ctx, calendar, id, raw, etag)
        raw.title = #raw.attendees .. (raw.attendees[1] and raw.attendees[1].email or "")
        return { event = event.new(raw) }
      end)");
    auto event = lesson();
    event.sets_attendees = true;
    const auto title = [&] {
        return bench.time.wait(bench.provider->update_event(bench.access, "cal", "e1", event, ""))
            .value()
            .event.title;
    };
    CHECK(title() == "0");
    event.attendees = {{.email = "guest@x.example"}};
    CHECK(title() == "1guest@x.example");
}

TEST_CASE("provider: what is lost in a write stands in the log, without the event's title") {
    Bench bench(R"(function M.create_event(ctx, calendar, raw, key) raw.id = "e1"
        return { event = event.new(raw), lossy = { "Acme has no reminders.", "Acme has no colours." } } end)");
    auto event = lesson();
    event.title = "Secret plans";
    std::vector<std::string> lines;
    log::set_sink([&](std::string_view line) { lines.emplace_back(line); });
    const auto written =
        bench.time.wait(bench.provider->create_event(bench.access, "cal", event, "k"));
    log::set_sink({});
    REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
    REQUIRE(lines.size() == 2);
    for (const std::string part : {"acme", "c1", "e1", "Acme has no reminders."})
        CHECK_MESSAGE(lines[0].contains(part), lines[0]);
    CHECK_MESSAGE(lines[1].contains("Acme has no colours."), lines[1]);
    CHECK_FALSE((lines[0] + lines[1]).contains("Secret plans"));
}

TEST_CASE("provider: an event that no calendar can hold does not reach the script") {
    Bench bench("function M.create_event() error('called') end");
    auto event = lesson();
    std::swap(event.start, event.finish);
    CHECK(outcome_of(bench.time.wait(bench.provider->create_event(
              bench.access, "cal", event, "k"))) == "invalid: finish is before start");
}

TEST_CASE("provider: answers of a wrong shape are invalid_response, whatever the call") {
    log::set_sink([](std::string_view) {});
    for (const std::string answer :
         {"nil", "7", "{}", "{ event = 7 }", "{ event = { id = 'e' } }", "false",
          "{ event = { id = 'e', start = {}, finish = {} } }", "{ { start = 'now' } }",
          "{ resource = 'r' }", "{ channels = { { id = 'c', what = 'dunno' } } }"}) {
        CAPTURE(answer);
        std::string functions;
        for (const std::string name :
             {"create_event", "update_event", "delete_event", "get_event", "open_channel",
              "renew_channel", "close_channel", "busy", "read_notification"})
            functions += "function M." + name + "() return " + answer + " end\n";
        Bench bench(functions);
        auto& provider = *bench.provider;
        auto& access = bench.access;
        const auto check = [&](const auto& result) {
            REQUIRE_FALSE(result.has_value());
            CHECK(to_string(result.error().code) == "invalid_response");
        };
        check(bench.time.wait(provider.create_event(access, "c", lesson(), "k")));
        check(bench.time.wait(provider.update_event(access, "c", "e", lesson(), "")));
        check(bench.time.wait(provider.delete_event(access, "c", "e", "")));
        check(bench.time.wait(provider.get_event(access, "c", "e")));
        check(bench.time.wait(provider.open_channel(access, "c", {})));
        check(bench.time.wait(provider.renew_channel(access, "c", {}, {})));
        check(bench.time.wait(provider.close_channel(access, "c", {})));
        if (answer != "{}" && !answer.starts_with("{ event") && !answer.starts_with("{ res") &&
            !answer.starts_with("{ chan"))
            check(bench.time.wait(provider.busy(access, {"c"}, kWeek)));
        if (answer.contains("dunno") || !answer.starts_with("{"))
            check(provider.read_notification({}));
    }
    log::set_sink({});
}

TEST_CASE("provider: a written event's answer of another type or name is told with its function") {
    log::set_sink([](std::string_view) {});
    struct Case {
        std::string answer, complaint;
    };
    for (const auto& [answer, complaint] : std::vector<Case>{
             {"{}", "the provider gave no `event` after writing"},
             {"{ event = 7 }", "the provider gave a number as `event`; it must be a table"},
             {"raw", "the provider gave `"},  // the event itself
             {"{ event = raw, losy = {} }",
              "the provider gave `losy`, which is not known here; did you mean lossy?"},
             {"{ event = raw, lossy = 'all' }", "the provider gave a text as `lossy`; it must"},
             {"{ event = raw, lossy = { 7 } }",
              "the provider gave something else than sentences in `lossy`"}}) {
        Bench bench("function M.create_event(ctx, calendar, raw) raw.id = 'e' return " + answer +
                    " end");
        const auto told = outcome_of(
            bench.time.wait(bench.provider->create_event(bench.access, "c", lesson(), "k")));
        CHECK_MESSAGE(told.starts_with("invalid_response: the plugin acme returned something "
                                       "wrong: create_event: " +
                                       complaint),
                      told);
    }
    Bench bench(
        "function M.open_channel() return { resource = 7, expires_at = '2026-11-27T00:00:00Z' } "
        "end "
        "function M.read_notification() return { chanels = {} } end");
    CHECK(outcome_of(bench.time.wait(bench.provider->open_channel(bench.access, "c", {})))
              .ends_with("open_channel: the provider gave a number as `resource`; it must be a "
                         "text"));
    CHECK(outcome_of(bench.provider->read_notification({}))
              .ends_with("read_notification: the provider gave `chanels`, which is not known here; "
                         "did you mean channels?"));
    log::set_sink({});
}

TEST_CASE("provider: busy times are cut, sorted and joined, whoever says them") {
    Bench bench(R"(function M.busy(ctx, calendars, window)
        assert(#calendars == 2 and calendars[2].id == "b" and window.start == "2026-11-20T00:00:00Z")
        return { { start = "2026-11-21T10:00:00Z", finish = "2026-11-21T11:00:00Z" },
          { start = "2026-11-19T10:00:00Z", finish = "2026-11-20T01:00:00+01:00" },
          { start = "2026-11-21T09:00:00Z", finish = "2026-11-21T10:00:00Z" } }
      end)");
    const auto times = bench.time.wait(bench.provider->busy(bench.access, {"a", "b"}, kWeek));
    REQUIRE_MESSAGE(times.has_value(), outcome_of(times));
    REQUIRE(times->size() == 1);
    CHECK(times->at(0).start == moment("2026-11-21T09:00:00Z"));
    CHECK(times->at(0).finish == moment("2026-11-21T11:00:00Z"));
}

TEST_CASE("provider: one without list_events and busy is asked for its changes") {
    Bench bench(R"(function M.list_changes(ctx, calendar, cursor, page, window)
        assert(cursor == nil)
        if not page then
          return { page = "2", events = { event.new({ id = "s", title = "Daily",
            start = event.wall("2026-11-25T09:00:00", "Europe/Berlin"),
            finish = event.wall("2026-11-25T10:00:00", "Europe/Berlin"),
            recurrence = event.recurrence({ "RRULE:FREQ=DAILY" }) }) } }
        end
        return { cursor = "c", time_zone = "Europe/Berlin", events = {
          event.new({ id = "o", series_id = "s", status = "cancelled",
            recurrence_id = event.wall("2026-11-26T09:00:00", "Europe/Berlin"),
            start = event.wall("2026-11-26T09:00:00", "Europe/Berlin") }),
          event.new({ id = "d", start = event.date("2026-11-22"), finish = event.date("2026-11-23") }) } }
      end)");
    const auto found =
        bench.time.wait(bench.provider->list_events(bench.access, "c", kWeek, std::nullopt));
    REQUIRE_MESSAGE(found.has_value(), outcome_of(found));
    CHECK_FALSE(found->page.has_value());
    REQUIRE(found->events.size() == 2);
    CHECK(found->events[0].id == "d");
    CHECK(found->events[1].series_id == "s");
    const auto times = bench.time.wait(bench.provider->busy(bench.access, {"c"}, kWeek));
    REQUIRE_MESSAGE(times.has_value(), outcome_of(times));
    REQUIRE(times->size() == 2);
    CHECK(times->at(0).start == moment("2026-11-21T23:00:00Z"));
    CHECK(times->at(1).finish == moment("2026-11-25T09:00:00Z"));
}

TEST_CASE(
    "provider: what a list leaves as a series is expanded, and what is cancelled is not in it") {
    Bench bench(R"(function M.list_events(ctx, calendar, window, page)
        assert(window.finish == "2026-11-27T00:00:00Z" and page == "p")
        local start, finish = event.date("2026-11-22"), event.date("2026-11-23")
        ctx.changes:add(event.new({ id = "a", start = start, finish = finish, status = "cancelled" }))
        ctx.changes:add(event.new({ id = "b", start = start, finish = finish,
          recurrence = event.recurrence({ "RRULE:FREQ=DAILY" }) }))
        return { events = { event.new({ id = "c", start = start, finish = finish }) }, page = "q" }
      end)");
    const auto found = bench.time.wait(bench.provider->list_events(bench.access, "c", kWeek, "p"));
    REQUIRE_MESSAGE(found.has_value(), outcome_of(found));
    std::map<std::string, int> count;
    for (const auto& event : found->events)
        ++count[event.series_id.empty() ? event.id : event.series_id];
    CHECK(count == std::map<std::string, int>{{"b", 5}, {"c", 1}});
    CHECK(found->page == "q");
}

TEST_CASE("provider: a channel that cannot be extended is opened anew") {
    const std::string open = R"(function M.open_channel(ctx, calendar, request)
        return { resource = request.url .. request.secret, expires_at = "2026-11-27T00:00:00Z" } end )";
    const std::string renew = R"(function M.renew_channel(ctx, calendar, request, known)
        return { resource = known.resource, expires_at = "2026-11-28T00:00:00Z" } end)";
    const plugin::ChannelRequest request{"new", Secret("s"), "https://h.example/"};
    const plugin::Channel known{"old", "r-1", moment("2026-11-21T00:00:00Z")};
    Bench plain(open);
    auto channel =
        plain.time.wait(plain.provider->renew_channel(plain.access, "c", request, known));
    REQUIRE_MESSAGE(channel.has_value(), outcome_of(channel));
    CHECK(channel->id == "new");
    CHECK(channel->resource == "https://h.example/s");
    Bench able(open + renew);
    channel = able.time.wait(able.provider->renew_channel(able.access, "c", request, known));
    REQUIRE_MESSAGE(channel.has_value(), outcome_of(channel));
    CHECK(channel->id == "old");
    CHECK(channel->resource == "r-1");
    CHECK(channel->expires_at == moment("2026-11-28T00:00:00Z"));
}

TEST_CASE("provider: a notification is read at once, with its answer and its items") {
    Bench bench(R"(function M.read_notification(request)
        if request.query.hello then return { reply = { status = 200, body = request.query.hello,
          headers = { ["Content-Type"] = "text/plain" } } } end
        if request.body == "?" then return nil, { code = "invalid", message = "no" } end
        return { channels = { { id = request.headers["x-channel"], secret = "s", what = "changed" },
          { id = "2", secret = "t", what = "lost" } } }
      end)");
    net::Request request{.method = "POST", .headers = {{"X-Channel", "1"}}};
    auto notification = bench.provider->read_notification(request);
    REQUIRE_MESSAGE(notification.has_value(), outcome_of(notification));
    CHECK_FALSE(notification->reply.has_value());
    REQUIRE(notification->notices.size() == 2);
    CHECK(notification->notices[0].id == "1");
    CHECK(notification->notices[0].secret.expose() == "s");
    CHECK(notification->notices[1].what == plugin::News::lost);
    request.body = "?";
    CHECK(outcome_of(bench.provider->read_notification(request)) == "invalid: no");
    request.query.add("hello", "token");
    notification = bench.provider->read_notification(request);
    REQUIRE(notification.has_value());
    CHECK(notification->reply->body == "token");
    CHECK(notification->reply->headers.get("content-type") == "text/plain");
    CHECK(notification->notices.empty());
}

}  // namespace
