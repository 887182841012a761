// Leases: one run at a time, whatever happens to hosts, clocks and disks.
#include "job_host.h"
#include "support/claim_job.h"

using namespace calhost;
using namespace calhost::test;
using storage::Sql;
using namespace std::chrono_literals;

namespace {

TEST_CASE("runner: a long job keeps its lease and runs once") {
    LongJob job(10min);
    auto& [folder, host, begun, ended] = job;
    host.time.advance(9min);
    CHECK(begun == 1);
    CHECK(ended == 0);
    CHECK(host.find("sync")->leased_until > host.time.now() + 40s);
    host.time.advance(1min);
    CHECK(ended == 1);
    CHECK_FALSE(host.find("sync"));
    CHECK(begun == 1);
}

TEST_CASE("runner: who lost the lease is stopped and changes nothing") {
    LongJob job(10min);
    auto& [folder, host, begun, ended] = job;
    const auto far = host.time.now() + 24h;
    CHECK(host.write([&](Sql& sql) -> Result<bool> {
        auto taken = test::claim_job(sql, "another", host.time.now() + 2min, far);
        return taken.has_value() && taken->has_value();
    }));
    host.time.advance(20min);
    CHECK(ended == 0);
    CHECK(host.runner->running() == 0);
    CHECK(host.find("sync")->lease == "another");
    CHECK(host.find("sync")->leased_until == far);
}

TEST_CASE("runner: a host that stops keeps the lease of what it waits for") {
    LongJob job(10min);
    auto& [folder, host, begun, ended] = job;
    host.runner->stop();
    host.time.advance(9min);
    CHECK(host.find("sync")->leased_until > host.time.now() + 40s);
    host.time.advance(1min);
    CHECK(host.is_stopped);
    CHECK(ended == 1);
    CHECK_FALSE(host.find("sync"));
}

TEST_CASE("runner: who cannot extend a lease for all of its length stops, and begins again later") {
    LongJob job(10min);
    auto& [folder, host, begun, ended] = job;
    host.database.is_failing = true;
    host.time.advance(50s);
    CHECK(host.runner->running() == 1);
    host.time.advance(30s);
    CHECK(host.runner->running() == 0);
    host.database.is_failing = false;
    host.time.advance(2min);
    CHECK(begun == 2);
    CHECK(ended == 0);
}

TEST_CASE("runner: a crash in the middle lets the next host run it after the lease") {
    test::TempFolder folder;
    int begun = 0, ended = 0;
    {
        Host host(folder);
        host.runner->on("sync", lasting(host, 10min, begun, ended));
        host.start();
        host.enqueue("sync");
        host.time.advance(5s);
        CHECK(begun == 1);
    }
    Host host(folder, 30s);
    host.runner->on("sync", lasting(host, 1s, begun, ended));
    host.start();
    host.time.advance(29s);
    CHECK(begun == 1);
    host.time.advance(3s);
    CHECK(begun == 2);
    CHECK(ended == 1);
    CHECK_FALSE(host.find("sync"));
}

TEST_CASE("runner: a job that ends its host again and again is set aside") {
    test::TempFolder folder;
    int begun = 0, ended = 0;
    for (int i = 0; i < storage::kMaxCrashes + 2; ++i) {
        Host host(folder, i * 10min);
        host.runner->on("sync", lasting(host, 10min, begun, ended));
        host.start();
        if (i == 0) host.enqueue("sync");
        host.time.advance(1min);
    }
    CHECK(begun == storage::kMaxCrashes);
    Host host(folder, 3h);
    CHECK(host.find("sync")->status == "dead");
    CHECK(host.find("sync")->last_error ==
          "The host ended 10 times in a row while this job ran; it is set aside.");
}

TEST_CASE("runner: a clock that jumps loses no job, starts none early, and none twice") {
    for (const milliseconds jump : {milliseconds{24h * 3650}, milliseconds{-24h * 3650}}) {
        CAPTURE(jump.count());
        test::TempFolder folder;
        Host host(folder);
        int begun = 0, ended = 0;
        host.runner->on("long", lasting(host, 10min, begun, ended));
        int runs = 0;
        host.runner->on("sync", counting(runs));
        host.start();
        host.enqueue("long");
        host.time.advance(7s);
        host.time.set_skew(jump);
        host.enqueue("sync");  // makes it look for work, with our own lease long over
        host.time.advance(20min);
        CHECK(begun == 1);
        CHECK(ended == 1);
        CHECK(runs == 1);
        CHECK_FALSE(host.find("long"));
    }
}

TEST_CASE("runner: an end that cannot be stored is stored later, and the job does not run again") {
    LongJob job(10s);
    auto& [folder, host, begun, ended] = job;
    host.database.is_failing = true;
    host.time.advance(5min);
    CHECK(ended == 1);
    CHECK(host.find("sync")->status == "running");
    host.database.is_failing = false;
    host.time.advance(1min);
    CHECK_FALSE(host.find("sync"));
    CHECK(begun == 1);
}

}  // namespace
