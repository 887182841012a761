// providers/caldav against the real Radicale and Xandikos.
#include <fstream>
#include <sstream>

#include "base/encoding.h"
#include "net/client.h"
#include "net/net_time.h"
#include "plugin/bench.h"
#include "plugin/caldav_server.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// Waits between attempts are over at once, limits are never met: what happens depends on no clock.
class NoWaiting final : public Timers {
  public:
    Task<> sleep(milliseconds duration) override {
        if (duration >= milliseconds{4'001}) co_await never_.sleep(duration);
    }

  private:
    ManualTime never_;
};

class PersonsAccess final : public plugin::Access {
  public:
    Task<Result<Secret>> token(bool was_refused) override {
        if (was_refused) co_return fail(ErrorCode::needs_reauth, "The password is refused.");
        co_return Secret(password);
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp) override { co_return; }
    [[nodiscard]] const plugin::Account* account() const override { return &home; }
    [[nodiscard]] const std::string& connection_id() const override { return id; }
    std::string password = "ann:s3cret pass";
    plugin::Account home;
    std::string id = "c1";
};

std::string provider_code() {
    std::ostringstream text;
    text << std::ifstream(CALHOST_SOURCE_DIR "/providers/caldav/provider.lua").rdbuf();
    return text.str();
}

using Kind = CaldavServer::Kind;

/// A server, the provider, and another program that writes to the same calendar.
struct World {
    explicit World(Kind kind) : server(kind) {
        transport =
            net::make_http_client(context.get_executor(), {.allow_private = {"127.0.0.0/8"}},
                                  net::make_system_resolver(context.get_executor()), clock, timers);
        auto loaded =
            plugin::Provider::load({"caldav", "providers/caldav/provider.lua", provider_code()},
                                   {*transport, clock, timers, random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
        access.home.url = server.url();
        access.home.origins = {server.url()};
        if (kind == Kind::radicale) {
            calendar = "/ann/work/";
            REQUIRE(other("MKCALENDAR", "/ann/work/", R"(<?xml version="1.0"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/">
<D:set><D:prop><D:displayname>Wörk</D:displayname><A:calendar-color>#FF8800FF</A:calendar-color>
</D:prop></D:set></C:mkcalendar>)") == 201);
            REQUIRE(other("MKCALENDAR", "/ann/tasks/", R"(<?xml version="1.0"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>
</D:prop></D:set></C:mkcalendar>)") == 201);
        } else {
            calendar = "/user/calendars/calendar/";
        }
    }

    template <class T>
    T wait(Task<T> task) {
        return run(context, std::move(task));
    }

    /// What another program does; gives the status.
    int other(std::string method, const std::string& path, std::string body = "") {
        net::ClientRequest request{.method = std::move(method), .url = server.url() + path};
        request.headers.set("Authorization", "Basic " + base64_encode("ann:s3cret pass"));
        request.headers.set("Content-Type", request.method == "PUT" ? "text/calendar" : "text/xml");
        request.body = std::move(body);
        const auto answer = wait(transport->send(std::move(request)));
        REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
        return answer->status;
    }
    void put(const std::string& name, const std::string& events) {
        const int status = other("PUT", calendar + name,
                                 "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//T//EN\r\n" +
                                     events + "END:VCALENDAR\r\n");
        REQUIRE(status >= 200);
        REQUIRE(status < 300);
    }

    void discover() {
        auto found = wait(provider->discover(access));
        REQUIRE_MESSAGE(found.has_value(), outcome_of(found));
        access.home.data = std::move(*found);
    }

    struct All {
        std::map<std::string, calendar::Event> events;
        std::set<std::string> deleted;
        std::string cursor;
        int pages = 0;
    };
    /// Every page of what changed.
    Result<All> changes(std::optional<std::string> cursor = std::nullopt) {
        All all;
        std::optional<std::string> page;
        do {
            auto part =
                wait(provider->list_changes(access, calendar, cursor, page,
                                            {clock.now(), clock.now() + std::chrono::days{366}}));
            if (!part) return fail(part.error());
            for (auto& event : part->events) all.events[event.id] = event;
            all.deleted.insert(part->deleted.begin(), part->deleted.end());
            page = part->page;
            all.cursor = part->cursor.value_or("");
            ++all.pages;
        } while (page);
        return all;
    }

    boost::asio::io_context context;
    SystemClock clock;
    NoWaiting timers;
    SeededRandom random{3};
    CaldavServer server;
    std::unique_ptr<net::Transport> transport;
    std::unique_ptr<plugin::Provider> provider;
    PersonsAccess access;
    std::string calendar;
};

std::string single(const std::string& uid, const std::string& title) {
    return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:" + title +
           "\r\nDTSTART:20261123T080000Z\r\nDTEND:20261123T090000Z\r\nEND:VEVENT\r\n";
}

const std::string kSeries =
    "BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Series\r\n"
    "DTSTART;VALUE=DATE:20261123\r\nDTEND;VALUE=DATE:20261124\r\nRRULE:FREQ=DAILY;COUNT=4\r\n"
    "END:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Moved\r\n"
    "RECURRENCE-ID;VALUE=DATE:20261124\r\nDTSTART;VALUE=DATE:20261130\r\n"
    "DTEND;VALUE=DATE:20261201\r\nEND:VEVENT\r\n";

TEST_CASE("caldav: an address leads to the account and to the calendars that hold events") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        const auto identity = world.wait(world.provider->identity(world.access));
        REQUIRE_MESSAGE(identity.has_value(), outcome_of(identity));
        CHECK_FALSE(identity->id.empty());
        const auto calendars = world.wait(world.provider->list_calendars(world.access));
        REQUIRE_MESSAGE(calendars.has_value(), outcome_of(calendars));
        REQUIRE(calendars->size() == 1);
        const auto& found = calendars->front();
        CHECK(found.id == world.calendar);
        CHECK(found.is_primary);
        CHECK_FALSE(found.is_read_only);
        if (kind == Kind::radicale) {
            CHECK(found.name == "Wörk");
            CHECK(found.color == "#FF8800");
        }
    }
}

TEST_CASE("caldav: changes come once, deletions too, series with their overrides") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        world.put("a.ics", single("a", "First"));
        world.put("s.ics", kSeries);
        auto all = world.changes();
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        const auto at = [&](const std::string& name) {
            return all->events.at(world.calendar + name);
        };
        REQUIRE(all->events.size() == 3);
        CHECK(at("a.ics").title == "First");
        CHECK_FALSE(at("a.ics").etag.empty());
        CHECK(at("s.ics").recurrence->rrule == "FREQ=DAILY;COUNT=4");
        const auto moved = at("s.ics#2026-11-24");
        CHECK(moved.series_id == world.calendar + "s.ics");
        CHECK(moved.title == "Moved");

        all = world.changes(all->cursor);
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.empty());
        CHECK(all->deleted.empty());

        world.put("a.ics", single("a", "Second"));
        world.put("%C3%BC%20b.ics", single("b", "Näu"));
        CHECK(world.other("DELETE", world.calendar + "s.ics") < 300);
        all = world.changes(all->cursor);
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.size() == 2);
        CHECK(at("a.ics").title == "Second");
        CHECK(at("%C3%BC%20b.ics").title == "Näu");
        CHECK(all->deleted == std::set<std::string>{world.calendar + "s.ics"});
    }
}

TEST_CASE("caldav: a token that the server does not know means a full pull") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        for (const std::string cursor : {"sync:http://radicale.org/ns/sync/0000", "sync:bogus"})
            CHECK(to_string(world.changes(cursor).error().code) == "cursor_expired");
    }
}

TEST_CASE("caldav: without sync-collection the etags tell what changed") {
    for (const auto kind : {Kind::radicale, Kind::xandikos}) {
        CAPTURE(static_cast<int>(kind));
        World world(kind);
        world.discover();
        world.put("a.ics", single("a", "First"));
        world.put("b.ics", single("b", "Stays"));
        auto all = world.changes("etags:{}");
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.size() == 2);
        CHECK(all->cursor.starts_with("etags:"));
        world.put("a.ics", single("a", "Second"));
        world.put("c.ics", single("c", "New"));
        CHECK(world.other("DELETE", world.calendar + "b.ics") < 300);
        all = world.changes(all->cursor);
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        CHECK(all->events.size() == 2);
        CHECK(all->events.at(world.calendar + "a.ics").title == "Second");
        CHECK(all->deleted == std::set<std::string>{world.calendar + "b.ics"});
        CHECK(world.changes(all->cursor)->events.empty());
    }
}

TEST_CASE("caldav: a wrong password is no lost account and no address that is forbidden") {
    World world(Kind::radicale);
    world.access.password = "ann:wrong";
    CHECK(to_string(world.wait(world.provider->discover(world.access)).error().code) ==
          "needs_reauth");
}

}  // namespace
