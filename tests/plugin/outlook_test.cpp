// What providers/outlook reads, against the simulated Graph.
#include "plugin/outlook_box.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("outlook: who granted, and the calendars with the mailbox's zone") {
    Mailbox box;
    const auto identity = box.wait(box.provider->identity(box.access));
    CHECK(identity.email == kEve);
    CHECK(identity.name == "Eve");
    CHECK_FALSE(identity.id.empty());
    // Not every account has its address among the claims.
    box.on_answer = [](const net::ClientRequest& request, SandboxTransport::Answer& answer) {
        if (!request.url.ends_with("/oidc/userinfo")) return;
        auto claims = json::parse(answer->body)->as_object();
        claims.erase("email");
        answer->body = json::serialize(claims);
    };
    CHECK(box.wait(box.provider->identity(box.access)).email == kEve);
    box.bed->control("POST", "/accounts/" + std::string(kEve) + "/calendars",
                     R"({"id":"team","summary":"Team","access_role":"reader"})");
    const auto calendars = box.wait(box.provider->list_calendars(box.access));
    REQUIRE(calendars.size() == 2);
    const auto primary = std::ranges::find(calendars, true, &plugin::CalendarInfo::is_primary);
    REQUIRE(primary != calendars.end());
    CHECK(primary->time_zone == "Europe/Berlin");
    CHECK_FALSE(primary->is_read_only);
    CHECK(std::ranges::count(calendars, true, &plugin::CalendarInfo::is_read_only) == 1);
    for (const auto& request : box.requests) {
        const auto prefer = request.headers.get("Prefer");
        CHECK(prefer.find("IdType=\"ImmutableId\"") != std::string_view::npos);
        CHECK(prefer.find("outlook.timezone=\"UTC\"") != std::string_view::npos);
    }
}

TEST_CASE("outlook: changes come as neutral events, page by page, then only what changed") {
    Mailbox box;
    for (int day = 10; day < 30; ++day)
        box.bed->add(fmt::format("Tea {}", day), fmt::format("2026-12-{}", day));
    const auto first = box.pull();
    CHECK(first.events.size() == 20);
    CHECK(first.unreadable == 0);
    const auto& tea = first.events.front();
    CHECK(tea.title == "Tea 10");
    CHECK(calendar::format_local(tea.start.local) == "2026-12-10T10:00:00");
    CHECK(tea.start.zone == "Europe/Berlin");
    CHECK(tea.busy == "busy");
    REQUIRE(tea.reminders.has_value());
    CHECK(tea.reminders->at(0) == calendar::Reminder{"popup", 15});
    CHECK(box.pull().events.empty());
    CHECK(box.cursor->find("http") == std::string::npos);  // the host may be served elsewhere
    box.graph("PATCH", "/events/" + tea.id, R"({"subject":"Coffee"})");
    CHECK(box.bed->send("DELETE", "/v1.0/me/events/" + first.events[1].id).status == 204);
    const auto next = box.pull();
    REQUIRE(next.events.size() == 1);
    CHECK(next.events[0].title == "Coffee");
    CHECK(next.events[0].id == tea.id);
    CHECK(next.deleted == std::vector{first.events[1].id});
}

TEST_CASE("outlook: words of Graph in the words of the host") {
    struct Row {
        std::string members, busy, status, visibility;
    };
    for (const auto& row : std::vector<Row>{
             {R"("showAs":"free")", "free", "confirmed", "default"},
             {R"("showAs":"tentative")", "tentative", "tentative", "default"},
             {R"("showAs":"oof","sensitivity":"private")", "oof", "confirmed", "private"},
             {R"("showAs":"workingElsewhere","sensitivity":"confidential")", "elsewhere",
              "confirmed", "confidential"},
             {R"("showAs":"unknown","sensitivity":"personal")", "busy", "confirmed", "private"}}) {
        CAPTURE(row.members);
        Mailbox box;
        const auto made = box.bed->add("Tea", "2026-12-10", "," + row.members);
        const auto event = box.get(std::string(json::text_of(made, "id")));
        CHECK(event.busy == row.busy);
        CHECK(event.status == row.status);
        CHECK(event.visibility == row.visibility);
    }
    Mailbox box;
    const auto made = box.bed->add("Tea", "2026-12-10");
    box.bed->control(
        "POST", "/accounts/" + std::string(kEve) + "/stage",
        R"({"event":")" + std::string(json::text_of(made, "id")) + R"(","isCancelled":true})");
    CHECK(box.get(std::string(json::text_of(made, "id"))).status == "cancelled");
}

TEST_CASE("outlook: all-day events keep their days whatever the zones") {
    Mailbox box;
    box.graph("POST", "/events",
              R"({"subject":"Fair","isAllDay":true,
                  "start":{"dateTime":"2026-12-01T00:00:00","timeZone":"Tokyo Standard Time"},
                  "end":{"dateTime":"2026-12-03T00:00:00","timeZone":"Tokyo Standard Time"}})",
              201);
    const auto changes = box.pull();
    REQUIRE(changes.events.size() == 1);
    CHECK(changes.events[0].start == on("2026-12-01"));
    CHECK(changes.events[0].finish == on("2026-12-03"));
}

TEST_CASE("outlook: a series of days keeps its days in zones behind Greenwich") {
    Mailbox box;
    const auto made = box.graph("POST", "/events",
                                R"({"subject":"Fair","isAllDay":true,
            "start":{"dateTime":"2026-12-01T00:00:00","timeZone":"Eastern Standard Time"},
            "end":{"dateTime":"2026-12-02T00:00:00","timeZone":"Eastern Standard Time"},
            "recurrence":{"pattern":{"type":"daily","interval":1},
            "range":{"type":"numbered","startDate":"2026-12-01","numberOfOccurrences":3}}})",
                                201);
    calendar::Event gone;
    gone.series_id = json::text_of(made, "id");
    gone.recurrence_id = gone.start = on("2026-12-02");
    gone.finish = on("2026-12-03");
    gone.status = "cancelled";
    box.create(gone);
    CHECK(box.starts() == "2026-12-01 2026-12-03");
    for (const auto& day : box.list()) CHECK(day.recurrence_id == day.start);
    CHECK(box.get(gone.series_id).recurrence->exdate == std::vector{on("2026-12-02")});
}

TEST_CASE("outlook: an HTML page is what its body says, text stays text") {
    Mailbox box;
    const auto html = box.bed->add(
        "Page", "2026-12-01",
        R"(,"body":{"contentType":"html","content":"<html><head><meta></head><body>\r\n<p>Grüße</p></body></html>"})");
    const auto text =
        box.bed->add("Text", "2026-12-02", R"(,"body":{"contentType":"text","content":"a < b"})");
    const auto page = box.get(std::string(json::text_of(html, "id")));
    CHECK(page.description == "<p>Grüße</p>");
    CHECK(page.description_format == "html");
    const auto plain = box.get(std::string(json::text_of(text, "id")));
    CHECK(plain.description == "a < b");
    CHECK(plain.description_format == "text");
}

TEST_CASE("outlook: a series is one event with its exceptions, also those outside of the window") {
    Mailbox box;
    const auto made = box.bed->add("Team", "2026-11-27", kWeekly);
    const std::string id(json::text_of(made, "id"));
    const auto instances = box.graph(
        "GET",
        "/events/" + id +
            "/instances?startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-02-01T00:00:00Z");
    const auto& list = instances.at("value").as_array();
    REQUIRE(list.size() == 4);
    const auto path = [&](std::size_t i) {
        return "/events/" + std::string(json::text_of(list[i], "id"));
    };
    box.graph("PATCH", path(1),
              R"({"subject":"Late","start":{"dateTime":"2027-06-01T10:00:00","timeZone":"UTC"},
                  "end":{"dateTime":"2027-06-01T11:00:00","timeZone":"UTC"}})");
    CHECK(box.bed->send("DELETE", "/v1.0/me" + path(2)).status == 204);
    const auto changes = box.pull();
    REQUIRE(changes.events.size() == 2);
    const auto& series = changes.events[0];
    CHECK(series.recurrence->rrule == "FREQ=WEEKLY;BYDAY=FR;COUNT=4");
    REQUIRE(series.recurrence->exdate.size() == 1);
    CHECK(calendar::format_local(series.recurrence->exdate[0].local) == "2026-12-11T10:00:00");
    const auto& late = changes.events[1];
    CHECK(late.series_id == series.id);
    CHECK(late.uid.empty());  // Graph's is another one for each occurrence
    CHECK(late.title == "Late");
    CHECK(format_rfc3339(late.recurrence_id->instant) == "2026-12-04T09:00:00Z");
    CHECK(changes.whole == std::vector{id});
    CHECK(calendar::expand(changes.events, box.window).events.size() == 2);

    // The feed names only the occurrence that is gone.
    box.bed->time.advance(20min);
    CHECK(box.pull().events.empty());
    CHECK(box.bed->send("DELETE", "/v1.0/me" + path(3)).status == 204);
    const auto next = box.pull();
    REQUIRE(next.events.size() == 2);
    CHECK(next.events[0].recurrence->exdate.size() == 2);
    // The whole series.
    CHECK(box.bed->send("DELETE", "/v1.0/me/events/" + id).status == 204);
    CHECK(std::ranges::count(box.pull().deleted, id) == 1);
}

TEST_CASE("outlook: what leaves the window is not deleted") {
    Mailbox box;
    const auto made = box.bed->add("Tea", "2026-12-10");
    const std::string id(json::text_of(made, "id"));
    CHECK(box.pull().events.size() == 1);
    box.graph("PATCH", "/events/" + id,
              R"({"start":{"dateTime":"2027-06-01T10:00:00","timeZone":"UTC"},
                  "end":{"dateTime":"2027-06-01T11:00:00","timeZone":"UTC"}})");
    const auto next = box.pull();
    CHECK(next.events.empty());
    CHECK(next.deleted.empty());
}

TEST_CASE("outlook: a lost state is cursor_expired, and a full round begins again") {
    Mailbox box;
    box.bed->add("Tea", "2026-12-10");
    box.pull();
    box.bed->control("POST", "/expire-sync-tokens");
    CHECK(box.refused(box.provider->list_changes(box.access, "primary", box.cursor, std::nullopt,
                                                 box.window))
              .starts_with("cursor_expired"));
    box.cursor.reset();
    CHECK(box.pull().events.size() == 1);
    box.bed->control("POST", "/faults", R"({"kind":"status","status":400})");
    CHECK(box.refused(box.provider->list_changes(box.access, "primary", box.cursor, std::nullopt,
                                                 box.window))
              .starts_with("cursor_expired"));
}

}  // namespace
