// providers/caldav on answers that Radicale and Xandikos do not give.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "calendar/zone.h"
#include "plugin/account_access.h"

using namespace calhost;
using namespace calhost::test;

namespace {

constexpr auto kCalendar = "/dav/ann/work/";

struct World {
    World() {
        std::ostringstream code;
        code << std::ifstream(CALHOST_SOURCE_DIR "/providers/caldav/provider.lua").rdbuf();
        auto loaded =
            plugin::Provider::load({"caldav", "providers/caldav/provider.lua", code.str()},
                                   {transport, time, time, random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
        transport.answers.clear();
    }
    Result<plugin::Changes> changes(std::optional<std::string> cursor,
                                    std::optional<std::string> page = std::nullopt) {
        return time.wait(
            provider->list_changes(access, kCalendar, std::move(cursor), std::move(page), {}));
    }
    void answer(int status, std::string body = "", net::Headers headers = {}) {
        transport.answers.emplace_back(
            net::ClientResponse{status, std::move(headers), std::move(body)});
    }
    void multistatus(const std::string& inner) {
        answer(207, R"(<multistatus xmlns="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav">)" +
                        inner + "</multistatus>");
    }
    [[nodiscard]] std::string sent(std::size_t index) const {
        const auto& request = transport.requests.at(index);
        return fmt::format("{} {} {} {}", request.method, request.url, request.headers.get("Depth"),
                           request.body);
    }
    boost::asio::io_context context;
    VirtualTime time{context};
    SeededRandom random{3};
    ListTransport transport;
    AccountAccess access;
    std::unique_ptr<plugin::Provider> provider;
};

std::string member(const std::string& name, const std::string& data = "") {
    return fmt::format(
        "<response><href>{}{}</href><propstat><prop><getetag>\"1\"</getetag>"
        "<cal:calendar-data>{}</cal:calendar-data></prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>",
        kCalendar, name, data);
}

std::string status_of(const std::string& name, const char* status) {
    return fmt::format("<response><href>{}{}</href><status>HTTP/1.1 {}</status></response>",
                       kCalendar, name, status);
}

std::string event(const std::string& uid) {
    return fmt::format(
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:{}\nDTSTART:20261123T080000Z\n"
        "DTEND:20261123T090000Z\nEND:VEVENT\nEND:VCALENDAR\n",
        uid);
}

TEST_CASE("caldav: an answer that was cut short (507) goes on with the token that it gave") {
    World world;
    world.multistatus(member("a.ics") + status_of("gone.ics", "404 Not Found") +
                      status_of("", "507 Insufficient Storage") + "<sync-token>t1</sync-token>");
    world.multistatus(member("a.ics", event("a")));
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
    world.multistatus(member("b.ics", event("b")));
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
    world.multistatus(member("7.ics", event("a")) + member("500.ics", event("b")));
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
    other.multistatus(member("a.ics", event("a")));
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
    world.multistatus(member("a.ics", event("a")));
    const auto first = world.changes(std::nullopt);
    REQUIRE_MESSAGE(first.has_value(), outcome_of(first));
    for (const bool is_changed : {false, true}) {
        World later;
        later.multistatus(ctag(is_changed ? "c2" : "c1"));
        later.multistatus(member("a.ics") + member("b.ics"));
        later.multistatus(member("b.ics", event("b")));
        const auto changes = later.changes(first->cursor);
        REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
        CHECK(changes->events.size() == (is_changed ? 1 : 0));
        CHECK(later.transport.requests.size() == (is_changed ? 3 : 1));
        CHECK(changes->cursor->contains(is_changed ? "c2" : "c1"));
        CHECK(changes->deleted.empty());
    }
}

TEST_CASE("caldav: what is no multistatus is an answer that makes no sense") {
    for (const std::string body : {"<html><body>Sign in</body></html>", "", "<multistatus/>",
                                   "<!DOCTYPE x><multistatus xmlns='DAV:'/>"}) {
        CAPTURE(body);
        World world;
        world.answer(207, body);
        CHECK(
            to_string(world.time.wait(world.provider->list_calendars(world.access)).error().code) ==
            "invalid_response");
    }
    World world;
    world.answer(200, "<html/>");
    CHECK(to_string(world.time.wait(world.provider->list_calendars(world.access)).error().code) ==
          "invalid_response");
}

TEST_CASE("caldav: a broken resource is left out, the others come") {
    World world;
    world.multistatus(member("a.ics") + member("b.ics") + "<sync-token>t1</sync-token>");
    world.multistatus(member("a.ics", "no calendar") + member("b.ics", event("b")));
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
                      member("c.ics", event("c")));
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

TEST_CASE("caldav: an occurrence whose deletion was done, but not heard of, is gone") {
    World world;
    auto series = event("s");
    series.insert(series.find("END:VEVENT"), "RRULE:FREQ=DAILY;COUNT=3\n");
    world.answer(200, series, {{"ETag", "\"1\""}});
    world.transport.answers.emplace_back(fail(ErrorCode::unavailable, "The connection broke."));
    world.answer(412);
    world.answer(200, "", {{"ETag", "\"2\""}});
    world.transport.hook = [&](const net::ClientRequest& request) {
        if (request.method != "PUT") return;
        for (auto& answer : world.transport.answers)
            if (answer && answer->status == 200) answer->body = request.body;
    };
    CHECK(outcome_of(world.time.wait(world.provider->delete_event(
              world.access, kCalendar, "/dav/ann/work/s.ics_20261124T080000Z", "\"1\""))) == "ok");
}

TEST_CASE("caldav: the account's owner is known among the people of an event") {
    for (const bool is_organizer : {true, false}) {
        World world;
        world.access.home.data["email"] = "Ann@example.com";
        auto data = event("a");
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

calendar::Event wanted() {
    calendar::Event event;
    event.title = "Lesson";
    event.start = event.finish = calendar::make_date(calendar::parse_date("2026-11-23").value());
    event.finish = calendar::make_date(calendar::parse_date("2026-11-24").value());
    return event;
}

TEST_CASE("caldav: an etag that no answer names is asked for") {
    World world;
    world.answer(201);
    world.answer(200, event("x"));
    world.multistatus(member("x.ics"));
    const auto written =
        world.time.wait(world.provider->create_event(world.access, kCalendar, wanted(), "k"));
    REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
    CHECK(written->event.etag == "\"1\"");
    CHECK(world.transport.requests.at(0).headers.get("If-None-Match") == "*");
    CHECK(world.sent(1).starts_with("GET "));
    CHECK(world.sent(2).starts_with("PROPFIND "));
}

TEST_CASE("caldav: an update goes out under the etag that its caller saw, else under today's") {
    for (const std::string etag : {"W/\"old\"", ""}) {
        World world;
        world.answer(200, event("x"), {{"ETag", "\"now\""}});
        world.answer(204, "", {{"ETag", "\"new\""}});
        const auto written = world.time.wait(world.provider->update_event(
            world.access, kCalendar, "/dav/ann/work/x.ics", wanted(), etag));
        REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
        CHECK(written->event.etag == "\"new\"");
        const auto& put = world.transport.requests.at(1);
        CHECK(put.method == "PUT");
        CHECK(put.headers.get("If-Match") == (etag.empty() ? "\"now\"" : etag));
        CHECK(put.headers.get("Content-Type") == "text/calendar; charset=utf-8");
    }
}

TEST_CASE(
    "caldav: an update whose answer was lost, and that is refused when repeated, is a success") {
    World world;
    world.answer(200, event("x"), {{"ETag", "\"1\""}});
    world.transport.answers.emplace_back(fail(ErrorCode::unavailable, "The connection broke."));
    world.answer(412);
    world.answer(200, "", {{"ETag", "\"2\""}});
    world.transport.hook = [&](const net::ClientRequest& request) {
        if (request.method != "PUT") return;
        for (auto& answer : world.transport.answers)
            if (answer && answer->status == 200) answer->body = request.body;
    };
    const auto written = world.time.wait(world.provider->update_event(
        world.access, kCalendar, "/dav/ann/work/x.ics", wanted(), "\"1\""));
    REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
    CHECK(written->event.title == "Lesson");
    CHECK(written->event.etag == "\"2\"");
}

TEST_CASE("caldav: an event whose owner moved it to another calendar is fetched back") {
    World world;
    world.answer(
        409, R"(<error xmlns="DAV:"><c:no-uid-conflict xmlns:c="urn:ietf:params:xml:ns:caldav">)"
             R"(<href>/dav/ann/private/x.ics</href></c:no-uid-conflict></error>)");
    world.answer(404);
    world.answer(201);
    world.answer(200, "", {{"ETag", "\"2\""}});
    world.transport.hook = [&](const net::ClientRequest& request) {
        if (request.method == "PUT") world.transport.answers.back()->body = request.body;
    };
    const auto written =
        world.time.wait(world.provider->create_event(world.access, kCalendar, wanted(), "k"));
    REQUIRE_MESSAGE(written.has_value(), outcome_of(written));
    CHECK(written->event.id.starts_with(kCalendar));
    const auto& move = world.transport.requests.at(2);
    CHECK(move.method == "MOVE");
    CHECK(move.url == "https://cloud.example/dav/ann/private/x.ics");
    CHECK(move.headers.get("Destination") == "https://cloud.example" + written->event.id);
    CHECK(move.headers.get("Overwrite") == "F");
}

TEST_CASE("caldav: before a meeting is deleted the server is told to send no cancellation") {
    World world;
    world.access.home.data["email"] = "ann@example.com";
    auto meeting = event("m");
    meeting.insert(meeting.find("DTSTART"),
                   "ORGANIZER:mailto:ann@example.com\nATTENDEE:mailto:bob@example.com\n");
    world.answer(200, meeting, {{"ETag", "\"1\""}});
    world.answer(204, "", {{"ETag", "\"2\""}});
    world.answer(204);
    const auto done = world.time.wait(
        world.provider->delete_event(world.access, kCalendar, "/dav/ann/work/m.ics", "\"1\""));
    REQUIRE_MESSAGE(done.has_value(), outcome_of(done));
    REQUIRE(world.transport.requests.size() == 3);
    CHECK(world.transport.requests[1].headers.get("If-Match") == "\"1\"");
    CHECK(world.sent(1).contains("ATTENDEE;SCHEDULE-AGENT=CLIENT"));
    CHECK(world.sent(2).starts_with("DELETE "));
}

TEST_CASE("caldav: what a refused write means") {
    struct Case {
        int status;
        const char* code;
        const char* body = "";
    };
    for (const auto& row :
         {Case{401, "unauthorized"}, Case{403, "forbidden"}, Case{404, "not_found"},
          Case{409, "invalid"}, Case{415, "invalid"}, Case{423, "conflict"}, Case{507, "forbidden"},
          Case{403, "unsupported", "<C:supported-calendar-component/>"},
          Case{403, "invalid", "<C:valid-calendar-data/>"}}) {
        CAPTURE(row.status);
        World world;
        world.answer(row.status, row.body);
        const auto written =
            world.time.wait(world.provider->create_event(world.access, kCalendar, wanted(), "k"));
        CHECK(to_string(written.error().code) == row.code);
    }
}

TEST_CASE("caldav: discovery follows redirects with method and body, to granted origins only") {
    struct Case {
        const char* target;
        const char* next;
    };
    for (const auto& row :
         {Case{"/dav/", "PROPFIND https://cloud.example/dav/ 0"},
          Case{"https://p42.icloud.example/x", "PROPFIND https://p42.icloud.example/x 0"},
          Case{"https://evil.example/", ""}, Case{"http://cloud.example/", ""}}) {
        CAPTURE(row.target);
        World world;
        world.access.home.url = "https://cloud.example";
        world.answer(301, "", {{"Location", row.target}});
        world.answer(401);
        const auto found = world.time.wait(world.provider->discover(world.access));
        REQUIRE_FALSE(found.has_value());
        CHECK(world.sent(0).starts_with("PROPFIND https://cloud.example/.well-known/caldav 0"));
        for (const auto& request : world.transport.requests)
            CHECK_FALSE(request.url.contains("evil"));
        if (row.next[0] == '\0') continue;
        CHECK(world.sent(1).starts_with(row.next));
        CHECK(world.sent(1).contains("current-user-principal"));
    }
}

}  // namespace
