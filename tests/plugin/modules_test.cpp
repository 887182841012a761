// What host.event, host.crypto, host.html and host.recurrence give to scripts.
#include "plugin/bench.h"
#include "plugin/reminders.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// The value of a Lua expression, as text.
std::string value_of(const std::string& expression) {
    Bench bench(R"(local crypto, html = require("host.crypto"), require("host.html")
        local recurrence = require("host.recurrence")
        local function show(value)
          if type(value) ~= "table" then return tostring(value) end
          return json.encode(value)
        end
        function M.identity(ctx) return { id = show()" +
                expression + ") } end");
    const auto identity = bench.identity();
    return identity ? identity->id : outcome_of(identity);
}

TEST_CASE("modules: hashes come in the form that is asked for") {
    CHECK(value_of("crypto.sha256('abc')") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(value_of("crypto.sha256('abc', 'hex')") == value_of("crypto.sha256('abc')"));
    CHECK(value_of("crypto.sha256('abc', 'base32hex')") ==
          "n9s1dfsf077ukga183f5rbh24eo06od3iobnl75k23vm3sg02mmg");
    CHECK(value_of("crypto.sha256('abc', 'base64url')") ==
          "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    CHECK(value_of("crypto.sha256('abc', 'base7')").starts_with("invalid_response"));
    CHECK(value_of("crypto.hmac_sha256('k', 'abc', 'base32hex')").size() == 52);
}

// RFC 4648 section 10, without the padding.
TEST_CASE("modules: base32hex is that of RFC 4648") {
    struct Case {
        std::string text, coded;
    };
    for (const auto& row : std::vector<Case>{{"", ""},
                                             {"f", "co"},
                                             {"fo", "cpng"},
                                             {"foo", "cpnmu"},
                                             {"foob", "cpnmuog"},
                                             {"fooba", "cpnmuoj1"},
                                             {"foobar", "cpnmuoj1e8"}})
        CHECK(value_of("crypto.base32hex('" + row.text + "')") ==
              (row.coded.empty() ? value_of("''") : row.coded));
}

TEST_CASE("modules: HTML that is only a text is told as one") {
    struct Case {
        std::string html, text;
    };
    for (const auto& row : std::vector<Case>{
             {"a &lt; b &amp;&amp; c<br>d<br/>e&nbsp;&#39;f&#39;", "a < b && c\nd\ne 'f'"},
             {"1 < 2 & 3", "1 < 2 & 3"},
             {"&copy; stays", "&copy; stays"},
             {"&amp;lt;", "&lt;"},
             {"<b>bold</b>", "nil"},
             {"a</p>", "nil"},
             {"<!-- -->", "nil"},
             {"<", "<"}})
        CHECK(value_of("html.text([[" + row.html + "]])") == row.text);
    const std::string text = "a < b & \"c\" 'd'\n<i>x</i> &amp; y";
    CHECK(value_of("html.text(html.from_text([[" + text + "]]))") == text);
}

TEST_CASE("modules: recurrence lines are written as they are read") {
    CHECK(value_of("event.lines(event.recurrence({ 'RRULE:FREQ=DAILY', "
                   "'EXDATE;TZID=Europe/Berlin:20261121T090000' }, 'Europe/Berlin'))") ==
          R"(["RRULE:FREQ=DAILY","EXDATE:20261121T080000Z"])");
    CHECK(value_of("event.lines({})") == "[]");
    CHECK(value_of("event.lines(7)").starts_with("nil"));
}

TEST_CASE("modules: a rule is told in its parts, and written from them") {
    const auto part = [](const std::string& rule, const std::string& member) {
        return value_of("recurrence.parse('" + rule + "', event.wall('2026-11-27T12:00:00', " +
                        "'Europe/Berlin'))" + member);
    };
    CHECK(part("FREQ=WEEKLY;INTERVAL=2", ".freq") == "weekly");
    CHECK(part("FREQ=WEEKLY;INTERVAL=2", ".interval") == "2");
    CHECK(part("FREQ=WEEKLY", ".by_day") == R"([{"day":"friday"}])");
    CHECK(part("FREQ=MONTHLY;BYDAY=-1FR", ".by_day[1].nth") == "-1");
    CHECK(part("FREQ=MONTHLY;BYMONTHDAY=28,-1", ".by_month_day") == "[28,-1]");
    CHECK(part("FREQ=DAILY;COUNT=3", ".count") == "3");
    CHECK(part("FREQ=DAILY;WKST=SU", ".week_start") == "sunday");
    CHECK(part("FREQ=DAILY;UNTIL=20261210T105959Z", ".last['local']") == "2026-12-09T12:00:00");
    CHECK(part("FREQ=WEEKLY;BYDAY=FR", ".has_start") == "true");
    CHECK(part("FREQ=WEEKLY;BYDAY=MO", ".has_start") == "false");
    CHECK(value_of("select(2, recurrence.parse('FREQ=NEVER', event.date('2026-11-27'))).code") ==
          "invalid");

    CHECK(value_of("recurrence.text({ freq = 'weekly', interval = 2, week_start = 'sunday', "
                   "by_day = { { day = 'friday' }, { day = 'monday' } }, count = 4 })") ==
          "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU;COUNT=4");
    CHECK(
        value_of("recurrence.text({ freq = 'yearly', by_month = { 11 }, "
                 "by_day = { { day = 'friday', nth = -1 } }, last = event.date('2030-11-30') })") ==
        "FREQ=YEARLY;BYMONTH=11;BYDAY=-1FR;UNTIL=20301130");
    for (const std::string wrong :
         {"7", "{}", "{ freq = 'weekly', by_day = { 'friday' } }",
          "{ freq = 'daily', count = 'x' }", "{ freq = 'weekly', by_day = { { day = 'FR' } } }",
          "{ freq = 'daily', last = 7 }"}) {
        CAPTURE(wrong);
        CHECK(value_of("recurrence.text(" + wrong + ")").starts_with("invalid_response"));
    }
}

TEST_CASE("modules: an id that the host made of a series and a slot is taken apart") {
    const auto split = [](const std::string& id) {
        return value_of(
            "(function() local series, slot = recurrence.split_id('" + id +
            "') return { series or 'none', slot and (slot.date or slot['local']) or 0 } "
            "end)()");
    };
    CHECK(split("AAk_A=_20261124T080000Z") == R"(["AAk_A=","2026-11-24T08:00:00"])");
    CHECK(split("/cal/a.ics_20261124") == R"(["/cal/a.ics","2026-11-24"])");
    for (const std::string other : {"abc", "", "_20261124", "a_20261124T080000", "a_20261324",
                                    "a_b", "a_20261124T080000Zx"}) {
        CAPTURE(other);
        CHECK(split(other) == R"(["none",0])");
    }
}

std::string fitted(const std::string& arguments) {
    return value_of("(function() local kept, lossy = event.fit_reminders(" + arguments +
                    ") return { #kept, kept[1] and kept[1].minutes or 0, lossy } end)()");
}

TEST_CASE("modules: of too many reminders the nearest stay, and each loss is told") {
    CHECK(
        fitted("{ { method = 'popup', minutes = 1440 }, { method = 'email', minutes = 60 }, "
               "{ method = 'popup', minutes = 15 } }, { most = 1, methods = { 'popup' } }") ==
        R"([1,15,[)"
        R"("The e-mail reminder 60 minutes before the start is left out: the calendar has none of this kind.",)"
        R"("The popup reminder 1440 minutes before the start is left out: the calendar holds no more than 1."]])");
    CHECK(
        fitted("{ { method = 'popup', minutes = 50000 } }, { longest = 40320 }") ==
        R"([0,0,["The popup reminder 50000 minutes before the start is left out: the calendar has none over 40320 minutes."]])");
    CHECK(fitted("{}, {}") == "[0,0,[]]");
    // Equal ones are counted one by one.
    const std::vector<calendar::Reminder> twins{{.method = "popup", .minutes = 5},
                                                {.method = "popup", .minutes = 5}};
    CHECK(plugin::fit_reminders(twins, {.most = 1}).kept.size() == 1);
    CHECK(plugin::fit_reminders(twins, {.most = 2}).lossy.empty());
}

}  // namespace
