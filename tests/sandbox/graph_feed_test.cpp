#include "sandbox/graph_bed.h"

namespace calhost::sandbox::graph_test {
namespace {

constexpr std::string_view kDelta =
    "/v1.0/me/calendarView/delta?startDateTime=2026-11-20T00:00:00Z"
    "&endDateTime=2026-12-20T00:00:00Z";

TEST_CASE("graph delta: a round brings the window, the next ones what changed in it") {
    auto bed = GraphBed::connected();
    const auto tea = "/v1.0/me/events/" + text_of(bed->add("Tea", "2026-11-23"), "id");
    const auto far = "/v1.0/me/events/" + text_of(bed->add("Far", "2027-11-23"), "id");
    bed->add("S", "2026-11-24",
             series(R"("type":"daily","interval":1)",
                    R"("type":"numbered","startDate":"2026-11-24","numberOfOccurrences":2)"));
    auto round = bed->ask("GET", std::string(kDelta));
    CHECK(GraphBed::subjects(round) == "S Tea occurrence occurrence");
    round = bed->ask("GET", text_of(round, "@odata.deltaLink"));
    CHECK(GraphBed::subjects(round).empty());
    const auto link = text_of(round, "@odata.deltaLink");

    bed->ask("PATCH", tea, R"({"subject":"Coffee"})");
    CHECK(GraphBed::subjects(bed->ask("GET", link)) == "Coffee");
    CHECK(bed->send("DELETE", tea).status == 204);
    CHECK(GraphBed::subjects(bed->ask("GET", link)) == "-");
    // What changes outside of the window looks deleted, and is not.
    bed->ask("PATCH", far, R"({"subject":"Farther"})");
    CHECK(GraphBed::subjects(bed->ask("GET", link)) == "- -");
    CHECK(text_of(bed->ask("GET", far), "subject") == "Farther");
}

TEST_CASE("graph delta: a cancelled occurrence is gone") {
    auto bed = GraphBed::connected();
    bed->add("S", "2026-11-24",
             series(R"("type":"daily","interval":1)",
                    R"("type":"numbered","startDate":"2026-11-24","numberOfOccurrences":2)"));
    const auto round = bed->ask("GET", std::string(kDelta));
    const auto id = std::string(json::text_of(round.at("value").at(2), "id"));
    CHECK(bed->send("DELETE", "/v1.0/me/events/" + id).status == 204);
    const auto next = bed->ask("GET", text_of(round, "@odata.deltaLink"));
    REQUIRE(GraphBed::subjects(next) == "-");
    CHECK(json::text_of(next.at("value").at(0), "id") == id);
}

TEST_CASE("graph delta: an occurrence that its series lost is gone") {
    auto bed = GraphBed::connected();
    const auto daily = [](int count) {
        return series(R"("type":"daily","interval":1)",
                      R"("type":"numbered","startDate":"2026-11-24","numberOfOccurrences":)" +
                          std::to_string(count));
    };
    const auto master = "/v1.0/me/events/" + text_of(bed->add("S", "2026-11-24", daily(3)), "id");
    const auto round = bed->ask("GET", std::string(kDelta));
    bed->ask("PATCH", master, "{" + daily(2).substr(1) + "}");
    CHECK(GraphBed::subjects(bed->ask("GET", text_of(round, "@odata.deltaLink"))).ends_with(" -"));
}

TEST_CASE("graph delta: pages have the asked size, and only the last has the delta link") {
    auto bed = GraphBed::connected();
    for (int i = 1; i < 6; ++i) bed->add("E" + std::to_string(i), "2026-12-0" + std::to_string(i));
    bed->headers.set("Prefer", "odata.maxpagesize=2");
    auto page = bed->ask("GET", std::string(kDelta));
    std::string seen = GraphBed::subjects(page);
    CHECK(seen == "E1 E2");
    while (page.contains("@odata.nextLink")) {
        CHECK_FALSE(page.contains("@odata.deltaLink"));
        page = bed->ask("GET", text_of(page, "@odata.nextLink"));
        seen += " " + GraphBed::subjects(page);
    }
    CHECK(seen == "E1 E2 E3 E4 E5");
    CHECK(page.contains("@odata.deltaLink"));
}

TEST_CASE("graph delta: a lost state is 410, and query options are refused") {
    auto bed = GraphBed::connected();
    const auto link = text_of(bed->ask("GET", std::string(kDelta)), "@odata.deltaLink");
    CHECK(bed->refused("GET", std::string(kDelta) + "&$select=subject") ==
          "400 ErrorInvalidUrlQuery");
    bed->control("POST", "/expire-sync-tokens");
    const auto lost = bed->send("GET", link);
    CHECK(GraphBed::reason_of(lost) == "410 SyncStateNotFound");
    CHECK(lost.headers.has("Location"));
    CHECK(bed->send("GET", std::string(kDelta)).status == 200);
}

TEST_CASE("graph throttling: a fifth call in flight is refused") {
    auto bed = GraphBed::connected();
    bed->control("POST", "/latency", R"({"milliseconds":100})");
    std::vector<net::Request> requests(5, bed->make("GET", "/v1.0/me"));
    int refused = 0;
    for (auto& request : requests)
        boost::asio::co_spawn(
            bed->context, bed->graph.handle(request),
            [&](std::exception_ptr, net::Response response) {
                if (response.status != 429) return;
                ++refused;
                CHECK(response.headers.get("Retry-After") == "1");
                CHECK(GraphBed::reason_of(response) == "429 ApplicationThrottled");
            });
    bed->time.run();
    CHECK(refused == 1);
    CHECK(bed->send("GET", "/v1.0/me").status == 200);
}

TEST_CASE("graph schedule: work accounts see who is busy, personal ones cannot ask") {
    auto bed = GraphBed::connected();
    bed->add("Tea", "2026-11-23");
    const std::string body = R"({"schedules":["eve@contoso.example","nobody@contoso.example"],)"
                             R"("startTime":{"dateTime":"2026-11-23T08:00:00","timeZone":"UTC"},)"
                             R"("endTime":{"dateTime":"2026-11-23T11:00:00","timeZone":"UTC"},)"
                             R"("availabilityViewInterval":60})";
    const auto answer = bed->ask("POST", "/v1.0/me/calendar/getSchedule", body);
    CHECK(json::text_of(answer.at("value").at(0), "availabilityView") == "020");
    CHECK(json::find(answer.at("value").at(1), "error") != nullptr);
    // The busiest of an hour counts, whichever began last.
    bed->ask("POST", "/v1.0/me/events",
             GraphBed::event("Free", "2026-11-23", "10:30", "11:00", R"(,"showAs":"free")"), 201);
    bed->ask("POST", "/v1.0/me/events",
             GraphBed::event("Away", "2026-11-23", "11:00", "12:00", R"(,"showAs":"oof")"), 201);
    const auto view = [&] {
        return std::string(
            json::text_of(bed->ask("POST", "/v1.0/me/calendar/getSchedule", body).at("value").at(0),
                          "availabilityView"));
    };
    CHECK(view() == "023");
    const auto invited = text_of(bed->add("Invited", "2026-11-23", R"(,"showAs":"oof")"), "id");
    CHECK(view() == "033");
    bed->control("POST", "/accounts/eve@contoso.example/stage",
                 R"({"event":")" + invited + R"(","response":"declined"})");
    CHECK(view() == "023");
    bed->control("POST", "/accounts/eve@contoso.example/personal");
    CHECK(bed->refused("POST", "/v1.0/me/calendar/getSchedule", body) == "403 ErrorAccessDenied");
}

TEST_CASE("graph subscriptions: the receiver answers first, then hears what changes") {
    auto bed = GraphBed::connected();
    std::vector<net::ClientRequest> messages;
    bool is_echoing = false;
    bed->graph.on_notification([&](net::ClientRequest m) { messages.push_back(std::move(m)); });
    bed->graph.on_validation([&](net::ClientRequest request) -> Task<Result<net::ClientResponse>> {
        const auto mark = request.url.find("validationToken=");
        net::ClientResponse response{.status = 200, .body = "no"};
        response.headers.set("Content-Type", "text/plain");
        if (is_echoing) response.body = *percent_decode(request.url.substr(mark + 16));
        co_return response;
    });
    const auto body = [](std::string_view expiration) {
        return R"({"changeType":"created,deleted","resource":"me/events","clientState":"s",)"
               R"("notificationUrl":"https://host.example/hook",)"
               R"("lifecycleNotificationUrl":"https://host.example/life",)"
               R"("expirationDateTime":")" +
               std::string(expiration) + "\"}";
    };
    const std::string path = "/v1.0/subscriptions";
    CHECK(bed->refused("POST", path, body("2026-11-25T00:00:00Z")) == "400 ValidationError");
    is_echoing = true;
    const auto with = [&](std::string_view old, std::string_view text) {
        auto changed = body("2026-11-25T00:00:00Z");
        return changed.replace(changed.find(old), old.size(), text);
    };
    for (const auto& wrong :
         {with("//host.example/life", "//other.example/life"),
          with(R"("s")", '"' + std::string(129, 's') + '"'), with("created", "moved")})
        CHECK_MESSAGE(bed->refused("POST", path, wrong) == "400 InvalidRequest", wrong);
    CHECK(bed->refused("POST", path, body("2026-11-28T00:00:00Z")) == "400 InvalidRequest");
    // Shorter than 45 minutes is raised to them.
    const auto made = bed->ask("POST", path, body("2026-11-20T09:10:00Z"), 201);
    CHECK(text_of(made, "expirationDateTime") == "2026-11-20T09:45:00Z");
    CHECK(bed->refused("POST", path, body("2026-11-25T00:00:00Z")) == "409 Conflict");
    const auto own = path + "/" + text_of(made, "id");
    bed->ask("PATCH", own, R"({"expirationDateTime":"2026-11-25T00:00:00Z"})");

    const auto tea = "/v1.0/me/events/" + text_of(bed->add("Tea", "2026-11-23"), "id");
    REQUIRE(messages.size() == 1);
    bed->ask("PATCH", tea, R"({"subject":"Coffee"})");  // nobody asked for changes
    bed->graph.add_account("max@contoso.example", "Max");
    bed->control("POST", "/accounts/max@contoso.example/events",
                 GraphBed::event("His", "2026-11-25", "10:00", "11:00"));
    CHECK(messages.size() == 1);
    const auto item = json::parse(messages[0].body)->at("value").at(0);
    CHECK(json::text_of(item, "clientState") == "s");
    CHECK(json::text_of(item, "changeType") == "created");
    bed->control("POST", "/accounts/eve@contoso.example/lifecycle",
                 R"({"event":"reauthorizationRequired"})");
    REQUIRE(messages.size() == 2);
    CHECK(messages[1].url == "https://host.example/life");
    bed->add("Unheard", "2026-11-23");
    CHECK(messages.size() == 2);
    bed->send("POST", own + "/reauthorize");
    bed->add("Heard", "2026-11-23");
    CHECK(messages.size() == 3);
    bed->time.advance(std::chrono::hours{24 * 6});
    bed->connect();
    CHECK(bed->refused("GET", own) == "404 ResourceNotFound");
}

TEST_CASE("graph control: calendars fill from files and from the person's own hands") {
    auto bed = GraphBed::connected();
    const auto loaded = bed->graph.load_icalendar(
        kEve,
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        "BEGIN:VEVENT\r\nUID:a@x\r\nDTSTART;TZID=Europe/Berlin:20261123T100000\r\n"
        "DTEND;TZID=Europe/Berlin:20261123T110000\r\nSUMMARY:Weekly\r\n"
        "RRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE;TZID=Europe/Berlin:20261130T100000\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n");
    REQUIRE(loaded.has_value());
    CHECK(*loaded == 1);
    CHECK(GraphBed::subjects(bed->ask("GET",
                                      "/v1.0/me/calendarView?startDateTime=2026-11-01T00:00:00Z"
                                      "&endDateTime=2026-12-31T00:00:00Z")) == "Weekly Weekly");
    bed->graph.add_demo_events(kEve);
    CHECK(bed->control("POST", "/accounts/eve@contoso.example/events",
                       GraphBed::event("Mine", "2026-11-25", "10:00", "11:00"))
              .status == 201);
    CHECK(bed->control("POST", "/reset").status == 200);
    CHECK(bed->refused("GET", "/v1.0/me") == "401 InvalidAuthenticationToken");
}

}  // namespace
}  // namespace calhost::sandbox::graph_test
