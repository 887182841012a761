/// providers/caldav in a world of its own: a real server, and another program that writes to the
/// same calendar.
#pragma once

#include <set>

#include "base/encoding.h"
#include "net/client.h"
#include "net/net_time.h"
#include "plugin/bench.h"
#include "plugin/caldav_code.h"
#include "plugin/caldav_server.h"

namespace calhost::test {

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

/// A server, the provider, and another program that writes to the same calendar.
struct CaldavWorld {
    using Kind = CaldavServer::Kind;

    /// `proxied`: where the provider is to find the server, given where it is.
    explicit CaldavWorld(Kind kind, const std::function<std::string(std::string)>& proxied = {})
        : server(kind) {
        transport =
            net::make_http_client(context.get_executor(), {.allow_private = {"127.0.0.0/8"}},
                                  net::make_system_resolver(context.get_executor()), clock, timers);
        auto loaded =
            plugin::Provider::load({"caldav", "providers/caldav/provider.lua", caldav_code()},
                                   {*transport, clock, timers, random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
        access.home.url = proxied ? proxied(server.url()) : server.url();
        access.home.origins = {access.home.url};
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
        return other_answer(std::move(method), path, std::move(body)).status;
    }
    net::ClientResponse other_answer(std::string method, const std::string& path,
                                     std::string body = "") {
        net::ClientRequest request{.method = std::move(method), .url = server.url() + path};
        request.headers.set("Authorization", "Basic " + base64_encode("ann:s3cret pass"));
        request.headers.set("Content-Type", request.method == "PUT" ? "text/calendar" : "text/xml");
        request.body = std::move(body);
        auto answer = wait(transport->send(std::move(request)));
        REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
        return std::move(*answer);
    }
    /// What stands there now.
    std::string stored(const std::string& path) { return other_answer("GET", path).body; }
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
        std::set<std::string> whole;
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
            all.whole.insert(part->whole.begin(), part->whole.end());
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

inline std::string single(const std::string& uid, const std::string& title) {
    return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:" + title +
           "\r\nDTSTART:20261123T080000Z\r\nDTEND:20261123T090000Z\r\nEND:VEVENT\r\n";
}

}  // namespace calhost::test
