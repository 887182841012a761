// Bookings in the calendars of both people.
#include "booking/office.h"

using namespace calhost;
using namespace calhost::test;

TEST_CASE("a confirmed booking is in both calendars with title, time, duration, reminders") {
    Office office;
    office.connect();
    const auto answer = office.book(office.lesson());
    CHECK(answer.status == 202);
    CHECK(office.states() == "client synced, tutor synced");
    const auto seen = office.ada_sees();
    CHECK(json::text_of(seen, "summary") == "Algebra with Bob");
    CHECK(json::text_of(office.bob_sees(), "summary") == "Algebra with Ada");
    CHECK(json::text_of(seen.at("start"), "dateTime") == "2026-11-21T11:00:00+01:00");
    CHECK(json::text_of(seen.at("end"), "dateTime") == "2026-11-21T12:00:00+01:00");
    std::string reminders;
    for (const auto& reminder : seen.at("reminders").at("overrides").as_array())
        reminders += fmt::format("{} {}, ", json::text_of(reminder, "method"),
                                 reminder.at("minutes").to_number<int>());
    CHECK(reminders == "email 1440, popup 60, popup 15, ");
    CHECK_FALSE(seen.as_object().contains("attendees"));
    CHECK(office.live(kAda) == 1);
    CHECK(office.live(kBob) == 1);
}

TEST_CASE(
    "bookings: guests that a rule sets are written without a mail, beside those of the person") {
    Office office({.rules = std::vector<plugin::RuleSource>{
                       {"guests.lua", R"(rule:on("booking.event", function(event, booking, person)
        if person.role == "tutor" and booking.title ~= "Alone" then
          event.attendees = { { email = "Guest@example.org", name = "For " .. booking.title } }
        end
        return event
      end))"}}});
    auto& host = office.host;
    const auto guests = [&] {
        std::string text;
        const auto seen = office.ada_sees();
        if (const auto* list = json::find(seen, "attendees"))
            for (const auto& guest : list->as_array())
                text += fmt::format("{} '{}' {}, ", json::text_of(guest, "email"),
                                    json::text_of(guest, "displayName"),
                                    json::text_of(guest, "responseStatus"));
        return text;
    };
    office.connect();
    office.book(office.lesson());
    CHECK(guests() == "Guest@example.org 'For Algebra' needsAction, ");
    CHECK_FALSE(office.bob_sees().as_object().contains("attendees"));

    const auto id = text_in_store(
        host, "SELECT external_id FROM booking_events WHERE user_id = '" + office.ada_id + "'");
    control(host, "PATCH", "/accounts/" + kAda + "/events/" + id,
            {{"attendees",
              json::array{{{"email", "guest@example.org"}, {"responseStatus", "accepted"}},
                          {{"email", "friend@example.org"}, {"responseStatus", "accepted"}}}}});
    office.book(office.lesson({{"title", "Geometry"}}));
    CHECK(guests() ==
          "guest@example.org 'For Geometry' accepted, friend@example.org '' accepted, ");
    office.book(office.lesson({{"title", "Alone"}}));
    CHECK(guests() == "friend@example.org '' accepted, ");
    CHECK(effects_of(host, "mail") == 0);
}

TEST_CASE("a reschedule moves it") {
    Office office;
    office.connect();
    office.book(office.lesson());
    office.book(office.lesson(
        {{"start_time", "2026-11-22T15:00:00Z"}, {"end_time", "2026-11-22T16:30:00Z"}}));
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(json::text_of(office.ada_sees().at("start"), "dateTime") == "2026-11-22T16:00:00+01:00");
    CHECK(json::text_of(office.bob_sees().at("end"), "dateTime") == "2026-11-22T11:30:00-05:00");
    CHECK(office.live(kAda) == 1);
    CHECK(effects_of(office.host, "events.insert") == 2);
}

TEST_CASE("a cancellation removes it") {
    Office office;
    office.connect();
    office.book(office.lesson());
    office.book(office.lesson({{"status", "cancelled"}}));
    CHECK(office.states() == "client removed, tutor removed");
    CHECK(office.live(kAda) == 0);
    CHECK(office.live(kBob) == 0);

    office.book(office.lesson());
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(office.live(kAda) == 1);
    CHECK(office.live(kBob) == 1);
}

TEST_CASE("bookings: pending ones are in no calendar, completed ones stay where they are") {
    Office office;
    office.connect();
    office.book(office.lesson({{"status", "pending"}}));
    CHECK(office.states().empty());
    CHECK(office.live(kAda) == 0);
    office.book(office.lesson());
    office.book(office.lesson({{"status", "completed"}}));
    CHECK(office.live(kAda) == 1);
    office.book(office.lesson({{"status", "completed"}}), "b2");
    CHECK(office.live(kAda) == 1);
}

TEST_CASE("bulk sync brings existing confirmed bookings") {
    Office office;
    for (int i = 0; i < 30; ++i) office.put(office.lesson(), fmt::format("b{}", i));
    office.put(office.lesson({{"status", "cancelled"}}), "no");
    office.put(office.lesson(
                   {{"start_time", "2026-11-01T10:00:00Z"}, {"end_time", "2026-11-01T11:00:00Z"}}),
               "past");
    CHECK(office.states("b1") == "client not_connected, tutor not_connected");
    office.host.connect(office.ada, kAda);
    office.rest();
    CHECK(office.live(kAda) == 30);
    CHECK(office.states("b1") == "client not_connected, tutor synced");

    const auto again = office.host.call("POST", "/api/bookings/sync", office.ada);
    CHECK(again.status == 202);
    CHECK(TestHost::body(again).at("bookings").to_number<int>() == 30);
    office.rest();
    CHECK(office.live(kAda) == 30);
    CHECK(effects_of(office.host, "events.insert") == 30);
    CHECK(effects_of(office.host, "events.patch") + effects_of(office.host, "events.update") == 0);
}

TEST_CASE(
    "bookings: what the person changed stays, what the host changes comes, the time is the "
    "host's") {
    Office office;
    office.connect();
    office.book(office.lesson());
    const std::string id(json::text_of(office.ada_sees(), "id"));
    control(office.host, "PATCH", "/accounts/" + kAda + "/events/" + id,
            {{"summary", "Maths!"},
             {"colorId", "5"},
             {"start", {{"dateTime", "2026-11-21T12:00:00Z"}}},
             {"end", {{"dateTime", "2026-11-21T13:00:00Z"}}}});
    office.book(office.lesson({{"location", "Room 5"}}));
    const auto seen = office.ada_sees();
    CHECK(json::text_of(seen, "summary") == "Maths!");
    CHECK(json::text_of(seen, "colorId") == "5");
    CHECK(json::text_of(seen, "location") == "Room 5");
    CHECK(json::text_of(seen.at("start"), "dateTime") == "2026-11-21T11:00:00+01:00");

    office.book(office.lesson({{"title", "Geometry"}, {"location", "Room 5"}}));
    CHECK(json::text_of(office.ada_sees(), "summary") == "Geometry with Bob");
}

TEST_CASE(
    "bookings: an event that its person deleted stays away, or comes back where a rule says "
    "so") {
    for (const auto& [is_restored, is_seen_by_sync] :
         {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
        CAPTURE(is_restored);
        CAPTURE(is_seen_by_sync);
        Office office({.rules = std::vector<plugin::RuleSource>{
                           {"deleted.lua",
                            fmt::format("rule:on('booking.deleted', function() return '{}' end)",
                                        is_restored ? "restore" : "respect")}}});
        office.connect();
        office.book(office.lesson());
        const std::string id(json::text_of(office.ada_sees(), "id"));
        control(office.host, "DELETE", "/accounts/" + kAda + "/events/" + id);
        if (is_seen_by_sync)
            REQUIRE(sync_now(office.host, office.ada).status == 200);
        else
            office.put(office.lesson({{"location", "Room 5"}}));
        office.rest();
        CHECK(office.live(kAda) == (is_restored ? 1 : 0));
        CHECK(office.states() == (is_restored ? "client synced, tutor synced"
                                              : "client synced, tutor deleted_by_person"));
        office.book(office.lesson({{"status", "cancelled"}}));
        CHECK(office.live(kAda) == 0);
        CHECK(office.live(kBob) == 0);
    }
}

TEST_CASE("bookings: a deletion is also seen when everything is read anew") {
    Office office;
    office.connect();
    office.book(office.lesson(), "deleted");
    office.book(office.lesson(), "stays");
    const std::string id(json::text_of(office.ada_sees("deleted"), "id"));
    control(office.host, "DELETE", "/accounts/" + kAda + "/events/" + id);
    control(office.host, "POST", "/expire-sync-tokens");
    REQUIRE(sync_now(office.host, office.ada).status == 200);
    office.rest();
    CHECK(office.states("deleted") == "client synced, tutor deleted_by_person");
    CHECK(office.states("stays") == "client synced, tutor synced");
    CHECK(effects_of(office.host, "events.insert") == 4);
}

TEST_CASE(
    "bookings: the filter rule says which of a person's calendars, else the one that takes "
    "them") {
    Office office({.rules = std::vector<plugin::RuleSource>{
                       {"filter.lua",
                        "rule:on('booking.filter', function(booking, person, calendar)"
                        " if person.role == 'client' then return false end end)"}}});
    office.connect();
    office.host.connect(office.ada, "bob@gmail.example", "?account=second");
    office.rest();
    office.book(office.lesson());
    CHECK(office.live(kAda) == 1);
    CHECK(office.live(kBob) == 0);

    std::string second;
    const auto rows =
        TestHost::body(office.host.call("GET", "/api/calendar/connections", office.ada));
    for (const auto& row : rows.at("connections").as_array())
        if (json::text_of(row, "account") == "second") second = json::text_of(row, "id");
    net::Headers who = office.ada;
    who.set("Content-Type", "application/json");
    CHECK(
        office.host
            .call("PATCH", "/api/calendar/connections/" + second, who, R"({"takes_bookings":true})")
            .status == 200);
    office.rest();
    CHECK(office.live(kAda) == 0);
    CHECK(office.live(kBob) == 1);
}

TEST_CASE("bookings: people who are not known yet wait, and are bound by a verified address only") {
    Office office;
    office.host.connect(office.ada, kAda);
    auto booking = office.lesson();
    booking["tutor"] = {{"email", "ADA@example.org"}, {"name", "Ada"}};
    office.book(booking);
    CHECK(office.states() == "client not_connected, tutor waiting");
    CHECK(office.live(kAda) == 0);
    change_store(office.host,
                 "UPDATE users SET is_email_verified = 1 WHERE id = '" + office.ada_id + "'");
    office.host.call("POST", "/api/bookings/sync", office.ada);
    office.rest();
    CHECK(office.states() == "client not_connected, tutor synced");
    CHECK(office.live(kAda) == 1);
    CHECK(office.put(booking).status == 202);
}

TEST_CASE("bookings: a person who is replaced loses the event, the new one gets it") {
    Office office;
    office.connect();
    const auto eve = office.host.sign_up("eve@example.org");
    const auto eve_id = TestHost::text(office.host.call("GET", "/auth/me", eve), "id");
    office.book(office.lesson());
    office.book(office.lesson({{"client", {{"user_id", eve_id}, {"name", "Eve"}}}}));
    CHECK(office.live(kBob) == 0);
    CHECK(json::text_of(office.ada_sees(), "summary") == "Algebra with Eve");
}
