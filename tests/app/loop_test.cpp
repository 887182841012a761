#include "app/loop.h"

#include <doctest/doctest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <thread>

using namespace calhost;

namespace {

using Loop = boost::asio::io_context;
using Guard = std::optional<boost::asio::executor_work_guard<Loop::executor_type>>;

/// As a write does: another thread holds the loop a moment longer than its answer takes.
Task<Result<void>> hold(Loop& loop, Guard& held) {
    co_await boost::asio::post(loop, use_task);
    held.emplace(loop.get_executor());
    co_return Result<void>{};
}

Task<> serve(Loop& loop, bool& has_run) {
    has_run = true;
    loop.stop();
    co_return;
}

TEST_CASE("loop: work that another thread lets go of after the start does not end the host") {
    Loop loop;
    Guard held;
    REQUIRE(app::run_alone(loop, hold(loop, held)));
    std::jthread([&] { held.reset(); }).join();  // nothing is left: the loop stops itself
    bool has_run = false;
    app::spawn(loop, serve(loop, has_run));
    app::run_for_good(loop);
    CHECK(has_run);
}

TEST_CASE("loop: what the task gives comes back, and its errors") {
    Loop loop;
    const auto failing = []() -> Task<Result<void>> {
        co_return fail(ErrorCode::unavailable, "The disk is full.");
    };
    const auto done = app::run_alone(loop, failing());
    REQUIRE_FALSE(done);
    CHECK(done.error().message == "The disk is full.");
}

}  // namespace
