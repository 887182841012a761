// Calls on their way at once.
#include "plugin/lanes.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "support/virtual_time.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

struct Road {
    boost::asio::io_context context;
    VirtualTime time{context};
    plugin::Lanes lanes;
    int on_it = 0;
    int most_on_it = 0;
    std::string order;

    Task<> drive(std::string lane, char name) {
        const auto pass = co_await lanes.enter(std::move(lane), 2);
        order += name;
        most_on_it = std::max(most_on_it, ++on_it);
        co_await time.sleep(1s);
        --on_it;
    }
    void start(std::string lane, char name) {
        boost::asio::co_spawn(context, drive(std::move(lane), name), boost::asio::detached);
    }
};

TEST_CASE("lanes: at most so many are on their way, the others wait in their order") {
    Road road;
    for (const char name : {'a', 'b', 'c', 'd', 'e'}) road.start("one", name);
    road.time.advance(0s);
    CHECK(road.order == "ab");
    road.time.advance(1s);
    CHECK(road.order == "abcd");
    road.time.advance(2s);
    CHECK(road.order == "abcde");
    CHECK(road.most_on_it == 2);
}

TEST_CASE("lanes: one account does not wait for another") {
    Road road;
    for (const char name : {'a', 'b', 'c'}) road.start("one", name);
    road.start("two", 'x');
    road.time.advance(0s);
    CHECK(road.order == "abx");
    road.time.advance(5s);
    CHECK(road.order == "abxc");
}

}  // namespace
