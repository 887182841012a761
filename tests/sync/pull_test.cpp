// What a sync reads, keeps and counts.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

struct Counts {
    std::int64_t created, updated, deleted, shown;
    friend bool operator==(const Counts&, const Counts&) = default;
};

Counts counts_of(const net::Response& answer) {
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    const auto body = TestHost::body(answer);
    const auto& result = body.at("sync_result");
    const auto number = [&](std::string_view name) { return result.at(name).as_int64(); };
    const auto shown = result.at("events_synced").to_number<std::int64_t>();
    CHECK(static_cast<std::size_t>(shown) == result.at("events").as_array().size());
    return {number("created"), number("updated"), number("deleted"), shown};
}

/// Somebody connected whose calendar holds `events` single events, one a day from tomorrow on.
struct Connected {
    explicit Connected(int events = 3, TestHostOptions options = {.runs_jobs = false})
        : host(std::move(options)) {
        who = host.sign_up();
        for (int day = 21; day < 21 + events; ++day)
            ids.push_back(add_event(
                host, timed(fmt::format("2026-11-{}T10:00:00Z", day),
                            fmt::format("2026-11-{}T11:00:00Z", day), fmt::format("Tea {}", day))));
        REQUIRE(host.connect(who).status == 302);
    }
    Counts sync() { return counts_of(sync_now(host, who)); }
    std::int64_t stored() { return count_in_store(host, "SELECT count(*) FROM events"); }
    json::value control_event(std::string method, const std::string& id,
                              const json::value& body = nullptr) {
        return control(host, std::move(method), "/accounts/" + kAda + "/events/" + id, body);
    }
    TestHost host;
    net::Headers who;
    std::vector<std::string> ids;
};

TEST_CASE("pull: the first brings everything, the next only what changed") {
    Connected person;
    CHECK(person.sync() == Counts{3, 0, 0, 3});
    CHECK(person.sync() == Counts{0, 0, 0, 3});
    person.control_event("PATCH", person.ids[0], json::object{{"summary", "Coffee"}});
    person.control_event("DELETE", person.ids[1]);
    add_event(person.host, timed("2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z"));
    CHECK(person.sync() == Counts{1, 1, 1, 3});
    CHECK(person.sync() == Counts{0, 0, 0, 3});
    CHECK(person.stored() == 3);
}

TEST_CASE("pull: where nobody knows \"primary\", the first sync takes the account's own calendar") {
    const auto calendar = [](TestHost& host) {
        return text_in_store(host, "SELECT calendar_id FROM connections");
    };
    for (const int status : {404, 400}) {
        CAPTURE(status);
        Connected person;
        CHECK(calendar(person.host) == "primary");
        break_next(person.host, {{"kind", "status"},
                                 {"status", status},
                                 {"path", std::string(kEventsPath)},
                                 {"count", -1}});
        CHECK(person.sync() == Counts{3, 0, 0, 3});
        CHECK(calendar(person.host) == kAda);
        CHECK(requests_to(person.host, kEventsPath) == 1);
        CHECK(person.sync() == Counts{0, 0, 0, 3});
    }
    // What was synced under that name keeps it.
    Connected person;
    person.sync();
    break_next(
        person.host,
        {{"kind", "status"}, {"status", 404}, {"path", std::string(kEventsPath)}, {"count", -1}});
    CHECK(sync_now(person.host, person.who).status != 200);
    CHECK(calendar(person.host) == "primary");
    CHECK(requests_to(person.host, "/calendar/v3/users/me/calendarList") == 0);
}

TEST_CASE("pull: an unchanged one is exactly one request and none for a token") {
    Connected person;
    person.sync();
    person.host.time.advance(10min);
    const auto before = person.host.transport.count;
    CHECK(person.sync() == Counts{0, 0, 0, 3});
    CHECK(person.host.transport.count == before + 1);
    person.host.crash_and_restart();  // nor after a restart
    const auto later = person.host.transport.count;
    person.sync();
    CHECK(person.host.transport.count == later + 1);
}

TEST_CASE("pull: pages are followed to the end") {
    Connected person(0);
    std::string file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n";
    constexpr int kEvents = 5100;  // three pages of 2500
    const auto start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};
    for (int i = 0; i < kEvents; ++i) {
        const auto when = format_rfc3339(Timestamp{start + std::chrono::minutes{10 * i}});
        std::string stamp;
        for (const char c : when)
            if (c != '-' && c != ':') stamp += c;
        file += fmt::format(
            "BEGIN:VEVENT\r\nUID:e{}@test\r\nDTSTAMP:20261101T000000Z\r\n"
            "DTSTART:{}\r\nDURATION:PT5M\r\nSUMMARY:Tea {}\r\nEND:VEVENT\r\n",
            i, stamp, i);
    }
    control(person.host, "POST", "/accounts/" + kAda + "/ics",
            json::value(file + "END:VCALENDAR\r\n"));
    const auto counts = person.sync();
    CHECK(counts.created == kEvents);
    CHECK(counts.shown == 29 * 144 + 9 * 6);  // from the next midnight to 09:00 of the 30th day
    CHECK(requests_to(person.host, kEventsPath) == 3);
    CHECK(person.stored() == kEvents);
    CHECK(person.sync().created == 0);
}

TEST_CASE("pull: a lost cursor is a full pull that keeps ids and doubles nothing") {
    Connected person;
    person.sync();
    const std::string rows = "SELECT group_concat(id) FROM (SELECT id FROM events ORDER BY id)";
    const auto before = text_in_store(person.host, rows);
    control(person.host, "POST", "/expire-sync-tokens");
    const auto requests = requests_to(person.host, kEventsPath);
    CHECK(person.sync() == Counts{0, 0, 0, 3});
    CHECK(requests_to(person.host, kEventsPath) == requests + 2);  // 410, then everything
    CHECK(text_in_store(person.host, rows) == before);
    CHECK(person.sync() == Counts{0, 0, 0, 3});
}

TEST_CASE("pull: what went away while the cursor was lost is noticed") {
    Connected person;
    person.sync();
    person.control_event("DELETE", person.ids[0]);
    person.control_event("PATCH", person.ids[1], json::object{{"summary", "Coffee"}});
    control(person.host, "POST", "/expire-sync-tokens");
    CHECK(person.sync() == Counts{0, 1, 1, 2});
    CHECK(text_in_store(person.host,
                        "SELECT kind FROM sync_runs ORDER BY started_at DESC, "
                        "rowid DESC LIMIT 1") == "full");
}

TEST_CASE("pull: two at once are one") {
    Connected person;
    control(person.host, "POST", "/latency", json::object{{"milliseconds", 100}});
    std::vector<Task<net::Response>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(person.host.handle("POST", "/api/calendar/sync", person.who, ""));
    for (const auto& answer : at_once(person.host, std::move(calls)))
        CHECK(counts_of(answer) == Counts{3, 0, 0, 3});
    CHECK(requests_to(person.host, kEventsPath) == 1);
    CHECK(count_in_store(person.host, "SELECT count(*) FROM sync_runs") == 1);
}

TEST_CASE("pull: a crash at any point loses and doubles nothing") {
    for (const std::string point : {"sync.page_read", "sync.page_stored"}) {
        CAPTURE(point);
        Connected person;
        begin_and_crash(person.host,
                        person.host.handle("POST", "/api/calendar/sync", person.who, ""), point);
        CHECK(person.stored() == (point == "sync.page_stored" ? 3 : 0));
        const auto counts = person.sync();
        CHECK(counts.shown == 3);
        CHECK(person.stored() == 3);
        CHECK(person.sync() == Counts{0, 0, 0, 3});
    }
}

TEST_CASE("pull: connecting enqueues the first one") {
    Connected person(3, {});
    person.host.time.advance(5s);
    CHECK(person.stored() == 3);
    CHECK(requests_to(person.host, kEventsPath) == 1);
    CHECK(connection_of(person.host, person.who).at("last_synced_at").is_string());
}

TEST_CASE("pull: without being asked again at the interval, give or take a quarter") {
    Connected person(3, {.adjust = [](config::Settings& s) { s.sync.interval = 900s; }});
    person.host.time.advance(5s);
    REQUIRE(requests_to(person.host, kEventsPath) == 1);
    person.host.time.advance(11min);
    CHECK(requests_to(person.host, kEventsPath) == 1);
    person.host.time.advance(9min);
    CHECK(requests_to(person.host, kEventsPath) == 2);
    person.host.crash_and_restart();
    person.host.time.advance(20min);
    CHECK(requests_to(person.host, kEventsPath) == 3);
}

TEST_CASE("pull: one of two connections that fails does not hide the other") {
    Connected person;
    auto& host = person.host;
    add_event(host, timed("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", "Bob's"), kBob);
    host.connect(person.who, kBob, "?account=second");
    CHECK(counts_of(sync_now(host, person.who)) == Counts{4, 0, 0, 4});
    control(host, "POST", "/accounts/" + kBob + "/revoke");
    add_event(host, timed("2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z"));
    const auto counts = counts_of(sync_now(host, person.who));
    CHECK(counts.created == 1);
    CHECK(state_of(host, person.who, 0) == "active");
    CHECK(state_of(host, person.who, 1) == "needs_reauth");
    CHECK(word_of(host.call("POST", "/api/calendar/sync?account=second", person.who)) ==
          "409 needs_reauth");
}

TEST_CASE("pull: reconnecting another account drops the old one's events") {
    Connected person;
    person.sync();
    add_event(person.host, timed("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", "Bob's"), kBob);
    REQUIRE(person.host.connect(person.who, kBob).status == 302);
    CHECK(person.stored() == 0);
    CHECK(person.sync() == Counts{1, 0, 0, 1});
}

TEST_CASE("pull: an event that makes no sense does not keep the others away") {
    Connected person;
    LogSink log;
    person.host.transport.after = [](const net::ClientRequest& request,
                                     SandboxTransport::Answer& answer) -> Task<void> {
        if (!request.url.contains("/events") || answer->status != 200) co_return;
        auto body = json::parse(answer->body).value();
        auto& items = body.at("items").as_array();
        items[0].as_object()["start"] = json::object{{"dateTime", "never"}};
        items.insert(items.begin(), json::object{{"id", "ghost"}, {"status", "confirmed"}});
        answer->body = json::serialize(body);
    };
    CHECK(person.sync() == Counts{2, 0, 0, 2});
    CHECK(log.text.contains("event left out"));
}

}  // namespace
