// A provider that never answers holds nobody else up.
#include "simulation/quick_hasher.h"
#include "support/acme.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("hanging: one provider's jobs leave room for another's") {
    Acme acme;
    auto options = acme.options(true);
    options.hasher = simulation::make_quick_hasher();
    TestHost host(std::move(options));
    acme.serve(host);
    // More of them than the host runs jobs at once.
    std::vector<net::Headers> people;
    for (int i = 0; i < 40; ++i) {
        people.push_back(host.sign_up(fmt::format("person{}@example.org", i)));
        REQUIRE(connect_acme(host, people.back()).status == 201);
    }
    host.time.advance(10s);
    acme.hanging = {"dav.example"};
    change_store(host,
                 "INSERT INTO jobs (id, kind, target, user_id, payload, status, run_at, "
                 "not_before, due_at, attempts, crashes, run_again, lease, last_error, created_at, "
                 "lane) SELECT id, 'sync', id, user_id, '{}', 'waiting', 0, 0, 0, 0, 0, 0, '', '', "
                 "0, provider FROM connections");
    host.runner().wake();
    host.time.advance(1s);
    const auto ada = host.sign_up();
    REQUIRE(host.connect(ada).status == 302);
    host.time.advance(2s);
    CHECK(connection_of(host, ada).at("last_synced_at").is_string());
    CHECK(host.runner().running() == jobs::RunnerOptions{}.per_lane);
}

TEST_CASE("hanging: a person's other calendars are synced at once, and the answer waits for all") {
    Acme acme;
    TestHost host(acme.options());
    acme.serve(host);
    const auto who = host.sign_up();
    REQUIRE(connect_acme(host, who).status == 201);
    REQUIRE(host.connect(who).status == 302);
    acme.hanging = {"dav.example"};
    const auto start = host.time.now();
    const auto answer = sync_now(host, who);
    CHECK(answer.status == 200);
    const auto google = connection_of(host, who, 1);
    CHECK(google.at("provider") == "google");
    CHECK(google.at("last_synced_at") == json::value(format_rfc3339(start)));
    CHECK(connection_of(host, who, 0).at("last_error").is_string());
}

TEST_CASE("hanging: another calendar of the same person can be synced meanwhile") {
    Acme acme;
    TestHost host(acme.options());
    acme.serve(host);
    const auto who = host.sign_up();
    REQUIRE(connect_acme(host, who).status == 201);
    REQUIRE(host.connect(who).status == 302);
    acme.hanging = {"dav.example"};
    boost::asio::co_spawn(host.time.executor(),
                          host.handle("POST", "/api/calendar/sync?provider=acme", who, ""),
                          boost::asio::detached);
    host.time.advance(5s);
    const auto start = host.time.now();
    CHECK(host.call("POST", "/api/calendar/sync?provider=google", who).status == 200);
    CHECK(host.time.now() - start < 1s);
}

}  // namespace
