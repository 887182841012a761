// providers/caldav: feeds that Radicale and Xandikos do not give.
#include "plugin/caldav_answers.h"

using namespace calhost;
using namespace calhost::test;

namespace {

using World = CaldavAnswers;

TEST_CASE("caldav: an answer that was cut short (507) goes on with the token that it gave") {
    World world;
    world.multistatus(member("a.ics") + status_of("gone.ics", "404 Not Found") +
                      status_of("", "507 Insufficient Storage") + "<sync-token>t1</sync-token>");
    world.multistatus(member("a.ics", resource("a")));
    const auto first = world.changes("sync:t0");
    REQUIRE_MESSAGE(first.has_value(), outcome_of(first));
    REQUIRE(first->page.has_value());
    CHECK_FALSE(first->cursor.has_value());
    REQUIRE(first->events.size() == 1);
    CHECK(first->events[0].id == "/dav/ann/work/a.ics");
    CHECK(first->deleted == std::vector<std::string>{"/dav/ann/work/gone.ics"});
    CHECK(world.sent(0).starts_with("REPORT https://cloud.example/dav/ann/work/ 0 "));
    CHECK(world.sent(0).contains("<D:sync-token>t0</D:sync-token>"));

    world.transport.answers.clear();
    world.multistatus(member("b.ics") + "<sync-token>t2</sync-token>");
    world.multistatus(member("b.ics", resource("b")));
    const auto last = world.changes("sync:t0", first->page);
    REQUIRE_MESSAGE(last.has_value(), outcome_of(last));
    CHECK(last->cursor == "sync:t2");
    CHECK(last->events.size() == 1);
    CHECK(last->deleted.empty());
    CHECK(world.sent(2).contains("<D:sync-token>t1</D:sync-token>"));
}

std::string long_list() {
    std::string list;
    for (int i = 0; i < 501; ++i) list += member(fmt::format("{}.ics", i));
    return list;
}

TEST_CASE("caldav: a long list is fetched in batches of 50, 500 a page") {
    World world;
    world.multistatus(long_list() + "<sync-token>t1</sync-token>");
    world.answer(403);  // what the window holds is not told
    world.multistatus("");
    const auto first = world.changes(std::nullopt);
    REQUIRE_MESSAGE(first.has_value(), outcome_of(first));
    CHECK(world.transport.requests.size() == 12);
    const auto last = world.changes(std::nullopt, first->page);
    REQUIRE_MESSAGE(last.has_value(), outcome_of(last));
    CHECK(last->cursor == "sync:t1");
    CHECK(world.transport.requests.size() == 13);
    CHECK(world.sent(12).contains("<D:href>/dav/ann/work/500.ics</D:href>"));
}

TEST_CASE("caldav: of a long list only what the window can show is fetched, and the token stays") {
    World world;
    world.multistatus(long_list() + "<sync-token>t1</sync-token>");
    world.multistatus(member("7.ics"));
    world.multistatus(member("7.ics") + member("500.ics"));  // series
    world.multistatus("");
    world.multistatus(member("7.ics", resource("a")) + member("500.ics", resource("b")));
    const auto changes = world.changes(std::nullopt);
    REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
    CHECK(changes->events.size() == 2);
    CHECK(changes->cursor == "sync:t1");
    CHECK(world.transport.requests.size() == 5);
    CHECK(world.sent(1).contains(R"(<C:time-range start="19700101T000000Z"/>)"));
    // Later changes come whenever they are.
    World later;
    later.multistatus(long_list() + "<sync-token>t2</sync-token>");
    later.multistatus("");
    CHECK(later.changes("sync:t1")->page.has_value());
    CHECK(later.transport.requests.size() == 11);
}

TEST_CASE("caldav: what a failed sync-collection means") {
    struct Case {
        int status;
        const char* cursor;
        const char* code;
    };
    for (const auto& row :
         {Case{400, "sync:t0", "cursor_expired"}, Case{403, "sync:t0", "cursor_expired"},
          Case{404, "sync:t0", "cursor_expired"}, Case{409, "sync:t0", "cursor_expired"},
          Case{410, "sync:t0", "cursor_expired"}, Case{412, "sync:t0", "cursor_expired"},
          Case{500, "sync:t0", "cursor_expired"}, Case{502, "sync:t0", "unavailable"},
          Case{503, "sync:t0", "unavailable"}, Case{401, "sync:t0", "unauthorized"},
          Case{401, nullptr, "unauthorized"}, Case{404, nullptr, "not_found"},
          Case{503, nullptr, "unavailable"}}) {
        CAPTURE(row.status);
        World world;
        world.answer(row.status);
        const auto changes =
            world.changes(row.cursor ? std::optional<std::string>(row.cursor) : std::nullopt);
        CHECK(to_string(changes.error().code) == row.code);
    }
    World world;
    world.answer(403, R"(<error xmlns="DAV:"><valid-sync-token/></error>)");
    CHECK(to_string(world.changes("sync:t0").error().code) == "cursor_expired");
    CHECK(world.transport.requests.size() == 1);
    World slow;
    slow.answer(429, "", {{"Retry-After", "90"}});
    CHECK(to_string(slow.changes("sync:t0").error().code) == "rate_limited");
}

std::string ctag(const char* text) {
    return fmt::format(R"(<response><href>{}</href><propstat><prop><x:getctag )"
                       R"(xmlns:x="http://calendarserver.org/ns/">{}</x:getctag></prop>)"
                       R"(<status>HTTP/1.1 200 OK</status></propstat></response>)",
                       kCalendar, text);
}

TEST_CASE("caldav: a server of the draft is asked with Depth 1, one without the report for etags") {
    World world;
    world.answer(400);
    world.multistatus("<sync-token>t1</sync-token>");
    CHECK(world.changes(std::nullopt)->cursor == "sync:t1");
    CHECK(world.sent(1).starts_with("REPORT https://cloud.example/dav/ann/work/ 1 "));

    World other;
    other.answer(403);
    other.answer(404);
    other.multistatus(member("a.ics"));
    other.multistatus(member("a.ics", resource("a")));
    const auto changes = other.changes(std::nullopt);
    REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
    CHECK(other.sent(2).starts_with("PROPFIND https://cloud.example/dav/ann/work/ 1 "));
    CHECK(changes->events.size() == 1);
    CHECK(changes->cursor == R"(etags:{"etags":{"/dav/ann/work/a.ics":"\"1\""}})");
}

TEST_CASE("caldav: without the report, a ctag that stayed saves the list of etags") {
    World world;
    world.answer(403);
    world.multistatus(ctag("c1"));
    world.multistatus(member("a.ics"));
    world.multistatus(member("a.ics", resource("a")));
    const auto first = world.changes(std::nullopt);
    REQUIRE_MESSAGE(first.has_value(), outcome_of(first));
    for (const bool is_changed : {false, true}) {
        World later;
        later.multistatus(ctag(is_changed ? "c2" : "c1"));
        later.multistatus(member("a.ics") + member("b.ics"));
        later.multistatus(member("b.ics", resource("b")));
        const auto changes = later.changes(first->cursor);
        REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
        CHECK(changes->events.size() == (is_changed ? 1 : 0));
        CHECK(later.transport.requests.size() == (is_changed ? 3 : 1));
        CHECK(changes->cursor->contains(is_changed ? "c2" : "c1"));
        CHECK(changes->deleted.empty());
    }
}

TEST_CASE("caldav: a broken resource is left out, the others come") {
    World world;
    world.multistatus(member("a.ics") + member("b.ics") + "<sync-token>t1</sync-token>");
    world.multistatus(member("a.ics", "no calendar") + member("b.ics", resource("b")));
    const auto changes = world.changes(std::nullopt);
    REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
    CHECK(changes->events.size() == 1);
    CHECK(changes->cursor == "sync:t1");
}

TEST_CASE("caldav: a resource that went meanwhile is gone, one that the server withholds is not") {
    World world;
    world.multistatus(member("a.ics") + member("b.ics") + member("c.ics") +
                      "<sync-token>t1</sync-token>");
    world.multistatus(status_of("a.ics", "404 Not Found") +
                      status_of("b.ics", "500 Internal Server Error") +
                      member("c.ics", resource("c")));
    const auto changes = world.changes("sync:t0");
    REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
    CHECK(changes->events.size() == 1);
    CHECK(changes->deleted == std::vector<std::string>{"/dav/ann/work/a.ics"});
    CHECK(changes->whole == std::vector<std::string>{"/dav/ann/work/c.ics"});
}

TEST_CASE("caldav: a cursor that cannot be read means a full pull") {
    for (const auto* cursor : {"etags:{}", "etags:x"}) {
        World world;
        CHECK(to_string(world.changes(cursor).error().code) == "cursor_expired");
        CHECK(world.transport.requests.empty());
    }
}

TEST_CASE("caldav: the account's owner is known among the people of an event") {
    for (const bool is_organizer : {true, false}) {
        World world;
        world.access.home.data["email"] = "Ann@example.com";
        auto data = resource("a");
        data.insert(data.find("DTSTART"),
                    std::string("ORGANIZER:mailto:") + (is_organizer ? "ann" : "bob") +
                        "@example.com\nATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.com\n"
                        "ATTENDEE:mailto:bob@example.com\n");
        world.multistatus(member("a.ics") + "<sync-token>t1</sync-token>");
        world.multistatus(member("a.ics", data));
        const auto changes = world.changes(std::nullopt);
        REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
        const auto& read = changes->events.at(0);
        CHECK(read.is_organizer == is_organizer);
        CHECK(read.attendees.at(0).is_self);
        CHECK(read.attendees.at(0).response == "declined");
        CHECK_FALSE(read.attendees.at(1).is_self);
    }
}

/// Answers each multiget with what it asks for, unless that is `large` or more.
void serve(World& world, const std::string& large, const std::string& size) {
    world.transport.hook = [&world, large, size](const net::ClientRequest& request) {
        auto& answers = world.transport.answers;
        if (request.body.contains("sync-collection")) return;
        answers.clear();
        if (request.method == "PROPFIND")
            return world.multistatus(fmt::format(
                "<response><href>{}</href><propstat><prop><getcontentlength>{}</getcontentlength>"
                "</prop><status>HTTP/1.1 200 OK</status></propstat></response>",
                kCalendar, size));
        if (request.body.contains(large)) {
            answers.emplace_back(
                fail(ErrorCode::invalid_response, "The answer is larger than was allowed."));
            return;
        }
        std::string found;
        for (const std::string name : {"a", "b", "c", "d"})
            if (request.body.contains("/" + name + ".ics"))
                found += member(name + ".ics", resource(name));
        world.multistatus(found);
    };
}

TEST_CASE("caldav: of resources that are too large together each comes, one too large is left") {
    struct Case {
        const char* large;
        const char* size;
        const char* outcome;
        std::size_t events;
    };
    for (const auto& row :
         {Case{"a.ics</D:href><D:href>/dav/ann/work/b.ics", "300", "ok", 4},
          Case{"c.ics", "9000000", "ok", 3}, Case{"c.ics", "300", "invalid_response", 0},
          Case{"c.ics", "", "invalid_response", 0}}) {
        CAPTURE(row.large);
        World world;
        world.multistatus(member("a.ics") + member("b.ics") + member("c.ics") + member("d.ics") +
                          "<sync-token>t1</sync-token>");
        serve(world, row.large, row.size);
        const auto changes = world.changes("sync:t0");
        CHECK_MESSAGE(outcome_of(changes).starts_with(row.outcome), outcome_of(changes));
        if (!changes) continue;
        CHECK(changes->events.size() == row.events);
        CHECK(changes->whole.size() == row.events);
        CHECK(changes->deleted.empty());
        CHECK(changes->cursor == "sync:t1");
    }
}

}  // namespace
