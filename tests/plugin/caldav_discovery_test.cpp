// providers/caldav: the way to an account, and answers that are none.
#include "plugin/caldav_answers.h"

using namespace calhost;
using namespace calhost::test;

namespace {

using World = CaldavAnswers;

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

}  // namespace
