// What rules may say of bookings, and what is refused.
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "calendar/zone.h"
#include "plugin/bench.h"

using namespace calhost;
using namespace calhost::test;
using calendar::Event;
using calendar::Reminder;
using plugin::WhenDeleted;

namespace {

const boost::json::object kTutor{
    {"role", "tutor"}, {"name", "Ada"}, {"email", "ada@example.org"}, {"language", "de"}};
const boost::json::object kClient{{"role", "client"}, {"name", "Bo"}};
const boost::json::object kBooking{{"id", "b1"},
                                   {"title", "Algebra"},
                                   {"price", {{"amount", 40}}},
                                   {"client", kClient},
                                   {"tutor", kTutor}};

struct Desk {
    explicit Desk(std::vector<plugin::RuleSource> sources) {
        log::set_sink([this](std::string_view line) { log_text += line; });
        auto loaded = plugin::Rules::load(sources, time);
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        rules = std::move(*loaded);
    }
    ~Desk() { log::set_sink({}); }
    boost::asio::io_context context;
    VirtualTime time{context};
    std::unique_ptr<plugin::Rules> rules;
    std::string log_text;
};

/// One rule a file: a.lua, b.lua, …
std::vector<plugin::RuleSource> scripts(const std::string& rule,
                                        const std::vector<std::string>& bodies) {
    std::vector<plugin::RuleSource> sources;
    char name = 'a';
    for (const auto& body : bodies)
        sources.push_back({std::string(1, name++) + ".lua",
                           "rule:on('" + rule + "', function(a, b, c)\n" + body + "\nend)"});
    return sources;
}

std::string text_of(const std::vector<std::string>& failures) {
    std::string text;
    for (const auto& failure : failures) text += failure + "\n";
    return text;
}

Event lesson() {
    Event event{.id = "e1", .etag = "7", .title = "Algebra", .description = "With Ada"};
    event.start = *calendar::make_instant(*parse_rfc3339("2026-11-27T09:00:00Z"), "Europe/Berlin");
    event.finish = *calendar::make_instant(*parse_rfc3339("2026-11-27T10:00:00Z"), "Europe/Berlin");
    event.color = "#0b8043";
    event.reminders = {{"popup", 10}};
    event.marks = {{"calhost_booking", "b1"}};
    event.extra = {{"kept", true}};
    return event;
}

plugin::Ruled<Event> event_of(const std::vector<std::string>& bodies, const Event& event) {
    Desk desk(scripts("booking.event", bodies));
    return desk.rules->booking_event(event, kBooking, kTutor);
}

TEST_CASE("rules: a booking goes where the first answer says") {
    const auto filter = [](const std::vector<std::string>& bodies) {
        Desk desk(scripts("booking.filter", bodies));
        return desk.rules
            ->booking_filter(kBooking, kTutor, {{"provider", "google"}, {"takes_bookings", true}})
            .answer;
    };
    CHECK(filter({}) == std::nullopt);
    CHECK(filter({"return nil"}) == std::nullopt);
    CHECK(filter({"return nil", "return false", "return true"}) == false);
    CHECK(filter({"return a.title == 'Algebra' and b.role == 'tutor' and c.takes_bookings"}) ==
          true);
    CHECK(filter({"return a.client.name == 'Bo' and a.price.amount == 40"}) == true);
    CHECK(filter({"return 'yes'", "return 1", "return {}", "return true"}) == true);
}

TEST_CASE("rules: what was passed over is told with file and line") {
    Desk desk(scripts("booking.filter", {"return 'yes'", "\nlocal t = nil\nreturn t.x",
                                         "while true do end", "return true"}));
    const auto ruled = desk.rules->booking_filter(kBooking, kTutor, {});
    CHECK(ruled.answer == true);
    REQUIRE(ruled.failures.size() == 3);
    CHECK(ruled.failures[0] == "a.lua:1: booking.filter gave neither true nor false");
    CHECK(ruled.failures[1].starts_with("b.lua:4: "));
    CHECK(ruled.failures[2].starts_with("c.lua:"));
    CHECK(desk.log_text.contains("a.lua:1: booking.filter gave neither true nor false"));
    // One that is set aside says so too.
    for (int again = 0; again < 3; ++again) desk.rules->booking_filter(kBooking, kTutor, {});
    const auto later = desk.rules->booking_filter(kBooking, kTutor, {});
    CHECK(text_of(later.failures).contains("c.lua: Plugin c.lua is set aside"));
    CHECK(later.answer == true);
}

TEST_CASE("rules: an expected failure of a rule counts as no answer") {
    Desk desk(scripts("booking.deleted", {"return nil, {code = 'unavailable', message = 'later'}",
                                          "return 'restore'"}));
    const auto ruled = desk.rules->booking_deleted(kBooking, kTutor);
    CHECK(ruled.answer == WhenDeleted::restore);
    CHECK(text_of(ruled.failures) == "a.lua:1: later\n");
}

TEST_CASE("rules: each sees the event that the one before made") {
    const auto ruled = event_of({"a.title = a.title .. ' 1'; return a", "return nil",
                                 "a.title = a.title .. ' 2 ' .. c.name; return a"},
                                lesson());
    CHECK(ruled.failures.empty());
    auto wanted = lesson();
    wanted.title = "Algebra 1 2 Ada";
    CHECK(ruled.answer == wanted);
    CHECK(event_of({}, lesson()).answer == lesson());
    CHECK(event_of({"return a"}, lesson()).answer == lesson());
}

TEST_CASE("rules: an event is what the rule says, and the host keeps what is its own") {
    const auto ruled = event_of({R"(
        a.id, a.etag, a.uid, a.sequence, a.marks = "other", "8", "u", 5, { mine = "yes" }
        a.color, a.description = nil, ""
        a.location, a.url, a.visibility, a.status = "Room 1", "https://x.example", "private", "tentative"
        a.busy, a.categories, a.reminders = "free", { "work" }, {}
        a.attendees = { { email = b.tutor.email, name = "Ada", role = "optional" } }
        a.start = require("host.event").wall("2026-11-27T11:00:00", "Europe/London")
        a.finish = { instant = "2026-11-27T12:30:00Z", tz = "Europe/London" }
        return a)"},
                                lesson());
    CHECK(text_of(ruled.failures).empty());
    auto wanted = lesson();
    wanted.color = wanted.description = "";
    wanted.location = "Room 1";
    wanted.url = "https://x.example";
    wanted.visibility = "private";
    wanted.status = "tentative";
    wanted.busy = "free";
    wanted.categories = {"work"};
    wanted.reminders.emplace();
    wanted.attendees = {{.email = "ada@example.org", .name = "Ada", .role = "optional"}};
    wanted.start = *calendar::make_instant(*parse_rfc3339("2026-11-27T11:00:00Z"), "Europe/London");
    wanted.finish =
        *calendar::make_instant(*parse_rfc3339("2026-11-27T12:30:00Z"), "Europe/London");
    CHECK(ruled.answer == wanted);
    // A new event has no id yet.
    auto fresh = lesson();
    fresh.id = fresh.etag = "";
    CHECK(event_of({"return a"}, fresh).answer == fresh);
}

TEST_CASE("rules: an event that makes no sense is passed over, with the reason") {
    for (const auto& [body, reason] : std::vector<std::pair<std::string, std::string>>{
             {"return 'x'", "something that is no event"},
             {"return true", "something that is no event"},
             {"return { title = 'Only this' }", "event.start: is missing"},
             {"a.title = 7; return a", "a number as `title`; it must be a text"},
             {"a.colour = '#fff'; return a", "`colour`, which is not known here"},
             {"a.color = 'green'; return a", "color"},
             {"a.status = 'cancelled'; return a", "a cancelled event; booking.filter keeps"},
             {"a.status = 'maybe'; return a", "status is 'maybe'"},
             {"a.finish = require('host.event').wall('2026-11-27T08:00:00', 'Etc/UTC'); return a",
              "finish is before start"},
             {"a.start = { instant = '2026-11-27T08:00:00Z', tz = 'Mars/Base' }; return a",
              "the unknown time zone 'Mars/Base'"},
             {"a.start = '2026-11-27T08:00:00Z'; return a", "a text as `start`"},
             {"a.reminders = { { method = 'sms', minutes = 5 } }; return a", "neither \"popup\""},
             {"a.reminders = { { method = 'popup', minutes = 1.5 } }; return a", "`minutes`"},
             {"a.reminders = { 15 }; return a", "something that is no table, in item 1"},
             {"a.attendees = { { name = 'Ada' } }; return a", "an attendee without `email`"},
             {"a.attendees = { { mail = 'ada@example.org' } }; return a", "`mail`, which is not"},
             {"a.attendees = { email = 'ada@example.org' }; return a", "in place of a list"},
             {"a.deleted = true; return a", "`deleted`, which is not known here"},
         }) {
        CAPTURE(body);
        const auto ruled =
            event_of({"a.location = 'Here'; return a", body, "a.title = a.title .. '!'; return a"},
                     lesson());
        REQUIRE(ruled.failures.size() == 1);
        CHECK_MESSAGE(ruled.failures[0].contains(reason), ruled.failures[0]);
        CHECK(ruled.failures[0].starts_with("b.lua:1: booking.event gave "));
        CHECK(ruled.answer.title == "Algebra!");
        CHECK(ruled.answer.location == "Here");
        CHECK(ruled.answer.attendees.empty());
    }
}

TEST_CASE("rules: reminders are a list, and an empty one is an answer") {
    using List = std::vector<Reminder>;
    const auto ask = [](const std::vector<std::string>& bodies) {
        Desk desk(scripts("booking.reminders", bodies));
        return desk.rules->booking_reminders(kBooking, kClient);
    };
    CHECK(ask({}).answer == std::nullopt);
    CHECK(ask({"return {}", "return { { method = 'popup', minutes = 5 } }"}).answer == List{});
    CHECK(ask({"if b.role == 'tutor' then return {} end",
               "return { { method = 'popup', minutes = 0 }, { method = 'email', minutes = 60 } }"})
              .answer == List{{"popup", 0}, {"email", 60}});
    for (const std::string bad :
         {"return 15", "return { 15 }", "return { { minutes = 15 } }",
          "return { { method = 'popup' } }", "return { { method = 'popup', minutes = '15' } }",
          "return { { method = 'popup', minutes = -1 } }",
          "return { { method = 'popup', minutes = 1e9 } }",
          "return { { method = 'popup', minutes = 5, sound = 'bell' } }",
          "return { method = 'popup', minutes = 5 }"}) {
        CAPTURE(bad);
        const auto ruled = ask({bad, "return {}"});
        CHECK(ruled.answer == List{});
        CHECK(text_of(ruled.failures).starts_with("a.lua:1: booking.reminders gave "));
    }
}

TEST_CASE("rules: a deleted event is respected or restored") {
    const auto ask = [](const std::vector<std::string>& bodies) {
        Desk desk(scripts("booking.deleted", bodies));
        return desk.rules->booking_deleted(kBooking, kTutor);
    };
    CHECK(ask({}).answer == std::nullopt);
    CHECK(ask({"return 'respect'", "return 'restore'"}).answer == WhenDeleted::respect);
    CHECK(ask({"return b.role == 'tutor' and 'restore' or nil"}).answer == WhenDeleted::restore);
    for (const std::string bad : {"return true", "return 'ignore'", "return {}"}) {
        const auto ruled = ask({bad, "return 'restore'"});
        CHECK(ruled.answer == WhenDeleted::restore);
        CHECK(text_of(ruled.failures) ==
              "a.lua:1: booking.deleted gave neither \"respect\" nor \"restore\"\n");
    }
}

TEST_CASE("rules: the script that comes along reminds a day, an hour and a quarter before") {
    std::ifstream file(CALHOST_SOURCE_DIR "/scripts/reminders.lua");
    std::ostringstream code;
    code << file.rdbuf();
    Desk desk({{"reminders.lua", code.str()}});
    const auto ruled = desk.rules->booking_reminders(kBooking, kClient);
    CHECK(ruled.failures.empty());
    CHECK(ruled.answer == std::vector<Reminder>{{"email", 24 * 60}, {"popup", 60}, {"popup", 15}});
}

}  // namespace
