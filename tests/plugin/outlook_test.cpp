// providers/outlook against the simulated Graph, in process.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "calendar/recurrence.h"
#include "calendar/zone.h"
#include "plugin/bench.h"
#include "sandbox/graph_bed.h"
#include "support/sandbox_transport.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;
using sandbox::graph_test::GraphBed;
using sandbox::graph_test::kEve;

namespace {

class GraphAccess final : public plugin::Access {
  public:
    explicit GraphAccess(const GraphBed& bed) : bed_(&bed) {}
    Task<Result<Secret>> token(bool was_refused) override {
        if (was_refused) co_return fail(ErrorCode::needs_reauth, "The grant is gone.");
        co_return Secret(bed_->token);
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp /*when*/) override { co_return; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    const GraphBed* bed_;
    std::string id_ = "c1";
};

std::string provider_code() {
    std::ostringstream text;
    text << std::ifstream(CALHOST_SOURCE_DIR "/providers/outlook/provider.lua").rdbuf();
    return text.str();
}

constexpr calendar::Window kWindow{
    Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}},
    Timestamp{std::chrono::sys_days{std::chrono::year{2027} / 2 / 1}}};

/// A mailbox, the provider, and the person who edits in Outlook itself.
struct Mailbox {
    Mailbox() {
        bed->headers.set("Prefer", "IdType=\"ImmutableId\"");
        auto loaded =
            plugin::Provider::load({"outlook", "providers/outlook/provider.lua", provider_code()},
                                   {transport, bed->time, bed->time, bed->random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
        const json::object endpoints{{"api", "http://sandbox.test/v1.0"},
                                     {"userinfo", "http://sandbox.test/oidc/userinfo"}};
        plugin::apply_section(provider->info(), {{"endpoints", endpoints}},
                              {{"tenant", "common"}, {"endpoints", endpoints}});
        transport.after = [this](const net::ClientRequest& request,
                                 SandboxTransport::Answer& answer) -> Task<void> {
            requests.push_back(request);
            if (on_answer) on_answer(request, answer);
            co_return;
        };
    }

    template <class T>
    T wait(Task<Result<T>> task) {
        auto done = bed->time.wait(std::move(task));
        REQUIRE_MESSAGE(done.has_value(), done.error().message);
        if constexpr (!std::is_void_v<T>) return std::move(*done);
    }
    template <class T>
    std::string refused(Task<Result<T>> task) {
        return outcome_of(bed->time.wait(std::move(task)));
    }

    /// Every page from `cursor` on, which moves to the end.
    plugin::Changes pull() {
        plugin::Changes all;
        std::optional<std::string> page;
        do {
            auto part = wait(provider->list_changes(access, "primary", cursor, page, window));
            std::ranges::move(part.events, std::back_inserter(all.events));
            std::ranges::move(part.deleted, std::back_inserter(all.deleted));
            std::ranges::move(part.whole, std::back_inserter(all.whole));
            all.unreadable += part.unreadable;
            page = part.page;
            all.cursor = part.cursor;
        } while (page);
        cursor = all.cursor;
        return all;
    }
    calendar::Event get(const std::string& id) {
        return wait(provider->get_event(access, "primary", id));
    }
    plugin::Written create(const calendar::Event& event, const std::string& key = "key-1") {
        return wait(provider->create_event(access, "primary", event, key));
    }
    std::vector<calendar::Event> list() {
        auto page = wait(provider->list_events(access, "primary", window, std::nullopt));
        REQUIRE_FALSE(page.page.has_value());
        return page.events;
    }
    /// "2026-11-27T10:00:00 2026-12-04T10:00:00" of what happens.
    std::string starts() {
        std::string text;
        for (const auto& event : list())
            text += (text.empty() ? "" : " ") + (event.is_all_day()
                                                     ? calendar::format_date(event.start.date)
                                                     : calendar::format_local(event.start.local));
        return text;
    }
    std::size_t count(std::string_view method, std::string_view part) {
        return static_cast<std::size_t>(std::ranges::count_if(requests, [&](const auto& request) {
            return request.method == method && request.url.find(part) != std::string::npos;
        }));
    }
    json::object graph(std::string method, const std::string& path, std::string body = {},
                       int status = 200) {
        return bed->ask(std::move(method), "/v1.0/me" + path, std::move(body), status);
    }

    std::unique_ptr<GraphBed> bed = GraphBed::connected();
    SandboxTransport transport{bed->graph, bed->time};
    GraphAccess access{*bed};
    std::unique_ptr<plugin::Provider> provider;
    std::vector<net::ClientRequest> requests;
    std::function<void(const net::ClientRequest&, SandboxTransport::Answer&)> on_answer;
    calendar::Window window = kWindow;
    std::optional<std::string> cursor;
};

calendar::EventTime at(std::string_view local, std::string zone = "Europe/Berlin") {
    return *calendar::make_local(*calendar::parse_local(local), std::move(zone));
}
calendar::EventTime on(std::string_view date) {
    return calendar::make_date(*calendar::parse_date(date));
}
calendar::Event lunch() {
    calendar::Event event;
    event.title = "Lunch";
    event.start = at("2026-11-27T12:00:00");
    event.finish = at("2026-11-27T13:00:00");
    return event;
}
calendar::Event weekly() {
    auto event = lunch();
    event.recurrence = calendar::Recurrence{.rrule = "FREQ=WEEKLY;BYDAY=FR;COUNT=4"};
    return event;
}
const std::string kWeekly = sandbox::graph_test::series(
    R"("type":"weekly","interval":1,"daysOfWeek":["friday"],"firstDayOfWeek":"monday")",
    R"("type":"numbered","startDate":"2026-11-27","numberOfOccurrences":4)");

TEST_CASE("outlook: who granted, and the calendars with the mailbox's zone") {
    Mailbox box;
    const auto identity = box.wait(box.provider->identity(box.access));
    CHECK(identity.email == kEve);
    CHECK(identity.name == "Eve");
    CHECK_FALSE(identity.id.empty());
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
}

TEST_CASE("outlook: errors by Graph's code, then by status") {
    struct Row {
        std::string fault, code;
    };
    for (const auto& row : std::vector<Row>{
             {R"("status":403)", "forbidden: Outlook answered 403 ErrorAccessDenied"},
             {R"("status":404)", "not_found: Outlook answered 404 ErrorItemNotFound"},
             {R"("status":404,"reason":"MailboxNotEnabledForRESTAPI")",
              "forbidden: Outlook answered 404 MailboxNotEnabledForRESTAPI"},
             {R"("status":400,"reason":"syncStateNotFound")",
              "cursor_expired: Outlook answered 400 syncStateNotFound"},
             {R"("status":412)", "conflict: Outlook answered 412 ErrorIrresolvableConflict"},
             {R"("status":429,"retry_after":60)",
              "rate_limited: Outlook answered 429 ApplicationThrottled"},
             {R"("status":503)", "unavailable: Outlook answered 503 ServiceUnavailable"},
             {R"("status":503,"retry_after":60)",
              "rate_limited: Outlook answered 503 ServiceUnavailable"},
             {R"("status":509,"retry_after":60)",
              "rate_limited: Outlook answered 509 ServiceUnavailable"}}) {
        CAPTURE(row.fault);
        Mailbox box;
        box.bed->control("POST", "/faults", R"({"kind":"status","count":-1,)" + row.fault + "}");
        CHECK(box.refused(box.provider->get_event(box.access, "primary", "AAkAeA==")) == row.code);
    }
    Mailbox box;
    box.bed->control("POST", "/faults", R"({"kind":"html"})");
    CHECK(box.refused(box.provider->get_event(box.access, "primary", "AAkAeA=="))
              .starts_with("invalid_response"));
}

TEST_CASE("outlook: Microsoft's numbers say what a refused token means, OAuth's words the rest") {
    struct Row {
        std::string body, code;
    };
    Mailbox box;
    for (const auto& row : std::vector<Row>{
             {R"({"error":"invalid_client","error_codes":[7000222]})", "misconfigured"},
             {R"({"error":"unauthorized_client","error_codes":[700016]})", "misconfigured"},
             {R"({"error":"invalid_request","error_codes":[90002]})", "misconfigured"},
             {R"({"error":"invalid_grant","error_codes":[65001]})", "needs_reauth"},
             {R"({"error":"interaction_required","error_codes":[50076]})", "needs_reauth"},
             {R"({"error":"invalid_grant","error_codes":[90033]})", "unavailable"},
             {R"({"error":"temporarily_unavailable"})", "unavailable"},
             {R"({"error":"server_error","error_codes":[]})", "unavailable"},
             {R"({"error":"invalid_grant","error_codes":[1]})", ""},
             {R"({"error":"invalid_grant","error_codes":7})", ""},
             {R"(["error"])", ""},
             {"<html>", ""}}) {
        CAPTURE(row.body);
        const auto code = box.provider->classify_token_error({400, {}, row.body});
        CHECK((code ? to_string(*code) : "") == row.code);
    }
}

TEST_CASE("outlook: rules become patterns and come back") {
    struct Row {
        std::string rule, start, back;
    };
    for (const auto& row : std::vector<Row>{
             {"FREQ=DAILY;COUNT=3", "2026-11-27", ""},
             {"FREQ=DAILY;INTERVAL=2;UNTIL=20261210T110000Z", "2026-11-27", ""},
             {"FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-11-27", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
             {"FREQ=WEEKLY", "2026-11-27", "FREQ=WEEKLY;BYDAY=FR"},
             {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU", "2026-11-27", ""},
             {"FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SU;WKST=MO", "2026-11-27",
              "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SU"},
             {"FREQ=MONTHLY;BYMONTHDAY=15", "2026-12-15", ""},
             {"FREQ=MONTHLY", "2026-12-15", "FREQ=MONTHLY;BYMONTHDAY=15"},
             {"FREQ=MONTHLY;BYDAY=2TU", "2026-12-08", ""},
             {"FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2", "2026-12-08", "FREQ=MONTHLY;BYDAY=2TU"},
             {"FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ""},
             {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30", ""},
             {"FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-11-30", ""},
             {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30",
              "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"},
             {"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31", "2026-12-31", ""},
             {"FREQ=YEARLY", "2026-12-15", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=15"},
             {"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26", ""}}) {
        CAPTURE(row.rule);
        Mailbox box;
        auto event = lunch();
        event.start = at(row.start + "T12:00:00");
        event.finish = at(row.start + "T13:00:00");
        event.recurrence = calendar::Recurrence{.rrule = row.rule};
        const auto written = box.create(event);
        REQUIRE(written.event.recurrence.has_value());
        CHECK(written.event.recurrence->rrule == (row.back.empty() ? row.rule : row.back));
        CHECK(written.event.start == event.start);
    }
}

TEST_CASE("outlook: what has no pattern is refused with its reason, before anything is written") {
    struct Row {
        std::string rule, reason;
    };
    for (const auto& row : std::vector<Row>{
             {"FREQ=HOURLY", "Outlook knows days, weeks, months and years"},
             {"FREQ=WEEKLY;BYDAY=MO", "its first day is none of the rule's"},
             {"FREQ=MONTHLY;BYMONTHDAY=13,27", "it has several days in a month"},
             {"FREQ=MONTHLY;BYMONTHDAY=-5", "it has several days in a month"},
             {"FREQ=MONTHLY;BYMONTHDAY=31", "months without a day 31 would get it"},
             {"FREQ=MONTHLY;BYDAY=5FR", "a weekday is first, second, third, fourth or last"},
             {"FREQ=MONTHLY;BYDAY=1MO,3FR", "several days of the week have their own places"},
             {"FREQ=MONTHLY;BYDAY=FR", "a weekday is first"},
             {"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=27", "days of the week and of the month"},
             {"FREQ=YEARLY;BYMONTH=6,11", "its months are not the one"},
             {"FREQ=YEARLY;BYDAY=4FR", "it counts weekdays through a year"},
             {"FREQ=YEARLY;BYWEEKNO=48", "its rule has BYWEEKNO"},
             {"FREQ=DAILY;BYHOUR=9,17", "its rule has BYHOUR"},
             {"FREQ=DAILY;COUNT=1000", "it goes beyond 999"}}) {
        CAPTURE(row.rule);
        Mailbox box;
        auto event = lunch();
        event.recurrence = calendar::Recurrence{.rrule = row.rule};
        const auto said =
            box.refused(box.provider->create_event(box.access, "primary", event, "k"));
        CHECK(said.starts_with("unsupported: Outlook cannot repeat an event like this: "));
        CHECK_MESSAGE(said.find(row.reason) != std::string::npos, said);
        CHECK(box.requests.empty());
    }
}

TEST_CASE("outlook: an end in UTC is the day of the last occurrence") {
    for (const auto& [until, last] : {std::pair{"20261211T110000Z", "2026-12-11T12:00:00"},
                                      {"20261211T105959Z", "2026-12-04T12:00:00"},
                                      {"20261211", "2026-12-11T12:00:00"}}) {
        CAPTURE(until);
        Mailbox box;
        auto event = weekly();
        event.recurrence->rrule = std::string("FREQ=WEEKLY;BYDAY=FR;UNTIL=") + until;
        box.create(event);
        CHECK(calendar::format_local(box.list().back().start.local) == last);
    }
}

TEST_CASE("outlook: what was written is read back, and the same key is the same event") {
    Mailbox box;
    auto event = lunch();
    event.description = std::string(8000, 'x') + " Grüße 🎉";
    event.location = "Küche";
    event.url = "https://example.org/b/1";
    event.visibility = "private";
    event.categories = {"Blue", "Team"};
    event.reminders = {{"email", 1440}, {"popup", 60}, {"popup", 15}};
    event.marks = {{"calhost_key", "b1"}, {"rev", "7"}};
    const auto written = box.create(event);
    CHECK(written.lossy ==
          std::vector<std::string>{"Outlook keeps one reminder: the one 15 minutes before, of 3."});
    const auto read = box.get(written.event.id);
    CHECK(read == written.event);
    CHECK(read.title == event.title);
    CHECK(read.description == event.description);
    CHECK(read.location == event.location);
    CHECK(read.url == event.url);
    CHECK(read.start == event.start);
    CHECK(read.finish == event.finish);
    CHECK(read.visibility == event.visibility);
    CHECK(read.categories == event.categories);
    CHECK(read.reminders == std::vector<calendar::Reminder>{{"popup", 15}});
    CHECK(read.marks == event.marks);
    CHECK(box.pull().events.at(0).marks == event.marks);
    CHECK(box.create(event).event.id == read.id);
    CHECK(box.create(event, "key-2").event.id != read.id);
    CHECK(box.list().size() == 2);
}

TEST_CASE(
    "outlook: a create whose reply was lost is found again, also by the id that Graph names") {
    Mailbox box;
    box.bed->control("POST", "/faults", R"({"kind":"lost_reply","method":"POST"})");
    CHECK(box.refused(box.provider->create_event(box.access, "primary", lunch(), "key-1"))
              .starts_with("unavailable"));
    const auto written = box.create(lunch());
    CHECK(box.list().size() == 1);
    CHECK(box.count("POST", "/events") == 1);
    // Where the search does not know the event yet, the transactionId holds.
    box.on_answer = [&](const net::ClientRequest& request, SandboxTransport::Answer& answer) {
        if (request.url.find("CalhostKey") != std::string::npos && request.method == "GET")
            answer->body = R"({"value":[]})";
        if (request.method == "POST" && answer->status == 409) {
            auto body = json::parse(answer->body)->as_object();
            body["error"].as_object()["@event.existingEventId"] = written.event.id;
            answer->body = json::serialize(body);
            answer->status = 400;
        }
    };
    CHECK(box.create(lunch()).event.id == written.event.id);
    CHECK(box.count("POST", "/events") == 2);
    CHECK(box.list().size() == 1);
}

TEST_CASE("outlook: a deleted event comes back with its key") {
    Mailbox box;
    const auto first = box.create(lunch());
    box.wait(box.provider->delete_event(box.access, "primary", first.event.id, ""));
    const auto again = box.create(lunch());
    CHECK(again.event.id != first.event.id);
    CHECK(box.list().size() == 1);
}

TEST_CASE("outlook: an update sends what differs, and an old etag is a conflict") {
    Mailbox box;
    auto event = lunch();
    event.marks = {{"a", "1"}};
    const auto written = box.create(event);
    event.title = "Late lunch";
    event.marks = {{"b", "2"}};
    const auto& id = written.event.id;
    const auto updated =
        box.wait(box.provider->update_event(box.access, "primary", id, event, written.event.etag));
    CHECK(updated.event.title == "Late lunch");
    CHECK(updated.event.marks == std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}});
    const auto& patch = box.requests.back();
    CHECK(patch.method == "PATCH");
    CHECK(patch.headers.get("If-Match") == written.event.etag);
    CHECK(patch.body.find("dateTime") == std::string::npos);
    CHECK(box.refused(
                 box.provider->update_event(box.access, "primary", id, event, written.event.etag))
              .starts_with("conflict"));
    // The same between reading and writing.
    box.on_answer = [&](const net::ClientRequest& request, SandboxTransport::Answer&) {
        if (request.method != "GET") return;
        box.on_answer = nullptr;
        box.graph("PATCH", "/events/" + id, R"({"subject":"Mine"})");
    };
    CHECK(box.refused(
                 box.provider->update_event(box.access, "primary", id, lunch(), updated.event.etag))
              .starts_with("conflict"));
    box.wait(box.provider->update_event(box.access, "primary", id, event, ""));
    CHECK(box.get(id).title == "Late lunch");
    box.requests.clear();
    box.wait(box.provider->update_event(box.access, "primary", id, event, ""));
    CHECK(box.count("PATCH", "") == 0);
    CHECK(box.refused(box.provider->update_event(box.access, "primary", "AAkAeHg=", event, ""))
              .starts_with("not_found"));
}

TEST_CASE("outlook: deleting is conditional, and twice is fine") {
    Mailbox box;
    const auto written = box.create(lunch());
    const auto& id = written.event.id;
    box.graph("PATCH", "/events/" + id, R"({"subject":"Mine"})");
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, written.event.etag))
              .starts_with("conflict"));
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, "")) == "ok");
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, "")) == "ok");
    CHECK(box.list().empty());
}

TEST_CASE("outlook: a series with what it leaves out, what it moves, and what it takes away") {
    Mailbox box;
    auto series = weekly();
    series.recurrence->exdate = {at("2026-12-04T12:00:00")};
    const auto written = box.create(series);
    CHECK(written.event.recurrence->exdate == series.recurrence->exdate);
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-11T12:00:00 2026-12-18T12:00:00");

    auto moved = lunch();
    moved.series_id = written.event.id;
    moved.recurrence_id = at("2026-12-11T12:00:00");
    moved.start = at("2026-12-12T15:00:00");
    moved.finish = at("2026-12-12T16:00:00");
    const auto override = box.create(moved, "o1");
    CHECK(override.event.series_id == written.event.id);
    CHECK(override.event.recurrence_id->instant == moved.recurrence_id->instant);
    CHECK(override.event.start == moved.start);
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-12T15:00:00 2026-12-18T12:00:00");

    auto cancelled = lunch();
    cancelled.series_id = written.event.id;
    cancelled.recurrence_id = at("2026-12-18T12:00:00");
    cancelled.status = "cancelled";
    CHECK(box.create(cancelled, "o2").event.status == "cancelled");
    CHECK(box.create(cancelled, "o2").event.status == "cancelled");
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-12T15:00:00");

    // A title changes; the rule and the exceptions stay.
    series.recurrence->exdate.push_back(at("2026-12-18T12:00:00"));
    series.title = "Brunch";
    box.wait(box.provider->update_event(box.access, "primary", written.event.id, series, ""));
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-12T15:00:00");
    // An occurrence by the host's own name for it.
    box.wait(box.provider->delete_event(
        box.access, "primary", calendar::occurrence_id(written.event.id, at("2026-12-11T12:00:00")),
        ""));
    CHECK(box.starts() == "2026-11-27T12:00:00");
    // Without a rule it is a single event.
    box.wait(box.provider->update_event(box.access, "primary", written.event.id, lunch(), ""));
    CHECK_FALSE(box.get(written.event.id).is_series());
}

TEST_CASE("outlook: guests get no mail: what has some is left as it is") {
    Mailbox box;
    const auto made = box.bed->add(
        "Meeting", "2026-12-10",
        R"(,"attendees":[{"emailAddress":{"address":"guest@example.org","name":"Guest"}}])");
    const std::string id(json::text_of(made, "id"));
    const auto event = box.get(id);
    REQUIRE(event.attendees.size() == 1);
    CHECK(event.attendees[0].email == "guest@example.org");
    CHECK(event.attendees[0].response == "needs_action");
    const auto mails = [&] {
        return json::parse(box.bed->control("GET", "/ledger").body)
            ->at("effects")
            .as_array()
            .size();
    };
    const auto before = mails();
    CHECK(box.refused(box.provider->update_event(box.access, "primary", id, lunch(), ""))
              .starts_with("unsupported: Outlook would write to the event's guests"));
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, ""))
              .starts_with("unsupported"));
    auto with_guests = lunch();
    with_guests.attendees = event.attendees;
    CHECK(box.create(with_guests).event.attendees.empty());
    CHECK(mails() == before + 1);  // the creation itself
}

TEST_CASE("outlook: zones that Windows does not know by name, and doubled hours") {
    Mailbox box;
    auto event = lunch();
    event.start = at("2026-11-27T12:00:00", "Europe/Amsterdam");
    event.finish = at("2026-11-27T13:00:00", "Europe/Amsterdam");
    const auto berlin = box.create(event).event;
    CHECK(berlin.start.zone == "Europe/Berlin");
    CHECK(berlin.start.instant == event.start.instant);
    // The second 02:30 of the night on which the clock goes back.
    event.start = *calendar::make_instant(*parse_rfc3339("2026-10-25T01:30:00Z"), "Europe/Berlin");
    event.finish = *calendar::make_instant(*parse_rfc3339("2026-10-25T03:30:00Z"), "Europe/Berlin");
    CHECK(box.create(event, "k2").event.start.instant == event.start.instant);
}

TEST_CASE("outlook: busy times by getSchedule, and by events where that is refused") {
    for (const bool is_personal : {false, true}) {
        CAPTURE(is_personal);
        Mailbox box;
        if (is_personal)
            box.bed->control("POST", "/accounts/" + std::string(kEve) + "/personal", "{}");
        box.bed->add("Busy", "2026-12-01");
        box.bed->add("Free", "2026-12-02", R"(,"showAs":"free")");
        box.bed->add("Perhaps", "2026-12-03", R"(,"showAs":"tentative")");
        for (const std::string change : {R"("isCancelled":true)", R"("response":"declined")"}) {
            const auto made = box.bed->add("Gone", "2026-12-04");
            box.bed->control(
                "POST", "/accounts/" + std::string(kEve) + "/stage",
                R"({"event":")" + std::string(json::text_of(made, "id")) + "\"," + change + "}");
        }
        box.graph("POST", "/events",
                  R"({"subject":"Fair","isAllDay":true,
                      "start":{"dateTime":"2026-12-05T00:00:00","timeZone":"UTC"},
                      "end":{"dateTime":"2026-12-06T00:00:00","timeZone":"UTC"}})",
                  201);
        const calendar::Window days{*parse_rfc3339("2026-12-01T00:00:00Z"),
                                    *parse_rfc3339("2026-12-10T00:00:00Z")};
        const auto times = box.wait(box.provider->busy(box.access, {"primary"}, days));
        std::string text;
        for (const auto& time : times)
            text += format_rfc3339(time.start) + "/" + format_rfc3339(time.finish) + " ";
        CHECK(text ==
              "2026-12-01T09:00:00Z/2026-12-01T10:00:00Z "
              "2026-12-03T09:00:00Z/2026-12-03T10:00:00Z "
              "2026-12-04T23:00:00Z/2026-12-05T23:00:00Z ");
        CHECK(box.count("GET", "calendarView") == (is_personal ? 1 : 0));
    }
}

TEST_CASE("outlook: a channel is opened, renewed, told of, and closed") {
    Mailbox box;
    const plugin::ChannelRequest request{
        .id = "ch1", .secret = Secret("s3cret"), .url = "https://host.example/hook/outlook"};
    const auto channel = box.wait(box.provider->open_channel(box.access, "primary", request));
    CHECK(channel.id == "ch1");
    CHECK(channel.expires_at > box.bed->time.now() + 6 * 24h);
    box.bed->time.advance(30min);
    const auto renewed =
        box.wait(box.provider->renew_channel(box.access, "primary", request, channel));
    CHECK(renewed.resource == channel.resource);
    CHECK(renewed.expires_at == channel.expires_at + 30min);
    CHECK(box.refused(box.provider->close_channel(box.access, "primary", renewed)) == "ok");
    CHECK(box.refused(box.provider->close_channel(box.access, "primary", renewed)) == "ok");
    CHECK(box.refused(box.provider->renew_channel(box.access, "primary", request, channel))
              .starts_with("not_found"));
}

TEST_CASE("outlook: notifications: the handshake, news, and notices about the channel itself") {
    Mailbox box;
    net::Request request;
    request.method = "POST";
    request.path = "/hook/outlook";
    request.query.add("validationToken", "Validation: Testing & <b>");
    const auto handshake = box.provider->read_notification(request);
    REQUIRE(handshake.has_value());
    REQUIRE(handshake->reply.has_value());
    CHECK(handshake->reply->status == 200);
    CHECK(handshake->reply->body == "Validation: Testing & <b>");
    CHECK(handshake->reply->headers.get("Content-Type") == "text/plain");
    CHECK(handshake->notices.empty());

    net::Request news;
    news.method = "POST";
    news.path = request.path;
    news.body = R"({"value":[
        {"clientState":"ch1.s3cret","changeType":"updated"},
        {"clientState":"ch2.other.part","lifecycleEvent":"missed"},
        {"clientState":"ch3.x","lifecycleEvent":"subscriptionRemoved"},
        {"clientState":"ch4.x","lifecycleEvent":"reauthorizationRequired"},
        {"clientState":null,"changeType":"updated"}]})";
    const auto read = box.provider->read_notification(news);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->reply.has_value());
    REQUIRE(read->notices.size() == 4);
    CHECK(read->notices[0].id == "ch1");
    CHECK(read->notices[0].secret.expose() == "s3cret");
    CHECK(read->notices[0].what == plugin::News::changed);
    CHECK(read->notices[1].secret.expose() == "other.part");
    CHECK(read->notices[1].what == plugin::News::missed);
    CHECK(read->notices[2].what == plugin::News::lost);
    CHECK(read->notices[3].what == plugin::News::expires);
    news.body = "<html>";
    CHECK(outcome_of(box.provider->read_notification(news)).starts_with("invalid"));
    request.query = {};
    request.query.add("validationToken", "a\nb");
    CHECK(outcome_of(box.provider->read_notification(request)).starts_with("invalid"));
}

}  // namespace
