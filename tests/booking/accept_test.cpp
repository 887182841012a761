// Bookings as applications send them.
#include "booking/office.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// "422 start_time, client.email" of an answer.
std::string faults_of(const net::Response& response) {
    std::string text = std::to_string(response.status);
    const auto body = TestHost::body(response);
    if (const auto* errors = json::find(body, "errors"))
        for (const auto& error : errors->as_array())
            text += fmt::format(" {}", json::text_of(error, "field"));
    return text;
}

}  // namespace

TEST_CASE("bookings: what cannot be is refused with its field, and nothing is stored") {
    Office office;
    const auto bob = json::object{{"user_id", office.bob_id}};
    struct Case {
        const char* name;
        json::object changes;
        std::string answer;
    };
    const std::vector<Case> cases{
        {"end before start", {{"end_time", "2026-11-21T09:00:00Z"}}, "422 end_time"},
        {"no time at all", {{"end_time", "2026-11-21T10:00:00Z"}}, "422 end_time"},
        {"past the year 9999",
         {{"start_time", "9999-12-31T23:00:00Z"}, {"end_time", "9999-12-31T23:30:00-01:00"}},
         "422 start_time end_time"},
        {"no such day", {{"start_time", "2026-02-30T10:00:00Z"}}, "422 start_time"},
        {"unknown zone", {{"time_zone", "Mars/Olympus"}}, "422 time_zone"},
        {"a local time without zone",
         {{"time_zone", nullptr}, {"start_time", "2026-11-21T10:00:00"}},
         "422 start_time"},
        {"both people the same", {{"tutor", bob}}, "422 tutor"},
        {"an unknown user", {{"tutor", {{"user_id", "nobody"}}}}, "422 tutor.user_id"},
        {"nobody", {{"tutor", nullptr}}, "422 tutor.user_id"},
        {"two names for one",
         {{"tutor", {{"user_id", "x"}, {"email", "a@b.example"}}}},
         "422 tutor.user_id"},
        {"no address", {{"tutor", {{"email", "ada"}}}}, "422 tutor.email"},
        {"a person who is a text", {{"tutor", "ada"}}, "422 tutor tutor.user_id"},
        {"unknown status", {{"status", "maybe"}}, "422 status"},
        {"a version of nothing", {{"version", 0}}, "422 version"},
        {"a title of 2 KB", {{"title", std::string(2048, 'x')}}, "422 title"},
        {"data of 17 KB", {{"data", {{"x", std::string(17'000, 'x')}}}}, "422 data"},
        {"data that is a list", {{"data", json::array{}}}, "422 data"},
    };
    for (const auto& [name, changes, answer] : cases) {
        CAPTURE(name);
        CHECK(faults_of(office.put(office.lesson(changes))) == answer);
    }
    CHECK(count_in_store(office.host, "SELECT count(*) FROM bookings") == 0);
    CHECK(office.put(office.lesson(), std::string(1024, 'i')).status == 202);
    CHECK(faults_of(office.put(office.lesson(), std::string(1025, 'i'))) == "422 id");
    CHECK(faults_of(office.put(office.lesson(), "a\nb")) == "422 id");
}

TEST_CASE(
    "bookings: a local time that a zone does not have moves forward, the first of two is "
    "taken, and both are said") {
    Office office;
    const auto gap = office.put(office.lesson(
        {{"start_time", "2027-03-28T02:30:00"}, {"end_time", "2027-03-28T04:00:00"}}));
    CHECK(gap.status == 202);
    CHECK(TestHost::body(gap).at("warnings").as_array().size() == 1);
    const auto fold = office.put(
        office.lesson({{"start_time", "2027-10-31T02:30:00"}, {"end_time", "2027-10-31T04:00:00"}}),
        "b2");
    CHECK(TestHost::body(fold).at("warnings").as_array().size() == 1);
    const auto start = [&](const char* id) {
        return TestHost::text(
            office.host.call("GET", std::string("/api/bookings/") + id, office.key), "start_time");
    };
    CHECK(start("b1") == "2027-03-28T01:30:00Z");
    CHECK(start("b2") == "2027-10-31T00:30:00Z");
    const auto plain = office.put(
        office.lesson({{"start_time", "2027-06-01T10:00:00"}, {"end_time", "2027-06-01T11:00:00"}}),
        "b3");
    CHECK_FALSE(TestHost::body(plain).as_object().contains("warnings"));
}

TEST_CASE("bookings: versions settle what comes out of order, and the same one twice is one") {
    Office office;
    office.connect();
    const auto send = [&](std::int64_t version, const char* title) {
        const auto answer = office.book(office.lesson({{"version", version}, {"title", title}}));
        return fmt::format(
            "{} {}", answer.status,
            answer.status < 300 ? TestHost::body(answer).at("version").to_number<int>() : 0);
    };
    CHECK(send(5, "five") == "202 5");
    CHECK(send(5, "five") == "202 5");
    CHECK(send(3, "three") == "200 5");
    CHECK(send(5, "other") == "409 0");
    CHECK(json::text_of(office.ada_sees(), "summary") == "five with Bob");
    CHECK(send(6, "six") == "202 6");
    CHECK(json::text_of(office.ada_sees(), "summary") == "six with Bob");
    CHECK(effects_of(office.host, "events.insert") == 2);

    // Without versions each change is the next one.
    office.book(office.lesson({{"title", "seven"}}));
    CHECK(TestHost::body(office.put(office.lesson({{"title", "seven"}})))
              .at("version")
              .to_number<int>() == 7);
}

TEST_CASE(
    "bookings: applications reach their own bookings and users, people those they take part "
    "in") {
    Office office;
    office.add_application("other");
    const auto stranger = office.add_key("other");
    const auto eve = office.host.sign_up("eve@example.org");
    CHECK(office.put(office.lesson()).status == 202);

    const auto status_for = [&](const net::Headers& who) {
        return office.host.call("GET", "/api/bookings/b1", who).status;
    };
    CHECK(status_for(office.key) == 200);
    CHECK(status_for(office.ada) == 200);
    CHECK(status_for(stranger) == 404);
    CHECK(status_for(eve) == 404);
    CHECK(status_for({}) == 401);

    // The other application does not reach these people, whose ids it learned somewhere.
    const auto reply =
        office.host.call("PUT", "/api/bookings/b1", stranger, json::serialize(office.lesson()));
    CHECK(faults_of(reply) == "422 client.user_id");
    CHECK(office.host.call("PUT", "/api/bookings/b2", office.ada, json::serialize(office.lesson()))
              .status == 403);

    const auto mine = TestHost::body(office.host.call("GET", "/api/bookings/b1", office.ada));
    CHECK(mine.at("client").as_object().contains("user_id"));
    CHECK_FALSE(mine.at("client").as_object().contains("email"));
    CHECK(mine.at("sync").as_array().size() == 1);
}

TEST_CASE("bookings: lists come in pages by start, filtered by time and status") {
    Office office;
    for (int i = 0; i < 9; ++i)
        office.put(office.lesson({{"start_time", fmt::format("2026-12-0{}T10:00:00Z", 9 - i)},
                                  {"end_time", fmt::format("2026-12-0{}T11:00:00Z", 9 - i)},
                                  {"status", i % 3 == 0 ? "cancelled" : "confirmed"}}),
                   fmt::format("b{}", 9 - i));
    const auto ids = [&](std::string query, const net::Headers& who) {
        std::string text, cursor;
        do {
            const auto body = TestHost::body(office.host.call(
                "GET",
                "/api/bookings?limit=2" + query + (cursor.empty() ? "" : "&cursor=" + cursor),
                who));
            for (const auto& row : body.at("bookings").as_array()) text += json::text_of(row, "id");
            cursor = json::text_of(body, "next_cursor");
        } while (!cursor.empty());
        return text;
    };
    CHECK(ids("", office.key) == "b1b2b3b4b5b6b7b8b9");
    CHECK(ids("", office.bob) == "b1b2b3b4b5b6b7b8b9");
    CHECK(ids("&status=cancelled", office.key) == "b3b6b9");
    CHECK(ids("&from=2026-12-03T10:30:00Z&to=2026-12-05T10:00:00Z", office.key) == "b3b4");
    CHECK(ids("", office.host.sign_up("eve@example.org")).empty());
    CHECK(office.host.call("GET", "/api/bookings?cursor=x", office.key).status == 422);
    CHECK(office.host.call("GET", "/api/bookings?limit=0", office.key).status == 422);
    CHECK(office.host.call("GET", "/api/bookings?from=soon", office.key).status == 422);
}
