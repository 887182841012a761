#include "sandbox/bed.h"

namespace calhost::sandbox {
namespace {

const std::string kEvents = "/calendar/v3/calendars/primary/events";

std::string sync_token(const net::Response& response) {
    return text_of(body_of(response), "nextSyncToken");
}

TEST_CASE("list: pages follow each other and only the last one has a sync token") {
    auto bed = Bed::connected();
    for (const std::string name : {"A", "B", "C", "D", "E"}) bed->add(name, "2026-11-20T12:00:00Z");
    std::string seen;
    std::string page;
    int pages = 0;
    while (true) {
        const auto response = bed->send(
            "GET", kEvents + "?maxResults=2" + (page.empty() ? "" : "&pageToken=" + page));
        seen += items_of(response) + "|";
        page = text_of(body_of(response), "nextPageToken");
        CHECK(page.empty() != sync_token(response).empty());
        if (++pages > 9 || page.empty()) break;
    }
    CHECK(seen == "A B|C D|E|");
    CHECK(bed->send("GET", kEvents + "?q=A&pageToken=nonsense").status == 400);
}

TEST_CASE("list: a page token is only good for its own question") {
    auto bed = Bed::connected();
    for (const std::string name : {"A", "B"}) bed->add(name, "2026-11-20T12:00:00Z");
    const auto page =
        text_of(body_of(bed->send("GET", kEvents + "?maxResults=1")), "nextPageToken");
    CHECK(bed->send("GET", kEvents + "?maxResults=1&singleEvents=true&pageToken=" + page).status ==
          400);
}

TEST_CASE("list: a sync token brings what changed and what was deleted, and then nothing") {
    auto bed = Bed::connected();
    const auto a = bed->add("A", "2026-11-20T12:00:00Z");
    const auto b = bed->add("B", "2026-11-20T13:00:00Z");
    const auto token = sync_token(bed->send("GET", kEvents));
    bed->send("PATCH", kEvents + "/" + a, R"({"summary":"A2"})");
    bed->send("DELETE", kEvents + "/" + b);
    bed->add("C", "2026-11-20T14:00:00Z");
    const auto changes = bed->send("GET", kEvents + "?syncToken=" + token);
    CHECK(items_of(changes) == "A2 -" + b + " C");
    // Google guarantees no more than the id of what is gone.
    CHECK(json::find(body_of(changes).at("items").as_array().at(1), "summary") == nullptr);
    CHECK(items_of(bed->send("GET", kEvents + "?syncToken=" + sync_token(changes))).empty());
}

TEST_CASE("list: what changes while pages are read comes with the next sync") {
    auto bed = Bed::connected();
    const auto a = bed->add("A", "2026-11-20T12:00:00Z");
    bed->add("B", "2026-11-20T12:00:00Z");
    const auto first = body_of(bed->send("GET", kEvents + "?maxResults=1"));
    bed->send("DELETE", kEvents + "/" + a);
    const auto last =
        bed->send("GET", kEvents + "?maxResults=1&pageToken=" + text_of(first, "nextPageToken"));
    CHECK(items_of(last) == "B");
    CHECK(items_of(bed->send("GET", kEvents + "?syncToken=" + sync_token(last))) == "-" + a);
}

TEST_CASE("list: the sync token remembers the time filter of its first run") {
    auto bed = Bed::connected();
    const auto a = bed->add("A", "2026-11-20T12:00:00Z");
    const auto token = sync_token(bed->send("GET", kEvents + "?timeMin=2026-11-20T00:00:00Z"));
    bed->add("Old", "2026-01-01T12:00:00Z");
    bed->add("New", "2026-12-01T12:00:00Z");
    // It was inside: the client must hear that it went.
    bed->send(
        "PATCH", kEvents + "/" + a,
        R"({"start":{"dateTime":"2026-01-02T12:00:00Z"},"end":{"dateTime":"2026-01-02T13:00:00Z"}})");
    CHECK(items_of(bed->send("GET", kEvents + "?syncToken=" + token)) == "New A");
}

TEST_CASE("list: what may not go with a sync token is refused, and an ended token is 410") {
    auto bed = Bed::connected();
    const auto token = sync_token(bed->send("GET", kEvents));
    for (const std::string more :
         {"iCalUID=x", "orderBy=updated", "privateExtendedProperty=a%3Db", "q=x",
          "sharedExtendedProperty=a%3Db", "timeMin=2026-11-20T00:00:00Z",
          "timeMax=2026-11-20T00:00:00Z", "updatedMin=2026-11-20T00:00:00Z", "showDeleted=false",
          "singleEvents=true"}) {
        CAPTURE(more);
        CHECK(bed->send("GET", kEvents + "?syncToken=" + token + "&" + more).status == 400);
    }
    CHECK(bed->send("GET", kEvents + "?maxResults=3&syncToken=" + token).status == 200);
    CHECK(reason_of(bed->send("GET", kEvents + "?syncToken=nonsense")) == "410 fullSyncRequired");
    bed->control("POST", "/expire-sync-tokens");
    CHECK(reason_of(bed->send("GET", kEvents + "?syncToken=" + token)) == "410 fullSyncRequired");
}

TEST_CASE("list: filters") {
    auto bed = Bed::connected();
    bed->add("Early", "2026-11-20T08:00:00Z", R"(,"location":"Berlin")");
    bed->time.advance(milliseconds{1});
    bed->add("Late", "2026-11-25T08:00:00Z",
             R"(,"extendedProperties":{"private":{"k":"v"},"shared":{"s":"t"}})");
    bed->time.advance(milliseconds{1});
    bed->add("Series", "2026-11-19T10:00:00Z", R"(,"recurrence":["RRULE:FREQ=DAILY;COUNT=3"])");
    const struct {
        std::string query, items;
    } cases[] = {
        {"timeMin=2026-11-20T09:00:00Z",
         "Late Series"},  // the lower bound is on the end, exclusive
        {"timeMin=2026-11-20T08:59:59Z", "Early Late Series"},
        {"timeMax=2026-11-20T08:00:00Z", "Series"},
        {"timeMin=2026-11-25T00:00:00Z", "Late"},
        {"q=berlin", "Early"},
        {"privateExtendedProperty=k%3Dv", "Late"},
        {"privateExtendedProperty=k%3Dw", ""},
        {"sharedExtendedProperty=s%3Dt", "Late"},
        {"eventTypes=focusTime", ""},
        {"singleEvents=true&orderBy=startTime", "Series Early Series Series Late"},
        {"singleEvents=true&orderBy=startTime&timeMin=2026-11-20T09:00:00Z&timeMax=2026-11-21T00:"
         "00:00Z",
         "Series"},
        {"orderBy=updated", "Early Late Series"},
    };
    for (const auto& [query, items] : cases) {
        CAPTURE(query);
        CHECK(items_of(bed->send("GET", kEvents + "?" + query)) == items);
    }
    const struct {
        std::string query, reason;
    } wrong[] = {
        {"maxResults=0", "400 invalid"},
        {"orderBy=startTime", "400 badRequest"},
        {"timeMin=2026-11-20T00:00:00", "400 badRequest"},
        {"timeMin=2026-11-20T00:00:00Z&timeMax=2026-11-20T00:00:00Z", "400 timeRangeEmpty"},
        {"updatedMin=2020-01-01T00:00:00Z", "410 updatedMinTooLongAgo"},
        {"timeZone=Mars/Base", "400 invalid"},
    };
    for (const auto& [query, reason] : wrong) {
        CAPTURE(query);
        CHECK(reason_of(bed->send("GET", kEvents + "?" + query)) == reason);
    }
}

TEST_CASE("list: ordered pages go on behind the last item") {
    auto bed = Bed::connected();
    bed->add("S", "2026-11-20T10:00:00Z", R"(,"recurrence":["RRULE:FREQ=DAILY;COUNT=5"])");
    bed->add("A", "2026-11-21T09:00:00Z");
    const std::string question = kEvents + "?singleEvents=true&orderBy=startTime&maxResults=4";
    const auto first = bed->send("GET", question);
    CHECK(items_of(first) == "S A S S");
    const auto page = text_of(body_of(first), "nextPageToken");
    CHECK(items_of(bed->send("GET", question + "&pageToken=" + page)) == "S S");
}

TEST_CASE("list: an incremental sync of occurrences brings those of a changed series") {
    auto bed = Bed::connected();
    const auto id =
        bed->add("S", "2026-11-20T10:00:00Z", R"(,"recurrence":["RRULE:FREQ=DAILY;COUNT=3"])");
    const auto token = sync_token(bed->send("GET", kEvents + "?singleEvents=true"));
    bed->send("DELETE", kEvents + "/" + id + "_20261121T100000Z");
    CHECK(items_of(bed->send("GET", kEvents + "?singleEvents=true&syncToken=" + token)) ==
          "-" + id + "_20261121T100000Z");
}

TEST_CASE("calendars: the list pages, syncs and names what the account has") {
    auto bed = Bed::connected();
    bed->control("POST", "/accounts/ada@example.com/calendars",
                 R"({"id":"holidays@x.example","access_role":"reader"})");
    const std::string list = "/calendar/v3/users/me/calendarList";
    const auto all = body_of(bed->send("GET", list));
    REQUIRE(all.at("items").as_array().size() == 2);
    CHECK(all.at("items").at(0).at("primary").as_bool());
    CHECK(text_of(all.at("items").at(0), "timeZone") == "Europe/Berlin");
    CHECK(body_of(bed->send("GET", list + "?minAccessRole=writer")).at("items").as_array().size() ==
          1);
    const auto token = text_of(all, "nextSyncToken");
    CHECK(body_of(bed->send("GET", list + "?syncToken=" + token)).at("items").as_array().empty());
    bed->control("DELETE", "/accounts/ada@example.com/calendars/holidays@x.example");
    const auto changed = body_of(bed->send("GET", list + "?syncToken=" + token));
    CHECK(changed.at("items").at(0).at("deleted").as_bool());
    CHECK(reason_of(bed->send("GET", list + "?syncToken=x")) == "410 fullSyncRequired");
    CHECK(text_of(body_of(bed->send("GET", "/calendar/v3/users/me/settings/timezone")), "value") ==
          "Europe/Berlin");
}

TEST_CASE("calendars: a reader may not write") {
    auto bed = Bed::connected();
    bed->control("POST", "/accounts/ada@example.com/calendars",
                 R"({"id":"holidays@x.example","access_role":"reader"})");
    CHECK(reason_of(bed->send("POST", "/calendar/v3/calendars/holidays@x.example/events", "{}")) ==
          "403 requiredAccessLevel");
}

}  // namespace
}  // namespace calhost::sandbox
