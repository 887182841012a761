#include "sandbox/graph_bed.h"

namespace calhost::sandbox::graph_test {
namespace {

constexpr std::string_view kView =
    "/v1.0/me/calendarView?startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-03-01T00:00:00Z"
    "&$top=100";

std::string starts(GraphBed& bed) {
    std::string text;
    for (const auto& item : bed.ask("GET", std::string(kView)).at("value").as_array())
        text += (text.empty() ? "" : " ") +
                std::string(json::text_of(item.at("start"), "dateTime")).substr(5, 11);
    return text;
}

TEST_CASE("graph events: one is made, read, changed under its etag and deleted once") {
    auto bed = GraphBed::connected();
    const auto made = bed->add("Tea", "2026-11-23");
    CHECK(text_of(made, "type") == "singleInstance");
    CHECK(json::text_of(made.at("start"), "dateTime") == "2026-11-23T09:00:00.0000000");
    CHECK(text_of(made, "originalStartTimeZone") == "W. Europe Standard Time");
    CHECK(made.at("isReminderOn").as_bool());
    const auto path = "/v1.0/me/events/" + text_of(made, "id");
    bed->headers.set("If-Match", text_of(made, "@odata.etag"));
    const auto changed = bed->ask("PATCH", path, R"({"subject":"Coffee","showAs":"oof"})");
    CHECK(text_of(changed, "subject") == "Coffee");
    CHECK(bed->refused("PATCH", path, R"({"subject":"Beer"})") == "412 ErrorIrresolvableConflict");
    CHECK(bed->refused("DELETE", path) == "412 ErrorIrresolvableConflict");
    bed->headers.remove("If-Match");
    CHECK(bed->send("DELETE", path).status == 204);
    CHECK(bed->refused("DELETE", path) == "404 ErrorItemNotFound");
}

TEST_CASE("graph events: a transactionId makes one event, whatever is sent again") {
    auto bed = GraphBed::connected();
    const auto body =
        GraphBed::event("Tea", "2026-11-23", "10:00", "11:00", R"(,"transactionId":"t-1")");
    const auto made = bed->ask("POST", "/v1.0/me/events", body, 201);
    CHECK(bed->refused("POST", "/v1.0/me/events", body) == "409 ErrorDuplicateTransactionId");
    CHECK(bed->refused("PATCH", "/v1.0/me/events/" + text_of(made, "id"),
                       R"({"transactionId":"t-2"})") == "400 ErrorPropertyValidationFailure");
    CHECK(GraphBed::subjects(bed->ask("GET", "/v1.0/me/events")) == "Tea");
}

TEST_CASE("graph events: a body that does not hold is refused") {
    auto bed = GraphBed::connected();
    const auto post = [&](std::string body) {
        return bed->refused("POST", "/v1.0/me/events", body);
    };
    const auto with = [&](std::string_view more) {
        return post(GraphBed::event("Tea", "2026-11-23", "10:00", "11:00", more));
    };
    CHECK(post("[]") == "400 RequestBodyRead");
    CHECK(post(R"({"subject":"x"})") == "400 ErrorPropertyValidationFailure");
    CHECK(post(GraphBed::event("Tea", "2026-11-23", "11:00", "10:00")) ==
          "400 ErrorPropertyValidationFailure");
    CHECK(with(R"(,"colour":"red")") == "400 RequestBodyRead");
    CHECK(with(R"(,"showAs":"away")") == "400 ErrorPropertyValidationFailure");
    CHECK(with(R"(,"isAllDay":true)") == "400 ErrorPropertyValidationFailure");
    CHECK(with(R"(,"singleValueExtendedProperties":[{"id":"x","value":"y"}])") ==
          "400 ErrorInvalidProperty");
    CHECK(post(R"({"start":{"dateTime":"2026-11-23T10:00:00","timeZone":"Europe/Amsterdam"},)"
               R"("end":{"dateTime":"2026-11-23T10:00:00","timeZone":"UTC"}})") ==
          "400 TimeZoneNotSupportedException");
    CHECK(post(R"({"start":{"dateTime":"2026-11-23T10:00:00+01:00","timeZone":"UTC"},)"
               R"("end":{"dateTime":"2026-11-23T10:00:00","timeZone":"UTC"}})") ==
          "400 ErrorPropertyValidationFailure");
}

TEST_CASE("graph events: an all-day event is midnight in whatever zone it is read") {
    auto bed = GraphBed::connected();
    CHECK(bed->refused(
              "POST", "/v1.0/me/events",
              GraphBed::event("Day", "2026-11-23", "00:00", "00:00", R"(,"isAllDay":true)")) ==
          "400 ErrorPropertyValidationFailure");
    const auto made = bed->ask(
        "POST", "/v1.0/me/events",
        R"({"subject":"Day","isAllDay":true,)"
        R"("start":{"dateTime":"2026-11-23T00:00:00","timeZone":"W. Europe Standard Time"},)"
        R"("end":{"dateTime":"2026-11-24T00:00:00","timeZone":"W. Europe Standard Time"}})",
        201);
    bed->headers.set("Prefer", R"(outlook.timezone="Tokyo Standard Time")");
    const auto response = bed->send("GET", "/v1.0/me/events/" + text_of(made, "id"));
    const auto read = json::parse(response.body)->as_object();
    CHECK(json::text_of(read.at("start"), "dateTime") == "2026-11-23T00:00:00.0000000");
    CHECK(json::text_of(read.at("start"), "timeZone") == "Tokyo Standard Time");
    CHECK(response.headers.get("Preference-Applied") ==
          R"(outlook.timezone="Tokyo Standard Time")");
    bed->headers.set("Prefer", R"(outlook.timezone="Europe/Nowhere")");
    CHECK(bed->refused("GET", "/v1.0/me/events") == "400 TimeZoneNotSupportedException");
}

TEST_CASE("graph events: an own mark is found again, and shown only when asked for") {
    auto bed = GraphBed::connected();
    const auto made = bed->add("Tea", "2026-11-23",
                               R"(,"singleValueExtendedProperties":[{"id":")" + std::string(kMark) +
                                   R"(","value":"it's 1"}])");
    bed->add("Other", "2026-11-24");
    CHECK_FALSE(made.contains("singleValueExtendedProperties"));
    net::Query query;
    query.add("$filter", "singleValueExtendedProperties/Any(ep: ep/id eq '" + std::string(kMark) +
                             "' and ep/value eq 'it''s 1')");
    query.add("$expand",
              "singleValueExtendedProperties($filter=id eq '" + std::string(kMark) + "')");
    const auto found = bed->ask("GET", "/v1.0/me/events?" + query.to_string());
    REQUIRE(GraphBed::subjects(found) == "Tea");
    CHECK(json::text_of(found.at("value").at(0).at("singleValueExtendedProperties").at(0),
                        "value") == "it's 1");
    CHECK(bed->refused("GET", "/v1.0/me/events?$filter=nonsense") ==
          "400 ErrorInvalidUrlQueryFilter");
}

TEST_CASE("graph events: an immutable id is another one, and both are taken") {
    auto bed = GraphBed::connected();
    const auto id = text_of(bed->add("Tea", "2026-11-23"), "id");
    bed->headers.set("Prefer", R"(outlook.timezone="UTC", IdType="ImmutableId")");
    const auto immutable = text_of(bed->ask("GET", "/v1.0/me/events/" + id), "id");
    CHECK(immutable != id);
    CHECK(text_of(bed->ask("GET", "/v1.0/me/events/" + immutable), "id") == immutable);
    CHECK(bed->refused("GET", "/v1.0/me/events/nonsense") == "400 ErrorInvalidIdMalformed");
}

TEST_CASE("graph events: every pattern recurs as Outlook says") {
    const struct {
        std::string_view day, pattern, range, expected;
    } cases[] = {
        {"2026-11-23", R"("type":"daily","interval":2)",
         R"("type":"numbered","startDate":"2026-11-23","numberOfOccurrences":3)",
         "11-23T09:00 11-25T09:00 11-27T09:00"},
        {"2026-11-23",
         R"("type":"weekly","interval":1,"daysOfWeek":["monday","friday"],"firstDayOfWeek":"monday")",
         R"("type":"endDate","startDate":"2026-11-23","endDate":"2026-11-30")",
         "11-23T09:00 11-27T09:00 11-30T09:00"},
        {"2026-12-31", R"("type":"absoluteMonthly","interval":1,"dayOfMonth":31)",
         R"("type":"numbered","startDate":"2026-12-31","numberOfOccurrences":3)",
         "12-31T09:00 01-31T09:00 02-28T09:00"},
        {"2026-11-24",
         R"("type":"relativeMonthly","interval":1,"daysOfWeek":["tuesday"],"index":"last")",
         R"("type":"numbered","startDate":"2026-11-24","numberOfOccurrences":2)",
         "11-24T09:00 12-29T09:00"},
        {"2026-11-26",
         R"("type":"relativeYearly","interval":1,"month":11,"daysOfWeek":["thursday"],"index":"fourth")",
         R"("type":"noEnd","startDate":"2026-11-26")", "11-26T09:00"},
        {"2026-12-24", R"("type":"absoluteYearly","interval":1,"month":12,"dayOfMonth":24)",
         R"("type":"noEnd","startDate":"2026-12-24")", "12-24T09:00"},
    };
    for (const auto& [day, pattern, range, expected] : cases) {
        CAPTURE(pattern);
        auto bed = GraphBed::connected();
        const auto made = bed->add("S", day, series(pattern, range));
        CHECK(text_of(made, "type") == "seriesMaster");
        CHECK(starts(*bed) == expected);
    }
}

TEST_CASE("graph events: a recurrence that does not fit is refused") {
    const struct {
        std::string_view pattern, range;
    } cases[] = {
        {R"("type":"hourly","interval":1)", R"("type":"noEnd","startDate":"2026-11-23")"},
        {R"("type":"daily","interval":0)", R"("type":"noEnd","startDate":"2026-11-23")"},
        {R"("type":"daily","interval":1)", R"("type":"noEnd","startDate":"2026-11-24")"},
        {R"("type":"weekly","interval":1)", R"("type":"noEnd","startDate":"2026-11-23")"},
        {R"("type":"weekly","interval":1,"daysOfWeek":["friday"])",
         R"("type":"noEnd","startDate":"2026-11-23")"},
        {R"("type":"daily","interval":1)",
         R"("type":"endDate","startDate":"2026-11-23","endDate":"2026-11-22")"},
    };
    auto bed = GraphBed::connected();
    for (const auto& [pattern, range] : cases) {
        CAPTURE(pattern);
        CHECK(bed->refused(
                  "POST", "/v1.0/me/events",
                  GraphBed::event("S", "2026-11-23", "10:00", "11:00", series(pattern, range))) ==
              "400 ErrorPropertyValidationFailure");
    }
}

TEST_CASE("graph events: one occurrence is moved, another cancelled, and a new rule undoes both") {
    auto bed = GraphBed::connected();
    const auto daily = [](int count) {
        return series(R"("type":"daily","interval":1)",
                      R"("type":"numbered","startDate":"2026-11-23","numberOfOccurrences":)" +
                          std::to_string(count));
    };
    const auto master = "/v1.0/me/events/" + text_of(bed->add("S", "2026-11-23", daily(3)), "id");
    const auto slots = bed->ask("GET", std::string(kView)).at("value").as_array();
    REQUIRE(slots.size() == 3);
    const auto path_of = [&](std::size_t i) {
        return "/v1.0/me/events/" + std::string(json::text_of(slots[i], "id"));
    };
    const auto moved =
        bed->ask("PATCH", path_of(1), GraphBed::event("Moved", "2026-11-24", "12:00", "13:00"));
    CHECK(text_of(moved, "type") == "exception");
    CHECK(text_of(moved, "originalStart") == "2026-11-24T09:00:00Z");
    CHECK(bed->send("DELETE", path_of(2)).status == 204);
    CHECK(starts(*bed) == "11-23T09:00 11-24T11:00");
    const auto read = bed->ask("GET", master + "?$select=subject,cancelledOccurrences");
    REQUIRE(read.at("cancelledOccurrences").as_array().size() == 1);
    CHECK(std::string_view(read.at("cancelledOccurrences").at(0).as_string())
              .ends_with(".2026-11-25"));
    CHECK_FALSE(read.contains("showAs"));
    bed->ask("PATCH", master, "{" + daily(4).substr(1) + "}");
    CHECK(starts(*bed) == "11-23T09:00 11-24T09:00 11-25T09:00 11-26T09:00");
}

TEST_CASE("graph events: an exception shares what it did not change, and goes with its series") {
    auto bed = GraphBed::connected();
    const auto master =
        "/v1.0/me/events/" +
        text_of(
            bed->add(
                "S", "2026-11-23",
                series(R"("type":"daily","interval":1)",
                       R"("type":"numbered","startDate":"2026-11-23","numberOfOccurrences":3)")),
            "id");
    const auto slots = bed->ask("GET", std::string(kView)).at("value").as_array();
    const auto path_of = [&](std::size_t i) {
        return "/v1.0/me/events/" + std::string(json::text_of(slots.at(i), "id"));
    };
    std::string last;
    const auto is_touched = [&] {
        const auto now = text_of(bed->ask("GET", master), "lastModifiedDateTime");
        bed->time.advance(std::chrono::minutes{1});
        return std::exchange(last, now) != now;
    };
    is_touched();
    CHECK_FALSE(is_touched());
    const auto moved = text_of(
        bed->ask("PATCH", path_of(1), GraphBed::event("Moved", "2026-11-24", "12:00", "13:00")),
        "id");
    CHECK(is_touched());
    CHECK(bed->send("DELETE", path_of(2)).status == 204);
    CHECK(is_touched());
    bed->ask("PATCH", master, R"({"subject":"Renamed","showAs":"free"})");
    const auto exception = bed->ask("GET", "/v1.0/me/events/" + moved);
    CHECK(text_of(exception, "subject") == "Moved");
    CHECK(text_of(exception, "showAs") == "free");
    // A list of events has the series, never its exceptions.
    CHECK(GraphBed::subjects(bed->ask("GET", "/v1.0/me/events")) == "Renamed");
    CHECK(bed->send("DELETE", master).status == 204);
    CHECK(starts(*bed).empty());
    CHECK(bed->refused("GET", "/v1.0/me/events/" + moved) == "404 ErrorItemNotFound");
}

TEST_CASE("graph events: only a series has instances") {
    auto bed = GraphBed::connected();
    const auto tea = "/v1.0/me/events/" + text_of(bed->add("Tea", "2026-11-23"), "id");
    CHECK(bed->refused("GET", tea + "/instances?startDateTime=2026-11-01T00:00:00Z"
                                    "&endDateTime=2026-12-01T00:00:00Z") ==
          "400 ErrorInvalidRequest");
}

TEST_CASE("graph events: pages follow their links to the end") {
    auto bed = GraphBed::connected();
    for (int i = 10; i < 25; ++i) bed->add("E" + std::to_string(i), "2026-12-" + std::to_string(i));
    auto page = bed->ask("GET", "/v1.0/me/events?$orderby=start/dateTime");
    CHECK(page.at("value").as_array().size() == 10);
    page = bed->ask("GET", text_of(page, "@odata.nextLink"));
    CHECK(GraphBed::subjects(page) == "E20 E21 E22 E23 E24");
    CHECK_FALSE(page.contains("@odata.nextLink"));
}

}  // namespace
}  // namespace calhost::sandbox::graph_test
