#include "jobs/pacer.h"

#include <doctest/doctest.h>

#include "support/virtual_time.h"

using namespace calhost;
using namespace calhost::jobs;
using namespace std::chrono_literals;

namespace {

struct PacerScene {
    boost::asio::io_context context;
    test::VirtualTime time{context};
    Pacer pacer{{.lane = {.per_second = 10, .burst = 20},
                 .connection = {.per_second = 2, .burst = 5},
                 .lanes = {{"outlook", {.per_second = 1, .burst = 1}}},
                 .connections_of_lane = {{"outlook", {.per_second = 100, .burst = 100}}}},
                time};

    /// How many of the connection may start now.
    int starts(const std::string& connection, const std::string& lane = "google") {
        int count = 0;
        for (; pacer.lane_wait(lane) == 0ms && pacer.connection_wait(lane, connection) == 0ms;
             ++count)
            pacer.take(lane, connection);
        return count;
    }
};

}  // namespace

TEST_CASE("pacer: a burst starts at once, then one after another") {
    PacerScene scene;
    CHECK(scene.starts("c1") == 5);
    CHECK(scene.pacer.connection_wait("google", "c1") == 500ms);
    CHECK(scene.pacer.connection_step("google") == 500ms);
    scene.time.advance(499ms);
    CHECK(scene.starts("c1") == 0);
    CHECK(scene.pacer.connection_wait("google", "c1") == 1ms);
    scene.time.advance(1ms);
    CHECK(scene.starts("c1") == 1);
    scene.time.advance(2s);
    CHECK(scene.starts("c1") == 4);
    scene.time.advance(1h);
    CHECK(scene.starts("c1") == 5);  // a bucket overflows
}

TEST_CASE("pacer: connections share their lane, and lanes nothing") {
    PacerScene scene;
    for (const char* connection : {"c1", "c2", "c3", "c4"}) CHECK(scene.starts(connection) == 5);
    CHECK(scene.starts("c5") == 0);
    CHECK(scene.pacer.lane_wait("google") == 100ms);
    CHECK(scene.pacer.connection_wait("google", "c5") == 0ms);
    CHECK(scene.starts("c1", "caldav") == 0);
    CHECK(scene.starts("c5", "caldav") == 5);
    scene.time.advance(300ms);
    CHECK(scene.starts("c5") == 0);
    CHECK(scene.starts("c6") == 3);
}

TEST_CASE("pacer: a lane may have a pace of its own") {
    PacerScene scene;
    CHECK(scene.starts("c1", "outlook") == 1);
    CHECK(scene.pacer.lane_wait("outlook") == 1s);
    CHECK(scene.pacer.connection_step("outlook") == 10ms);
}

TEST_CASE("pacer: what has no lane and no connection waits for nobody") {
    PacerScene scene;
    for (int i = 0; i < 1000; ++i) scene.pacer.take("", "");
    CHECK(scene.pacer.lane_wait("") == 0ms);
    CHECK(scene.pacer.connection_wait("", "") == 0ms);
    CHECK(scene.pacer.size() == 0);
}

TEST_CASE("pacer: a clock that somebody sets changes nothing") {
    PacerScene scene;
    CHECK(scene.starts("c1") == 5);
    for (const milliseconds skew : {milliseconds{-1h}, milliseconds{1h}}) {
        scene.time.set_skew(skew);
        CHECK(scene.pacer.connection_wait("google", "c1") == 500ms);
    }
}

TEST_CASE("pacer: full buckets are forgotten once there are many") {
    PacerScene scene;
    for (int i = 0; i < 10'000; ++i) scene.pacer.take("", std::to_string(i));
    scene.time.advance(1min);
    scene.pacer.take("", "one");
    scene.pacer.take("", "two");
    CHECK(scene.pacer.size() == 2);
}
