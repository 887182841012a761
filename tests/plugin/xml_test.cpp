// host.xml: foreign XML by the caller's own prefixes, and what is refused.
#include "plugin/xml.h"
#include "plugin/bench.h"

using namespace calhost;
using namespace calhost::plugin;
using namespace calhost::test;

namespace {

const Namespaces kDav{{"D", "DAV:"}, {"C", "urn:ietf:params:xml:ns:caldav"}};

TEST_CASE("xml: an element's name does not depend on the prefixes of its text") {
    for (const std::string text :
         {R"(<D:a xmlns:D="DAV:"><D:b>x</D:b></D:a>)", R"(<a xmlns="DAV:"><b>x</b></a>)",
          R"(<q:a xmlns:q="DAV:"><b xmlns="DAV:">x</b></q:a>)",
          "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<C:a xmlns:C=\"DAV:\">\n <C:b>x</C:b>\n</C:a>",
          R"(<D:a xmlns:D="DAV:"><E:b xmlns:E="DAV:"><![CDATA[x]]></E:b></D:a>)"}) {
        CAPTURE(text);
        const auto root = read_xml(text, kDav);
        REQUIRE_MESSAGE(root.has_value(), root.error().message);
        CHECK(root->name == "D:a");
        CHECK(root->text.empty());
        REQUIRE(root->children.size() == 1);
        CHECK(root->children[0].name == "D:b");
        CHECK(root->children[0].text == "x");
    }
}

TEST_CASE("xml: a namespace ends with its element, and an unknown one is spelled out") {
    const auto root = read_xml(
        R"(<a xmlns="DAV:"><b xmlns="urn:x" k="1&amp;2" xmlns:z="urn:y"><z:c/></b><d/></a>)", kDav);
    REQUIRE(root.has_value());
    const auto& inner = root->children.at(0);
    CHECK(inner.name == "{urn:x}b");
    CHECK(inner.attributes == std::vector<std::pair<std::string, std::string>>{{"k", "1&2"}});
    CHECK(inner.children.at(0).name == "{urn:y}c");
    CHECK(root->children.at(1).name == "D:d");
}

TEST_CASE("xml: what is no sound document is refused") {
    const std::string deep = [] {
        std::string text;
        for (int i = 0; i < 40; ++i) text += "<a>";
        for (int i = 0; i < 40; ++i) text += "</a>";
        return text;
    }();
    std::string many = "<a>";
    for (int i = 0; i < 200'001; ++i) many += "<b/>";
    std::string declared = "<a";
    for (int i = 0; i < 70; ++i) declared += " xmlns:p" + std::to_string(i) + "='u'";
    for (const auto& [text, complaint] : std::vector<std::pair<std::string, std::string>>{
             {"", "not well-formed"},
             {"BEGIN:VCALENDAR", "not well-formed"},
             {"<a><b></a>", "not well-formed"},
             {"<a", "not well-formed"},
             {"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "DTD"},
             {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "DTD"},
             {"<a>\xff</a>", "UTF-8"},
             {deep, "too deeply"},
             {many + "</a>", "too many elements"},
             {declared + "/>", "too many namespaces"},
             // Its name would be spelled out in each of its elements.
             {"<a xmlns='" + std::string(257, 'u') + "'><b/></a>", "namespace that is too long"},
             {"<a>" + std::string(11U << 20U, 'x') + "</a>", "10 MiB"}}) {
        CAPTURE(text.substr(0, 60));
        const auto root = read_xml(text, kDav);
        REQUIRE_FALSE(root.has_value());
        CHECK(to_string(root.error().code) == "invalid_response");
        CHECK_MESSAGE(root.error().message.contains(complaint), root.error().message);
    }
}

TEST_CASE("xml: an entity that nobody declared stays text, and CDATA may speak of a DTD") {
    CHECK(read_xml("<a>&x;&lt;</a>", kDav)->text == "&x;<");
    CHECK(read_xml("<a><![CDATA[<!DOCTYPE x>]]></a>", kDav)->text == "<!DOCTYPE x>");
}

TEST_CASE("xml: text is escaped when it is written, and comes back") {
    const std::string hostile = "a<b>&\"'</D:a>]]>\x01\x1fü";
    const Element root{.name = "D:a",
                       .text = hostile,
                       .attributes = {{"k", hostile}},
                       .children = {{.name = "C:b"}}};
    const auto text = write_xml(root, kDav).value();
    const auto back = read_xml(text, kDav);
    REQUIRE_MESSAGE(back.has_value(), text);
    CHECK(back->text == "a<b>&\"'</D:a>]]>ü");
    CHECK(back->attributes.at(0).second == "a<b>&\"'</D:a>]]>ü");
    CHECK(back->children.at(0).name == "C:b");
    for (const std::string name : {"", "X:a", "D:", "D:a b", "D:a>", "D:1", "a:b:c", "D:ü"})
        CHECK_FALSE(write_xml({.name = name}, kDav).has_value());
}

/// What a script that has `body` in identity gives as the account's id.
std::string run(const std::string& body) {
    Bench bench(R"(local xml = require("host.xml")
        local NS = { D = "DAV:", C = "urn:ietf:params:xml:ns:caldav" }
        function M.identity(ctx) )" +
                body + " end");
    const auto identity = bench.identity();
    return identity ? identity->id : outcome_of(identity);
}

TEST_CASE("host.xml: children in order, the first of a name by name, text by path") {
    CHECK(run(R"(local root = xml.parse([[<m xmlns="DAV:"><r><h>1</h></r><r><h>2</h></r></m>]], NS)
        local all = {}
        for _, r in ipairs(root) do all[#all + 1] = r.name .. xml.text(r, "D:h") end
        return { id = table.concat(all, ",") .. root["D:r"]["D:h"].text
          .. tostring(xml.text(root, "D:r/D:none/D:h")) .. tostring(xml.text(nil, "D:h")) })") ==
          "D:r1,D:r21nilnil");
    // A namespace that has no prefix here may hold slashes.
    CHECK(run(R"(local root = xml.parse([[<m><b xmlns="urn:x/y"><c>3</c></b></m>]], NS)
        return { id = xml.text(root, "{urn:x/y}b/{urn:x/y}c") })") == "3");
    CHECK(run(R"(local _, err = xml.parse("<a", NS) return { id = err.code })") ==
          "invalid_response");
}

TEST_CASE("host.xml: a request is a table") {
    const auto text = run(R"(return { id = xml.write({ name = "D:propfind",
        { name = "D:prop", "D:getetag", { name = "C:x", text = "<&", attributes = { k = "v" } } } }, NS) })");
    CHECK(
        text ==
        R"(<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:C="urn:ietf:params:xml:ns:caldav" )"
        R"(xmlns:D="DAV:"><D:prop><D:getetag/><C:x k="v">&lt;&amp;</C:x></D:prop></D:propfind>)");
}

TEST_CASE("host.xml: a table that holds itself ends at the limits") {
    for (const std::string body :
         {R"(local t = { name = "D:a" } t[1] = t return { id = xml.write(t, NS) })",
          R"(local t = { name = "D:a" } for i = 1, 9 do t = { name = "D:a", t, t, t, t, t, t } end
             return { id = xml.write(t, NS) })",
          R"(return { id = xml.write({ name = "X:a" }, NS) })",
          R"(return { id = xml.text({}, string.rep("a/", 400)) })"})
        CHECK(run(body).starts_with("invalid_response"));
}

TEST_CASE("host.ical: events come out of the text, and go back into it") {
    Bench bench(R"(local ical = require("host.ical")
        function M.list_changes(ctx)
          local at = event.wall("2026-11-23T09:00:00", "Europe/Berlin")
          local text = ical.write({ event.new({ id = "/cal/1.ics", uid = "u1", etag = '"e"',
            title = "First", start = at, finish = event.wall("2026-11-23T10:00:00", "Europe/Berlin"),
            recurrence = event.recurrence({ "RRULE:FREQ=DAILY;COUNT=3" }, "Europe/Berlin") }) })
          text = text:gsub("SUMMARY:First", "X-OTHER:kept\r\nSUMMARY:First")
          local read = ical.read(text)
          local changed = read.events[1]
          changed.title = "Second"
          text = ical.update(text, changed)
          text = ical.exclude(text, event.wall("2026-11-24T09:00:00", "Europe/Berlin"))
          local again = ical.read(text).events[1]
          again.id = text
          return { events = { again }, cursor = "1" }
        end)");
    const auto changes = bench.changes();
    REQUIRE_MESSAGE(changes.has_value(), outcome_of(changes));
    REQUIRE(changes->events.size() == 1);
    const auto& event = changes->events[0];
    CHECK(event.title == "Second");
    CHECK(event.uid == "u1");
    CHECK(event.recurrence->exdate.size() == 1);
    CHECK(event.id.contains("X-OTHER:kept"));
    CHECK(event.id.contains("LAST-MODIFIED:20261120T090000Z"));
    CHECK_FALSE(event.id.contains("/cal/1.ics"));
}

TEST_CASE("host.ical: what is written says when, and keeps the provider's names out") {
    const auto text = run(R"(local ical = require("host.ical")
        return { id = ical.write({ event.new({ id = "e1", etag = '"v7"', title = "T",
          start = event.date("2026-11-20"), finish = event.date("2026-11-21") }) }) })");
    CHECK(text.contains("UID:e1"));
    CHECK(text.contains("LAST-MODIFIED:20261120T090000Z"));
    CHECK_FALSE(text.contains("v7"));
    const auto changed = run(R"(local ical = require("host.ical")
        local day = event.new({ id = "e1", uid = "e1", title = "New",
          start = event.date("2026-11-20"), finish = event.date("2026-11-21") })
        return { id = ical.update([[BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:e1
LAST-MODIFIED:20200101T000000Z
SUMMARY:Old
DTSTART;VALUE=DATE:20261120
DTEND;VALUE=DATE:20261121
END:VEVENT
END:VCALENDAR
]], day) })");
    CHECK_MESSAGE(changed.contains("SUMMARY:New"), changed);
    CHECK(changed.contains("LAST-MODIFIED:20261120T090000Z"));
    CHECK_FALSE(changed.contains("20200101"));
}

TEST_CASE("host.ical: a calendar's own name and zone, and what was left out, are read") {
    CHECK(run(R"(local ical = require("host.ical")
        local read = ical.read([[BEGIN:VCALENDAR
VERSION:2.0
X-WR-CALNAME:Team
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VEVENT
UID:e1
SUMMARY:No start
END:VEVENT
END:VCALENDAR
]])
        local warning = #read.warnings[1] > 10 and "warned" or "silent"
        return { id = table.concat({ read.name, read.time_zone, #read.events, warning }, " ") })") ==
          "Team Europe/Berlin 0 warned");
}

TEST_CASE("host.ical: what is no calendar is an error, not a bug") {
    CHECK(run(R"(local ical = require("host.ical")
        local _, a = ical.read("<html>")
        local day = { id = "1", start = event.date("2026-11-20"), finish = event.date("2026-11-21") }
        local _, b = ical.update("<html>", day)
        local _, c = ical.update("BEGIN:VCALENDAR\nEND:VCALENDAR", day)
        local _, d = ical.write({ { id = "1" } })
        return { id = a.code .. " " .. b.code .. " " .. c.code .. " " .. d.code })") ==
          "invalid invalid not_found invalid");
}

}  // namespace
