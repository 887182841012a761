// providers/caldav on answers that Radicale and Xandikos do not give.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

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

TEST_CASE("caldav: a long list is fetched in batches of 50, 500 a page") {
    World world;
    std::string list;
    for (int i = 0; i < 501; ++i) list += member(fmt::format("{}.ics", i));
    world.multistatus(list + "<sync-token>t1</sync-token>");
    world.multistatus("");
    const auto first = world.changes(std::nullopt);
    REQUIRE_MESSAGE(first.has_value(), outcome_of(first));
    CHECK(world.transport.requests.size() == 11);
    const auto last = world.changes(std::nullopt, first->page);
    REQUIRE_MESSAGE(last.has_value(), outcome_of(last));
    CHECK(last->cursor == "sync:t1");
    CHECK(world.transport.requests.size() == 12);
    CHECK(world.sent(11).contains("<D:href>/dav/ann/work/500.ics</D:href>"));
}

TEST_CASE("caldav: what a failed sync-collection means") {
    struct Case {
        int status;
        const char* cursor;
        const char* code;
        std::size_t requests;
    };
    for (const auto& row :
         {Case{403, "sync:t0", "cursor_expired", 1}, Case{409, "sync:t0", "cursor_expired", 2},
          Case{410, "sync:t0", "cursor_expired", 1}, Case{412, "sync:t0", "cursor_expired", 1},
          Case{401, "sync:t0", "unauthorized", 2}, Case{401, nullptr, "unauthorized", 2},
          Case{404, nullptr, "not_found", 2}}) {
        CAPTURE(row.status);
        World world;
        world.answer(row.status);
        const auto changes =
            world.changes(row.cursor ? std::optional<std::string>(row.cursor) : std::nullopt);
        CHECK(to_string(changes.error().code) == row.code);
        CHECK(world.transport.requests.size() == row.requests);
    }
    World world;
    world.answer(429, "", {{"Retry-After", "90"}});
    CHECK(to_string(world.changes("sync:t0").error().code) == "rate_limited");
}

TEST_CASE("caldav: a server of the draft is asked with Depth 1, one without the report for etags") {
    World world;
    world.answer(400);
    world.multistatus("<sync-token>t1</sync-token>");
    CHECK(world.changes(std::nullopt)->cursor == "sync:t1");
    CHECK(world.sent(1).starts_with("REPORT https://cloud.example/dav/ann/work/ 1 "));

    World other;
    other.answer(403);
    other.multistatus(member("a.ics"));
    other.multistatus(member("a.ics", event("a")));
    const auto changes = other.changes(std::nullopt);
    REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
    CHECK(other.sent(1).starts_with("PROPFIND https://cloud.example/dav/ann/work/ 1 "));
    CHECK(changes->events.size() == 1);
    CHECK(changes->cursor == R"(etags:{"/dav/ann/work/a.ics":"\"1\""})");
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
