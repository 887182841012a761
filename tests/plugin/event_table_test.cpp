// The neutral event as a Lua table and back.
#include "plugin/event_table.h"

#include "calendar/zone.h"
#include "plugin/bench.h"
#include "plugin/modules.h"

using namespace calhost;
using namespace calhost::test;
using calendar::Event;

namespace {

struct Table {
    Table() {
        state = std::move(*lua::State::create({.name = "acme"}, time));
        plugin::add_modules(*state, time);
    }
    /// Into Lua, through `body` with the event as `e`, and back.
    Result<Event> through(const Event& event, const std::string& body = "return e") {
        auto function = state->load("test.lua",
                                    "local event, time = require('host.event'), "
                                    "require('host.time') return function(e) " +
                                        body + " end");
        REQUIRE_MESSAGE(function.has_value(), function.error().traceback);
        Result<Event> back = fail(ErrorCode::invalid, "not called");
        const std::vector<lua::Push> arguments{
            [&](lua::Writer& writer) { plugin::push_event(writer, event); }};
        const auto done = state->call_now(
            *function, arguments, {}, [&](std::span<const lua::Reader> results) -> Result<void> {
                back = plugin::read_event(results.front());
                return {};
            });
        if (!done) return fail(done.error().error.code, done.error().traceback);
        return back;
    }
    /// What kind of change the script gives.
    Result<plugin::ChangeKind> change(const std::string& body) {
        const auto function = state->load("test.lua", "return function() " + body + " end");
        Result<plugin::ChangeKind> kind = fail(ErrorCode::invalid, "not called");
        const auto done = state->call_now(
            *function, {}, {}, [&](std::span<const lua::Reader> results) -> Result<void> {
                Event event;
                kind = plugin::read_change(results.front(), event);
                return {};
            });
        CHECK(done.has_value());
        return kind;
    }
    /// What a Lua expression gives, as JSON.
    std::string value(const std::string& expression) {
        auto function =
            state->load("test.lua",
                        "local event, time, crypto, json = require('host.event'), "
                        "require('host.time'), require('host.crypto'), require('host.json') "
                        "return function() return " +
                            expression + " end");
        REQUIRE_MESSAGE(function.has_value(), function.error().traceback);
        std::string text;
        const auto done = state->call_now(
            *function, {}, {}, [&](std::span<const lua::Reader> results) -> Result<void> {
                text = json::serialize(results.front().json().value());
                return {};
            });
        if (!done)
            return std::string(to_string(done.error().error.code)) +
                   (done.error().is_bug ? " (bug)" : "");
        return text;
    }
    boost::asio::io_context context;
    VirtualTime time{context};
    std::unique_ptr<lua::State> state;
};

calendar::EventTime wall(std::string_view local, const std::string& zone) {
    return calendar::make_local(calendar::parse_local(local).value(), zone).value();
}

/// An event that says something in every field.
Event full() {
    Event event;
    event.id = "e1";
    event.etag = "\"7\"";
    event.uid = "e1@acme.example";
    event.title = "Tea — “quoted” 茶";
    event.description = "<b>milk</b>";
    event.description_format = "html";
    event.location = "Berlin";
    event.url = "https://acme.example/e1";
    event.start = wall("2026-11-21T10:00:00", "Europe/Berlin");
    event.finish = wall("2026-11-21T11:30:00", "America/New_York");
    event.busy = "tentative";
    event.status = "tentative";
    event.visibility = "private";
    event.categories = {"work", "tea"};
    event.color = "#aabbcc";
    event.reminders = {{"popup", 10}, {"email", 60}};
    event.recurrence = calendar::Recurrence{"FREQ=WEEKLY;COUNT=4",
                                            {wall("2026-12-24T10:00:00", "Europe/Berlin")},
                                            {wall("2026-11-28T10:00:00", "Europe/Berlin")}};
    event.attendees = {{"a@b.example", "A", "required", "accepted", true},
                       {"c@d.example", "", "optional", "needs_action", false}};
    event.organizer = "a@b.example";
    event.is_organizer = false;
    event.sequence = 3;
    event.created = parse_rfc3339("2026-01-01T00:00:00Z").value();
    event.updated = parse_rfc3339("2026-02-01T00:00:00Z").value();
    event.marks = {{"calhost", "1"}, {"mirror", "m7"}};
    return event;
}

TEST_CASE("event table: every field survives the way to Lua and back") {
    Table table;
    const auto back = table.through(full());
    REQUIRE_MESSAGE(back.has_value(), back.error().message);
    CHECK(calendar::to_json_text(*back) == calendar::to_json_text(full()));
    CHECK(*back == full());
}

TEST_CASE("event table: an override, dates, and the doubled hour of autumn") {
    Table table;
    auto event = full();
    event.recurrence.reset();
    event.series_id = "series";
    event.recurrence_id = wall("2026-11-21T10:00:00", "Europe/Berlin");
    CHECK(table.through(event).value() == event);
    event = {};
    event.id = "d";
    event.start = calendar::make_date(calendar::parse_date("2026-11-24").value());
    event.finish = calendar::make_date(calendar::parse_date("2026-11-26").value());
    event.reminders.emplace();  // none at all is not the default
    CHECK(table.through(event).value() == event);
    for (const auto* moment : {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}) {
        event.start =
            calendar::make_instant(parse_rfc3339(moment).value(), "Europe/Berlin").value();
        event.finish = event.start;
        CHECK(format_rfc3339(table.through(event)->start.instant) == moment);
    }
}

TEST_CASE("event table: what makes no event is refused with the field's name") {
    struct Case {
        std::string body, message;
    };
    Table table;
    for (const auto& row : std::vector<Case>{
             {"return 7", "an event is a table of fields"},
             {"e.id = nil return e", "id"},
             {"e.id = 7 return e", "id"},
             {"e.start = nil return e", "start"},
             {"e.start = '2026-11-21' return e", "start"},
             {"e.start = {} return e", "start"},
             {"e.start = { date = '2026-13-01' } return e", "start"},
             {"e.start = { ['local'] = '2026-11-21T10:00:00', tz = 'Mars/Olympus' } return e", ""},
             {"e.start = { date = '2026-11-21' } return e", ""},
             {"e.start, e.finish = e.finish, e.start return e", ""},
             {"e.busy = 'perhaps' return e", "busy"},
             {"e.recurrence.exdate = { 7 } return e", "exdate"}}) {
        CAPTURE(row.body);
        const auto back = table.through(full(), row.body);
        REQUIRE_FALSE(back.has_value());
        CHECK(to_string(back.error().code) == "invalid");
        CHECK_MESSAGE(back.error().message.contains(row.message), back.error().message);
    }
    CHECK(table.through(full(), "e.updated = 'lately' return e").has_value());
    CHECK(table.through(full(), "e.finish = nil return e")->finish == full().start);
}

TEST_CASE("event table: a moment may be the text that the service sent") {
    Table table;
    const auto start = [&](const std::string& time) -> Result<calendar::EventTime> {
        auto back = table.through(full(), "e.finish = nil e.start = " + time + " return e");
        if (!back) return fail(back.error());
        return back->start;
    };
    CHECK(start("{ instant = '2026-11-21T10:00:00+01:00', tz = 'Europe/Berlin' }") == full().start);
    CHECK(start("{ instant = '2026-11-21T09:00:00Z', tz = 'Mars/Olympus' }")->zone == "Etc/UTC");
    CHECK(start("{ instant = '2026-11-21T09:00:00Z' }")->zone == "Etc/UTC");
    CHECK(start("{ instant = 'soon' }").error().message.contains("start"));
}

TEST_CASE(
    "event table: what is said of an event that is not there any more needs no more than its id") {
    Table table;
    const std::pair<std::string_view, plugin::ChangeKind> cases[] = {
        {"return { id = 'x', deleted = true, start = 7 }", plugin::ChangeKind::deletion},
        {"return { id = 'x', whole = true }", plugin::ChangeKind::whole_series},
        {"return { id = 'x', whole = true, deleted = true, out_of_window = true }",
         plugin::ChangeKind::out_of_window},
        {"return { id = 'x', start = { date = '2026-11-21' }, finish = { date = '2026-11-22' }, "
         "deleted = false }",
         plugin::ChangeKind::event},
    };
    for (const auto& [script, wanted] : cases) {
        const auto kind = table.change(std::string(script));
        REQUIRE_MESSAGE(kind.has_value(), script);
        CHECK_MESSAGE(*kind == wanted, script);
    }
    CHECK_FALSE(table.change("return { id = 'x', start = 7 }").has_value());
}

TEST_CASE("event module: times of every kind, and mistakes as errors") {
    Table table;
    CHECK(table.value("event.date('2026-11-20')") == R"({"date":"2026-11-20"})");
    CHECK(table.value("event.wall('2026-11-20T09:00:00', 'Europe/Berlin')['local']") ==
          R"("2026-11-20T09:00:00")");
    CHECK(table.value("event.instant('2026-11-20T09:00:00+01:00', 'Asia/Tokyo')['local']") ==
          R"("2026-11-20T17:00:00")");
    CHECK(table.value("event.instant('2026-11-20T09:00:00Z', 'Mars/Olympus').tz") ==
          R"("Etc/UTC")");
    CHECK(
        table.value("event.recurrence({ 'RRULE:FREQ=DAILY', 'EXDATE:20261121T100000Z' }).rrule") ==
        R"("FREQ=DAILY")");
    for (const std::string mistake : {"event.date('tomorrow')", "event.wall('9 o clock', 'x')",
                                      "event.instant('never')", "time.parse('late')"})
        CHECK_MESSAGE(table.value(mistake) == "invalid", mistake);
    for (const std::string bug : {"event.new({ titel = 'x' })", "event.new(7)", "event.date(7)",
                                  "event.date()", "crypto.sha256(nil)", "time.format('x')"})
        CHECK_MESSAGE(table.value(bug) == "invalid_response (bug)", bug);
}

TEST_CASE("modules: time, crypto and json do what their names say") {
    Table table;
    CHECK(table.value("time.format(time.now())") == R"("2026-11-20T09:00:00Z")");
    CHECK(table.value("time.format(time.parse('2026-11-20T10:00:00+01:00'))") ==
          R"("2026-11-20T09:00:00Z")");
    CHECK(table.value("time.is_zone('Europe/Berlin')") == "true");
    CHECK(table.value("time.is_zone('Mars/Olympus')") == "false");
    CHECK(table.value("crypto.sha256('abc')") ==
          R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")");
    CHECK(table.value("crypto.hmac_sha256('key', 'The quick brown fox jumps over the lazy dog')") ==
          R"("f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")");
    CHECK(table.value("crypto.base64('a?b>')") == R"("YT9iPg==")");
    CHECK(table.value("crypto.base64url('a?b>')") == R"("YT9iPg")");
    CHECK(table.value("crypto.equal('a', 'a') and not crypto.equal('a', 'b')") == "true");
    CHECK(table.value("json.decode('{\"a\":[1,null,true]}').a[3]") == "true");
    CHECK(table.value("json.decode('{')") == "invalid");
    CHECK(table.value("event.escape('a/b c@d')") == R"("a%2Fb%20c%40d")");
}

}  // namespace
