// Calls on their way at once.
#include "plugin/lanes.h"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "support/virtual_time.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

struct Road {
    plugin::Lanes lanes;  // outlives the coroutines that hold places
    boost::asio::io_context context;
    VirtualTime time{context};
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
    /// A place held until the optional is emptied.
    void take(std::optional<plugin::Lanes::Pass>& pass, int most) {
        time.wait([](Road& road, auto& into, int limit) -> Task<bool> {
            into.emplace(co_await road.lanes.enter("one", limit));
            co_return true;
        }(*this, pass, most));
    }
    void start(std::string lane, char name) {
        boost::asio::co_spawn(context, drive(std::move(lane), name), boost::asio::detached);
    }
    void start_until(std::string lane, char name, boost::asio::cancellation_signal& gives_up) {
        boost::asio::co_spawn(
            context, drive(std::move(lane), name),
            boost::asio::bind_cancellation_slot(gives_up.slot(), [](std::exception_ptr) {}));
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

TEST_CASE("lanes: who gives up while waiting leaves the place to the next") {
    Road road;
    boost::asio::cancellation_signal gives_up;
    std::optional<plugin::Lanes::Pass> first, second;
    road.take(first, 2);
    road.take(second, 2);
    road.start_until("one", 'c', gives_up);
    road.start("one", 'd');
    road.time.advance(0s);
    SUBCASE("before it is given") {
        gives_up.emit(boost::asio::cancellation_type::all);
        road.time.advance(0s);
        first.reset();
    }
    SUBCASE("given, and not yet taken") {
        first.reset();
        gives_up.emit(boost::asio::cancellation_type::all);
    }
    road.time.advance(5s);  // to the end: timers must not outlive the virtual time
    CHECK(road.order.ends_with('d'));
}

TEST_CASE("lanes: who comes in between does not take the place of one who waits") {
    Road road;
    std::optional<plugin::Lanes::Pass> first, second, third;
    road.take(first, 2);
    road.take(second, 2);
    road.start("one", 'b');
    road.time.advance(0s);
    first.reset();  // 'b' has the place, but has not run yet
    road.take(third, 2);
    CHECK(road.order == "b");
}

}  // namespace
