// Real calendars, put into Radicale as they are and pulled: everything that happens in them is what
// libical says.
#include "calendar/libical_reference.h"
#include "calendar/recurrence.h"
#include "calendar/reference_files.h"
#include "plugin/caldav_world.h"

using namespace calhost;
using namespace calhost::test;

namespace {

TEST_CASE("caldav: every occurrence of calendars in Radicale is the one that libical finds") {
    const auto folder = calendar::test::reference_folder();
    if (!folder) return;
    CaldavWorld world(CaldavServer::Kind::radicale);
    world.discover();
    for (const std::string name : {"fablab_cottbus", "Germany"}) {
        CAPTURE(name);
        const auto text = calendar::test::text_of(*folder / (name + ".ics"));
        world.calendar = "/ann/" + name + "/";
        REQUIRE(world.other("PUT", world.calendar, text) == 201);
        const auto all = world.changes();
        REQUIRE_MESSAGE(all.has_value(), outcome_of(all));
        std::vector<calendar::Event> rows;
        for (const auto& [id, event] : all->events) rows.push_back(event);
        std::size_t count = 0;
        for (const auto* start : {"2026-11-21", "2025-11-20", "2020-01-01", "2019-01-01",
                                  "2018-01-01", "2017-01-01", "2016-01-01"}) {
            const auto from = parse_rfc3339(std::string(start) + "T00:00:00Z").value();
            const calendar::Window window{from, from + std::chrono::days{366}};
            const calendar::test::Reference theirs(text, window);
            const auto ours = calendar::test::lines_of(calendar::expand(rows, window).events);
            CHECK_MESSAGE(ours == theirs.occurrences(),
                          start << calendar::test::difference_of(ours, theirs.occurrences()));
            count += ours.size();
        }
        CHECK(count > 50);
    }
}

}  // namespace
