// providers/caldav when answers of Radicale are lost or cut short on their way.
#include "calendar/zone.h"
#include "plugin/caldav_world.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct World {
    World() { world.discover(); }

    std::string create(const std::string& key) {
        calendar::Event event;
        event.title = "Lesson";
        event.start = calendar::make_instant(parse_rfc3339("2026-11-23T08:00:00Z").value()).value();
        event.finish = event.start;
        return outcome_of(
            world.wait(world.provider->create_event(world.access, world.calendar, event, key)));
    }
    std::size_t count() { return world.changes()->events.size(); }

    std::unique_ptr<BreakingProxy> proxy;
    CaldavWorld world{CaldavServer::Kind::radicale, [this](const std::string& server) {
                          proxy = std::make_unique<BreakingProxy>(server);
                          return proxy->url();
                      }};
};

TEST_CASE("caldav: writes whose answer is lost are done once, whoever repeats them") {
    World scene;
    // Every attempt of the host is lost; the caller comes back with the same key.
    scene.proxy->set({"lose PUT 100"});
    const auto lost = scene.create("booking 1");
    CHECK_MESSAGE((lost.starts_with("unavailable") || lost.starts_with("timeout")), lost);
    scene.proxy->set({});
    CHECK(scene.create("booking 1") == "ok");
    CHECK(scene.count() == 1);
    // The host's own second attempt finds what the first one did.
    scene.proxy->set({"lose PUT 1"});
    CHECK(scene.create("booking 2") == "ok");
    CHECK(scene.count() == 2);

    auto all = scene.world.changes();
    auto event = all->events.begin()->second;
    event.title = "Changed";
    scene.proxy->set({"lose PUT 1"});
    const auto changed = scene.world.wait(scene.world.provider->update_event(
        scene.world.access, scene.world.calendar, event.id, event, event.etag));
    REQUIRE_MESSAGE(changed.has_value(), outcome_of(changed));
    CHECK(changed->event.title == "Changed");

    scene.proxy->set({"lose DELETE 1"});
    CHECK(outcome_of(scene.world.wait(scene.world.provider->delete_event(
              scene.world.access, scene.world.calendar, event.id, changed->event.etag))) == "ok");
    CHECK(scene.count() == 1);
}

TEST_CASE("caldav: an answer that was cut short is no answer, and the next pull has everything") {
    World scene;
    CHECK(scene.create("1") == "ok");
    const auto cursor = scene.world.changes()->cursor;
    CHECK(scene.create("2") == "ok");
    // The list of what changed, and the resources themselves.
    for (const auto* whole : {"pass REPORT 0", "pass REPORT 1"}) {
        for (const auto& since : {std::optional<std::string>(), std::optional(cursor)}) {
            scene.proxy->set({whole, "truncate REPORT 1"});
            const auto broken = scene.world.changes(since);
            CHECK_MESSAGE(outcome_of(broken).starts_with("invalid_response"), outcome_of(broken));
        }
        scene.proxy->set({});
        CHECK(scene.world.changes(cursor)->events.size() == 1);
        CHECK(scene.count() == 2);
    }
}

}  // namespace
