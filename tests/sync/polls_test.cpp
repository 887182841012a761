// Polls come back by themselves, whatever became of the last one.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// Somebody whose calendar is polled every 10 minutes.
struct Polled {
    Polled() {
        who = host.sign_up();
        REQUIRE(host.connect(who).status == 302);
        host.time.advance(1min);
        REQUIRE(requests() == 1);
    }
    int requests() { return requests_to(host, kEventsPath); }
    std::string poll() {
        return text_in_store(host, "SELECT status FROM jobs WHERE kind = 'sync'");
    }
    TestHost host{{.adjust = [](config::Settings& settings) { settings.sync.interval = 10min; }}};
    net::Headers who;
};

TEST_CASE("polls: crashes in a row set one aside, and the next interval plans it again") {
    Polled person;
    auto& host = person.host;
    for (int i = 0; i < storage::kMaxCrashes; ++i) {
        host.crash_points.should_crash = [](std::string_view name) {
            return name == "sync.page_read";
        };
        host.time.advance_until([&] { return host.crash_points.is_crashed; }, 20min);
        REQUIRE(host.crash_points.is_crashed);
        host.crash_points.should_crash = nullptr;
        host.crash_and_restart();
    }
    host.time.advance(10min);
    REQUIRE(person.poll() == "dead");
    const auto before = person.requests();
    host.time.advance(20min);
    CHECK(person.requests() > before);
    CHECK(person.poll() == "waiting");
    CHECK(state_of(host, host.sign_in()) == "active");
}

TEST_CASE("polls: a provider that fails for days is polled again when it is back") {
    Polled person;
    auto& host = person.host;
    break_next(host, {{"kind", "status"}, {"status", 500}, {"count", -1}, {"path", "/calendar/*"}});
    host.time.advance(72h);
    control(host, "DELETE", "/faults");
    host.time.advance(2h);
    const auto before = person.requests();
    host.time.advance(15min);
    CHECK(person.requests() > before);
    CHECK(person.poll() == "waiting");
}

}  // namespace
