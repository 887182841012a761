// host.dav: what links, multistatus and refusals mean, and the bodies of requests.
#include "plugin/dav.h"
#include "plugin/bench.h"

using namespace calhost;
using namespace calhost::plugin;
using namespace calhost::test;

namespace {

const std::string kHome = "https://cloud.example/dav/";

TEST_CASE("dav: a link has one spelling, and is a path where it is the account's own") {
    struct Case {
        const char* href;
        const char* at;
        const char* meaning;
    };
    for (const auto& row : {
             Case{"/a/b.ics", "/a/", "/a/b.ics"},
             Case{"b.ics", "/a/", "/a/b.ics"},
             Case{"b.ics", "/a/x?y=/z/", "/a/b.ics"},
             Case{"b.ics", "https://cloud.example", "/b.ics"},
             Case{"", "/a/b.ics", "/a/"},
             Case{"https://cloud.example/a", "/", "/a"},
             Case{"https://cloud.example", "/", ""},
             Case{"http://cloud.example/a", "/", "http://cloud.example/a"},
             Case{"https://cloud.example.evil/a", "/", "https://cloud.example.evil/a"},
             Case{"/a", "https://p42.example/x/", "https://p42.example/a"},
             Case{"b", "https://p42.example/x/y", "https://p42.example/x/b"},
             Case{"/%7ea%2c%c3%bc%2F b", "/", "/~a,%C3%BC%2F%20b"},
             Case{"/%", "/", "/%"},
             Case{"/%-1%zz", "/", "/%-1%zz"},
             Case{"/x?to=https://evil.example/", "/", "/x?to=https://evil.example/"},
             Case{"mailto:ann@example.com", "/", "mailto:ann@example.com"},
         })
        CHECK_MESSAGE(dav::resolve(row.href, {.url = row.at, .home = kHome}) == row.meaning,
                      row.href);
}

std::string multistatus(const std::string& inner) {
    return R"(<multistatus xmlns="DAV:">)" + inner + "</multistatus>";
}

TEST_CASE("dav: a multistatus tells of each resource what is there, and its status otherwise") {
    const auto all = dav::read_multistatus(
        multistatus(
            "<response><href>a.ics</href>"
            "<propstat><prop><owner/></prop><status>HTTP/1.1 404 Not Found</status></propstat>"
            "<propstat><prop><getetag>1</getetag><owner><href>ann/</href></owner></prop>"
            "<status>HTTP/1.1 200 OK</status></propstat></response>"
            "<response><href>/c/b.ics</href><status>HTTP/1.1 404 Not Found</status></response>"
            "<response><href>/c/d.ics</href><status>nonsense</status></response>"
            "<sync-token>t1</sync-token>"),
        {.url = "/c/", .home = kHome});
    REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
    CHECK(all->token == "t1");
    REQUIRE(all->responses.size() == 3);
    const auto& [href, status, found] = all->responses[0];
    CHECK(href == "/c/a.ics");
    CHECK_FALSE(status.has_value());
    REQUIRE(found.has_value());
    REQUIRE(found->children.size() == 2);
    CHECK(found->children[0].text == "1");
    CHECK(found->children[1].children.at(0).text == "/c/ann/");
    CHECK(all->responses[1].status == 404);
    CHECK_FALSE(all->responses[1].found.has_value());
    CHECK_FALSE(all->responses[2].status.has_value());
    for (const std::string text : {"", "<multistatus/>", "<a xmlns='DAV:'/>"})
        CHECK(dav::read_multistatus(text, {.url = "/", .home = kHome}).error().code ==
              ErrorCode::invalid_response);
}

std::string inner(const Element& body) {
    auto text = write_xml(body, dav::namespaces()).value();
    text.erase(0, text.find("?>") + 2);
    for (const std::string xmlns : {" xmlns:A", " xmlns:C", " xmlns:CS", " xmlns:D"})
        if (const auto at = text.find(xmlns + "=\""); at != text.npos)
            text.erase(at, text.find('"', at + xmlns.size() + 2) + 1 - at);
    std::erase(text, '\n');
    return text;
}

TEST_CASE("dav: bodies say what is asked for") {
    const std::vector<std::string> names{"D:getetag", "CS:getctag"};
    CHECK(inner(dav::propfind(names)) ==
          "<D:propfind><D:prop><D:getetag/><CS:getctag/></D:prop></D:propfind>");
    CHECK(inner(dav::sync_collection("t<1")) ==
          "<D:sync-collection><D:sync-token>t&lt;1</D:sync-token><D:sync-level>1</D:sync-level>"
          "<D:prop><D:getetag/></D:prop></D:sync-collection>");
    const std::vector<std::string> hrefs{"/a.ics", "https://p42.example/b.ics"};
    CHECK(inner(dav::multiget(hrefs)) ==
          "<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>"
          "<D:href>/a.ics</D:href><D:href>/b.ics</D:href></C:calendar-multiget>");
}

TEST_CASE("dav: a query is for a window, or for events with a property") {
    const std::string before =
        "<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter>"
        R"(<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">)";
    const std::string after = "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>";
    CHECK(inner(dav::query({.start = "2026-11-20T09:00:00.123Z"})) ==
          before + R"(<C:time-range start="20261120T090000Z"/>)" + after);
    CHECK(inner(dav::query({.start = "2026-11-20T09:00:00Z", .finish = "2026-11-21T09:00:00Z"})) ==
          before + R"(<C:time-range end="20261121T090000Z" start="20261120T090000Z"/>)" + after);
    CHECK(inner(dav::query({.property = "RRULE"})) ==
          before + R"(<C:prop-filter name="RRULE"/>)" + after);
    CHECK(inner(dav::query({.property = "UID", .text = "u"})) ==
          before + R"(<C:prop-filter name="UID"><C:text-match>u</C:text-match></C:prop-filter>)" +
              after);
}

TEST_CASE("dav: what is no body, and no answer, is an author's mistake") {
    for (const std::string call :
         {"dav.propfind('D:a b')", "dav.propfind({})", "dav.multiget('x')", "dav.query()",
          "dav.failure({})", "dav.multistatus()", "dav.resolve('x')"}) {
        CAPTURE(call);
        Bench bench("local dav = require('host.dav') function M.identity() " + call +
                    " return { id = 'done' } end");
        CHECK(to_string(bench.identity().error().code) == "invalid_response");
    }
}

}  // namespace
