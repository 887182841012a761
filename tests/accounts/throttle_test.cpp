#include "accounts/throttle.h"

#include <doctest/doctest.h>

#include "support/virtual_time.h"

using namespace calhost;
using namespace std::chrono_literals;
using accounts::Throttle;

TEST_CASE("throttle: each failure doubles the wait from 1 s to 15 min") {
    boost::asio::io_context context;
    test::VirtualTime time(context);
    Throttle throttle(time);
    CHECK(throttle.remaining("ann") == 0ms);
    for (const milliseconds expected :
         {1'000ms, 2'000ms, 4'000ms, 8'000ms, 16'000ms, 32'000ms, 64'000ms, 128'000ms, 256'000ms,
          512'000ms, 900'000ms, 900'000ms}) {
        throttle.failed("ann");
        CHECK(throttle.remaining("ann") == expected);
        time.advance(expected - 1ms);
        CHECK(throttle.remaining("ann") == 1ms);
        time.advance(1ms);
        CHECK(throttle.remaining("ann") == 0ms);
    }
}

TEST_CASE("throttle: free failures cost nothing, the next one does") {
    boost::asio::io_context context;
    test::VirtualTime time(context);
    Throttle throttle(time);
    for (int i = 0; i < 3; ++i) throttle.failed("192.0.2.1", 3);
    CHECK(throttle.remaining("192.0.2.1") == 0ms);
    throttle.failed("192.0.2.1", 3);
    CHECK(throttle.remaining("192.0.2.1") == 1s);
}

TEST_CASE("throttle: success and an hour of quiet are a new beginning; another key never counts") {
    boost::asio::io_context context;
    test::VirtualTime time(context);
    Throttle throttle(time);
    for (int i = 0; i < 5; ++i) throttle.failed("ann");
    CHECK(throttle.remaining("bob") == 0ms);
    throttle.succeeded("ann");
    CHECK(throttle.remaining("ann") == 0ms);

    for (int i = 0; i < 5; ++i) throttle.failed("ann");
    time.advance(16s + 1h);
    throttle.failed("ann");
    CHECK(throttle.remaining("ann") == 32s);
    time.advance(32s + 1h + 1ms);
    throttle.failed("ann");
    CHECK(throttle.remaining("ann") == 1s);
}

TEST_CASE("throttle: a wall clock set back keeps nobody out") {
    boost::asio::io_context context;
    test::VirtualTime time(context);
    Throttle throttle(time);
    throttle.failed("ann");
    time.set_skew(-24h);
    time.advance(1s);
    CHECK(throttle.remaining("ann") == 0ms);
}

TEST_CASE("throttle: a flood of keys pushes out the one that opens first") {
    boost::asio::io_context context;
    test::VirtualTime time(context);
    Throttle throttle(time, 3);
    for (int i = 0; i < 4; ++i) throttle.failed("guessed often");
    throttle.failed("once");
    time.advance(1ms);
    throttle.failed("later");
    throttle.failed("one too many");
    CHECK(throttle.remaining("guessed often") > 0ms);
    CHECK(throttle.remaining("once") == 0ms);
    CHECK(throttle.remaining("later") > 0ms);
    CHECK(throttle.remaining("one too many") > 0ms);
}
