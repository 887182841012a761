// providers/caldav: writes that meet what Radicale and Xandikos do not answer.
#include "calendar/zone.h"
#include "plugin/caldav_answers.h"

using namespace calhost;
using namespace calhost::test;

namespace {

using World = CaldavAnswers;

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
    world.answer(200, resource("x"));
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
        world.answer(200, resource("x"), {{"ETag", "\"now\""}});
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
    world.answer(200, resource("x"), {{"ETag", "\"1\""}});
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

TEST_CASE("caldav: an occurrence whose deletion was done, but not heard of, is gone") {
    World world;
    auto series = resource("s");
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
    auto meeting = resource("m");
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

TEST_CASE("caldav: of a description in HTML the text is written") {
    struct Case {
        const char* html;
        const char* text;
        bool is_lossy;
    };
    for (const auto& row : {Case{"a &amp; b<br>c", "a & b\\nc", false},
                            Case{"<p>Room <b>1</b></p><p>5 &lt; 6</p>", "Room 1\\n5 < 6", true},
                            Case{"x <unclosed", "x <unclosed", true}}) {
        CAPTURE(row.html);
        World world;
        auto event = wanted();
        event.description = row.html;
        event.description_format = "html";
        world.answer(201, "", {{"ETag", "\"1\""}});
        const auto created =
            world.time.wait(world.provider->create_event(world.access, kCalendar, event, "k"));
        REQUIRE_MESSAGE(created.has_value(), outcome_of(created));
        CHECK(world.sent(0).contains(fmt::format("DESCRIPTION:{}", row.text)));
        CHECK_FALSE(world.sent(0).contains("description_format"));
        CHECK(created->lossy.size() == (row.is_lossy ? 1 : 0));

        World later;
        later.answer(200, resource("x"), {{"ETag", "\"1\""}});
        later.answer(204, "", {{"ETag", "\"2\""}});
        const auto updated = later.time.wait(later.provider->update_event(
            later.access, kCalendar, "/dav/ann/work/x.ics", event, ""));
        REQUIRE_MESSAGE(updated.has_value(), outcome_of(updated));
        CHECK(later.sent(1).contains(fmt::format("DESCRIPTION:{}", row.text)));
        CHECK(updated->lossy == created->lossy);
    }
}

}  // namespace
