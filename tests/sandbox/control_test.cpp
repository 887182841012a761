#include "sandbox/bed.h"

namespace calhost::sandbox {
namespace {

const std::string kEvents = "/calendar/v3/calendars/primary/events";

TEST_CASE("faults: each kind breaks what it says, as often as it says") {
    auto bed = Bed::connected();
    const auto order = [&](std::string text) {
        const auto answer = bed->control("POST", "/faults", std::move(text));
        REQUIRE_MESSAGE(answer.status == 200, answer.body);
    };
    order(R"({"kind":"status","status":429,"retry_after":30,"path":"/calendar/*","count":1})");
    const auto limited = bed->send("GET", kEvents);
    CHECK(reason_of(limited) == "429 rateLimitExceeded");
    CHECK(limited.headers.get("Retry-After") == "30");
    CHECK(bed->send("GET", kEvents).status == 200);

    order(R"({"kind":"status","status":429,"retry_after":"date:30"})");
    CHECK(bed->send("GET", kEvents).headers.get("Retry-After") == "Fri, 20 Nov 2026 09:00:30 GMT");

    order(R"({"kind":"delay","delay_ms":5000})");
    const auto before = bed->time.now();
    CHECK(bed->send("GET", kEvents).status == 200);
    CHECK(bed->time.now() - before == milliseconds{5000});

    order(R"({"kind":"truncate"})");
    const auto cut = bed->serve("GET", kEvents);
    CHECK(cut.cut == Cut::truncate);
    CHECK_FALSE(json::parse(cut.response.body).has_value());

    order(R"({"kind":"html"})");
    CHECK(bed->send("GET", kEvents).headers.get("Content-Type").starts_with("text/html"));
    order(R"({"kind":"reset","skip":1})");
    CHECK(bed->serve("GET", kEvents).cut == Cut::none);
    CHECK(bed->serve("GET", kEvents).cut == Cut::reset);
    CHECK(bed->serve("GET", kEvents).cut == Cut::none);
    CHECK(bed->control("POST", "/faults", R"({"kind":"surprise"})").status == 400);
}

TEST_CASE("faults: a lost reply leaves its effect, a reset does not") {
    auto bed = Bed::connected();
    const std::string body =
        R"({"summary":"A","start":{"date":"2026-11-22"},"end":{"date":"2026-11-23"}})";
    bed->control("POST", "/faults", R"({"kind":"reset","method":"POST"})");
    bed->send("POST", kEvents, body);
    CHECK(items_of(bed->send("GET", kEvents)).empty());
    bed->control("POST", "/faults", R"({"kind":"lost_reply","method":"POST"})");
    CHECK(bed->send("POST", kEvents, body).body.empty());
    CHECK(items_of(bed->send("GET", kEvents)) == "A");
}

TEST_CASE("ledger: every effect is there with its key and the live count, and every request") {
    auto bed = Bed::connected();
    const auto id =
        bed->add("A", "2026-11-20T12:00:00Z", R"(,"extendedProperties":{"private":{"src":"7"}})");
    bed->send("PATCH", kEvents + "/" + id + "?sendUpdates=all",
              R"({"attendees":[{"email":"bob@x.example"}]})");
    bed->send("DELETE", kEvents + "/" + id + "?sendUpdates=none");
    const auto ledger = body_of(bed->control("GET", "/ledger"));
    std::string text;
    for (const auto& effect : ledger.at("effects").as_array())
        text += text_of(effect, "method") + ":" + text_of(effect, "detail") + ":" +
                std::to_string(effect.at("live").as_int64()) + " ";
    CHECK(
        text.ends_with("token.exchange::0 events.insert::1 events.patch:all:1 "
                       "mail:bob@x.example:1 events.delete:none:0 "));
    const auto since = std::to_string(ledger.at("next").as_int64() - 1);
    const auto tail =
        body_of(bed->control("GET", "/ledger?since=" + since)).at("effects").as_array();
    REQUIRE(tail.size() == 1);
    CHECK(text_of(tail[0], "key") == "src=7");
    CHECK(ledger.at("requests").as_array().size() == 5);
}

TEST_CASE("watch: a channel hears of its first message and of every change until it ends") {
    auto bed = Bed::connected();
    std::vector<net::ClientRequest> messages;
    bed->google.on_notification([&](net::ClientRequest m) { messages.push_back(std::move(m)); });
    const auto watch = [&](std::string id, std::string address) {
        return bed->send("POST", kEvents + "/watch",
                         R"({"id":")" + id + R"(","type":"web_hook","token":"t","address":")" +
                             address + R"(","params":{"ttl":"3600"}})");
    };
    CHECK(reason_of(watch("c1", "http://host.example/hook")) == "400 push.webhookUrlNotHttps");
    const auto channel = body_of(watch("c1", "https://host.example/hook"));
    CHECK(text_of(channel, "expiration") ==
          std::to_string(to_millis(bed->time.now() + std::chrono::hours{1})));
    CHECK(reason_of(watch("c1", "https://host.example/hook")) == "400 channelIdNotUnique");
    bed->add("A", "2026-11-20T12:00:00Z");
    REQUIRE(messages.size() == 2);
    CHECK(messages[0].headers.get("X-Goog-Resource-State") == "sync");
    CHECK(messages[0].headers.get("X-Goog-Message-Number") == "1");
    CHECK(messages[1].headers.get("X-Goog-Resource-State") == "exists");
    CHECK(messages[1].headers.get("X-Goog-Channel-Token") == "t");
    CHECK(messages[1].body.empty());

    const auto stop = R"({"id":"c1","resourceId":")" + text_of(channel, "resourceId") + "\"}";
    CHECK(bed->send("POST", "/calendar/v3/channels/stop", stop).status == 204);
    CHECK(reason_of(bed->send("POST", "/calendar/v3/channels/stop", stop)) == "404 notFound");
    watch("c2", "https://host.example/hook");
    bed->add("B", "2026-11-20T12:00:00Z");
    CHECK(messages.size() == 4);
    bed->time.advance(std::chrono::minutes{59});
    bed->time.advance(std::chrono::minutes{1});
    bed->connect();
    bed->add("C", "2026-11-20T12:00:00Z");
    CHECK(messages.size() == 4);
}

TEST_CASE("freebusy: busy times are joined and clipped, free events and strangers are not there") {
    auto bed = Bed::connected();
    bed->add("A", "2026-11-20T12:00:00Z");
    bed->add("B", "2026-11-20T12:30:00Z");
    bed->add("F", "2026-11-20T16:00:00Z", R"(,"transparency":"transparent")");
    bed->add("S", "2026-11-18T09:30:00Z", R"(,"recurrence":["RRULE:FREQ=DAILY;COUNT=3"])");
    const auto answer = body_of(bed->send(
        "POST", "/calendar/v3/freeBusy",
        R"({"timeMin":"2026-11-20T10:00:00Z","timeMax":"2026-11-21T00:00:00Z","items":[{"id":"primary"},{"id":"bob@x.example"}]})"));
    CHECK(json::serialize(answer.at("calendars").at("primary")) ==
          R"({"busy":[{"start":"2026-11-20T10:00:00Z","end":"2026-11-20T10:30:00Z"},)"
          R"({"start":"2026-11-20T12:00:00Z","end":"2026-11-20T13:30:00Z"}]})");
    CHECK(text_of(answer.at("calendars").at("bob@x.example").at("errors").at(0), "reason") ==
          "notFound");
    CHECK(reason_of(bed->send(
              "POST", "/calendar/v3/freeBusy",
              R"({"timeMin":"2026-01-01T00:00:00Z","timeMax":"2026-12-01T00:00:00Z"})")) ==
          "400 timeRangeTooLong");
}

TEST_CASE("import: an iCalendar file becomes series, overrides and single events, once") {
    auto bed = Bed::connected();
    const std::string file =
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n"
        "BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261120T090000Z\r\n"
        "DTEND:20261120T100000Z\r\nRRULE:FREQ=DAILY;COUNT=4\r\nEXDATE:20261121T090000Z\r\n"
        "SUMMARY:S\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20261101T000000Z\r\nRECURRENCE-ID:20261122T090000Z\r\n"
        "DTSTART:20261122T120000Z\r\nDTEND:20261122T130000Z\r\nSUMMARY:M\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:b\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;VALUE=DATE:20261124\r\n"
        "SUMMARY:D\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    CHECK(bed->google.load_icalendar(kAda, file).value_or(-1) == 3);
    CHECK(bed->google.load_icalendar(kAda, file).value_or(-1) == 3);
    CHECK(items_of(bed->send("GET", kEvents + "?singleEvents=true&orderBy=startTime")) ==
          "S M S D");
    CHECK(bed->google.load_icalendar("bob@x.example", file).error().code == ErrorCode::not_found);
    CHECK(bed->control("POST", "/accounts/ada@example.com/ics", "no calendar").status == 400);
}

TEST_CASE("demo: single, series, moved occurrence and a whole day are there") {
    auto bed = Bed::connected();
    bed->google.add_demo_events(kAda);
    const auto items = items_of(bed->send("GET", kEvents));
    CHECK(items == "Coffee with Ada Dentist Weekly planning Day off Weekly planning (moved)");
    CHECK(body_of(bed->send("GET", kEvents + "?singleEvents=true")).at("items").as_array().size() ==
          11);
}

TEST_CASE("control: accounts come and go, and the person's own edits reach the feed") {
    auto bed = Bed::connected();
    CHECK(bed->control("POST", "/accounts", R"({"email":"bob@x.example"})").status == 201);
    CHECK(bed->control("POST", "/accounts", R"({"email":"bob@x.example"})").status == 409);
    CHECK(body_of(bed->control("GET", "/accounts")).at("accounts").as_array().size() == 2);
    const auto token = text_of(body_of(bed->send("GET", kEvents)), "nextSyncToken");
    const auto id = text_of(
        body_of(bed->control(
            "POST", "/accounts/ada@example.com/events",
            R"({"summary":"P","start":{"date":"2026-11-22"},"end":{"date":"2026-11-23"}})")),
        "id");
    CHECK(items_of(bed->send("GET", kEvents + "?syncToken=" + token)) == "P");
    CHECK(bed->control("PATCH", "/accounts/ada@example.com/events/" + id, R"({"summary":"Q"})")
              .status == 200);
    CHECK(bed->control("DELETE", "/accounts/ada@example.com/events/" + id).status == 204);
    CHECK(bed->control("POST", "/expire-tokens").status == 200);
    CHECK(bed->send("GET", kEvents).status == 401);
    CHECK(bed->control("DELETE", "/accounts/bob@x.example").status == 200);
    CHECK(bed->control("POST", "/reset").status == 200);
    CHECK(body_of(bed->control("GET", "/accounts")).at("accounts").as_array().empty());
    CHECK(bed->control("POST", "/nowhere").status == 404);
}

TEST_CASE("list: ten thousand events come in four pages") {
    auto bed = Bed::connected();
    std::string file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n";
    for (int i = 0; i < 10'000; ++i)
        file += "BEGIN:VEVENT\r\nUID:" + std::to_string(i) +
                "\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261120T090000Z\r\n"
                "DTEND:20261120T100000Z\r\nSUMMARY:E\r\nEND:VEVENT\r\n";
    REQUIRE(bed->google.load_icalendar(kAda, file + "END:VCALENDAR\r\n").value_or(-1) == 10'000);
    std::string page;
    std::size_t count = 0;
    int pages = 0;
    do {
        const auto body = body_of(bed->send(
            "GET", kEvents + "?maxResults=2500" + (page.empty() ? "" : "&pageToken=" + page)));
        count += body.at("items").as_array().size();
        page = text_of(body, "nextPageToken");
        ++pages;
    } while (!page.empty() && pages < 10);
    CHECK(count == 10'000);
    CHECK(pages == 4);
}

}  // namespace
}  // namespace calhost::sandbox
