#include "calendar/zone.h"

#include "calendar/windows_zones.h"
#include "samples.h"

using namespace calhost;
using namespace calhost::calendar;
using namespace calhost::calendar::test;

TEST_CASE("zone: a wall clock becomes the moment that RFC 5545 says, in gaps and overlaps too") {
    struct Row {
        std::string_view local, zone, expected;
    };
    for (const auto& [local, zone, expected] : {
             Row{"2026-03-29T01:59:59", "Europe/Berlin", "2026-03-29T00:59:59Z"},
             Row{"2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00Z"},
             Row{"2026-03-29T03:00:00", "Europe/Berlin", "2026-03-29T01:00:00Z"},
             Row{"2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"},
             Row{"2026-10-25T03:00:00", "Europe/Berlin", "2026-10-25T02:00:00Z"},
             Row{"2026-03-08T02:30:00", "America/New_York", "2026-03-08T07:30:00Z"},
             Row{"2026-11-01T01:30:00", "America/New_York", "2026-11-01T05:30:00Z"},
             Row{"2050-07-01T12:00:00", "Europe/Berlin", "2050-07-01T10:00:00Z"},
             Row{"2026-07-01T12:00:00", "America/Mexico_City", "2026-07-01T18:00:00Z"},
             Row{"2026-07-01T12:00:00", "Asia/Kolkata", "2026-07-01T06:30:00Z"},
             Row{"2026-07-01T12:00:00", "Etc/UTC", "2026-07-01T12:00:00Z"},
             Row{"1900-01-01T12:00:00", "Etc/UTC", "1900-01-01T12:00:00Z"},
         }) {
        const auto instant = to_instant(parse_local(local).value(), zone);
        REQUIRE_MESSAGE(instant.has_value(), local);
        CHECK_MESSAGE(format_rfc3339(*instant) == expected, local);
    }
}

TEST_CASE("zone: a moment has one wall clock, both times of a doubled hour") {
    CHECK(format_local(*to_local(utc("2026-10-25T00:30:00Z"), "Europe/Berlin")) ==
          "2026-10-25T02:30:00");
    CHECK(format_local(*to_local(utc("2026-10-25T01:30:00Z"), "Europe/Berlin")) ==
          "2026-10-25T02:30:00");
    const auto second = make_instant(utc("2026-10-25T01:30:00.250Z"), "Europe/Berlin").value();
    CHECK(second.instant == utc("2026-10-25T01:30:00Z"));
    CHECK(second.zone == "Europe/Berlin");
}

TEST_CASE("zone: only names of the zone database are zones") {
    for (const auto* name : {"Europe/Berlin", "Etc/UTC", "UTC", "Asia/Calcutta", "US/Pacific",
                             "America/Argentina/Buenos_Aires", "Etc/GMT+5"})
        CHECK_MESSAGE(is_zone(name), name);
    for (const auto* name :
         {"", "Europe", "Berlin", "europe/berlin", "W. Europe Standard Time", "../../etc/passwd",
          "/etc/localtime", "right/Europe/Berlin", "posix/Europe/Berlin", "localtime", "zone.tab",
          "Fixed/UTC+01:00:00", "UTC+1"})
        CHECK_MESSAGE(!is_zone(name), name);
    CHECK(make_local({}, "Mars/Olympus").error().code == ErrorCode::invalid);
    CHECK(to_local({}, "Mars/Olympus").error().code == ErrorCode::invalid);
}

TEST_CASE("zone: dates and wall clocks are read and written as they are, nothing else is") {
    for (const auto* text : {"2026-11-20", "0001-01-01", "9999-12-31", "2024-02-29"})
        CHECK(format_date(parse_date(text).value()) == text);
    for (const auto* text : {"2026-11-20T09:00:00", "1969-12-31T23:59:59", "9999-12-31T00:00:01"})
        CHECK(format_local(parse_local(text).value()) == text);
    for (const auto* text : {"", "2026-1-2", "2026-02-29", "0000-01-01", "2026-11-20T", "20261120",
                             "2026/11/20", "2026-11-2x", "-026-11-20"})
        CHECK_MESSAGE(!parse_date(text).has_value(), text);
    for (const auto* text : {"2026-11-20", "2026-11-20 09:00:00", "2026-11-20T24:00:00",
                             "2026-11-20T09:00:60", "2026-11-20T09:00:00Z", "2026-11-20T+9:00:00"})
        CHECK_MESSAGE(!parse_local(text).has_value(), text);
}

TEST_CASE("zone: every IANA name has a Windows name whose clock goes the same") {
    struct Row {
        std::string_view iana, windows;
    };
    for (const auto& row : std::to_array<Row>({{"Europe/Berlin", "W. Europe Standard Time"},
                                               {"Europe/Amsterdam", "W. Europe Standard Time"},
                                               {"Europe/Kyiv", "FLE Standard Time"},
                                               {"Europe/Kiev", "FLE Standard Time"},
                                               {"Asia/Kolkata", "India Standard Time"},
                                               {"Asia/Calcutta", "India Standard Time"},
                                               {"America/Toronto", "Eastern Standard Time"},
                                               {"Etc/UTC", "UTC"},
                                               {"UTC", "UTC"},
                                               {"Nowhere/City", ""},
                                               {"", ""}})) {
        CAPTURE(row.iana);
        CHECK(iana_to_windows(row.iana) == row.windows);
    }
    // ICU's data is from before Almaty moved to +05:00.
    const auto almaty = windows_to_iana(iana_to_windows("Asia/Almaty"));
    const auto noon = *parse_local("2026-11-20T12:00:00");
    CHECK(*to_instant(noon, almaty) == *to_instant(noon, "Asia/Almaty"));
    for (const auto& zone : windows_zones()) {
        CAPTURE(zone.windows);
        CHECK(iana_to_windows(zone.iana) == zone.windows);
    }
}
